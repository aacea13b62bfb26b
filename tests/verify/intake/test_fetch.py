"""What is fetched from addresses that strangers write, and what is not."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.intake.fetch import Address, FetchRefused, fetch, is_public

HOME = ip_address("127.0.0.1")


class Shop(BaseHTTPRequestHandler):
    """Answers with what its server was told; remembers who was asked for."""

    def do_GET(self) -> None:
        self.server.asked.append((self.headers["Host"], self.path))
        getattr(self, self.path.split("?")[0].strip("/").split("/")[0])()

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def picture(self) -> None:
        self.reply(200, b"a picture", Content_Length="9")

    def missing(self) -> None:
        self.reply(404)

    def big(self) -> None:
        for _ in range(50):
            self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" if _ == 0 else b"x" * 1000)

    def zipped(self) -> None:
        self.reply(200, b"\x1f\x8b", Content_Encoding="gzip")

    def to(self) -> None:
        self.reply(302, Location=self.path.removeprefix("/to/"))

    def loop(self) -> None:
        self.reply(302, Location="/loop")

    def nowhere(self) -> None:
        self.reply(302, Location="http://[broken")

    def drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"x")
            time.sleep(0.05)

    def dripheaders(self) -> None:
        for _ in range(100):
            self.wfile.write(b"x")
            time.sleep(0.05)

    def heavy(self) -> None:
        self.reply(200, b"x", Content_Length="20001")

    def endless(self) -> None:
        """No length, and never an end."""
        self.reply(200)
        for _ in range(2_000):
            self.wfile.write(b"x" * 100)

    def lies(self) -> None:
        self.reply(200, b"a picture", Content_Length="9" * 30)

    def twice(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "9")
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"a picture")

    def headers_without_end(self) -> None:
        self.send_response(200)
        for number in range(20_000):
            self.send_header(f"X-{number}", "x" * 50)
        self.end_headers()

    def informed(self) -> None:
        for _ in range(10_000):
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")

    def slow(self) -> None:
        self.reply(200)
        for _ in range(200):
            self.wfile.write(b"xx")
            time.sleep(0.01)

    def cut(self) -> None:
        self.reply(200, b"half", Content_Length="9")

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass  # clients that hang up are what is tested


@pytest.fixture
def shop() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Shop)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Names:
    """A resolver for tests; hands out each host's answers one after the other, the last for ever."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): queue for name, queue in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in self.answers:
            raise socket.gaierror("unknown host")
        queue = self.answers[host]
        return queue.pop(0) if len(queue) > 1 else queue[0]


def local_too(address: Address) -> bool:
    return address == HOME or is_public(address)


def get(shop: Server, path: str, names: Names | None = None, host: str = "shop.example") -> bytes:
    names = names or Names(shop_example=[["127.0.0.1"]])
    return fetch(f"http://{host}:{shop.server_port}/{path}", resolve=names, permitted=local_too)


def test_connects_to_the_address_that_was_checked_in_the_name_of_the_host(shop: Server) -> None:
    names = Names(shop_example=[["127.0.0.1"], ["10.0.0.1"]])  # a second look would lead elsewhere
    assert get(shop, "picture?size=1", names) == b"a picture"
    assert names.asked == ["shop.example"]
    assert shop.asked == [(f"shop.example:{shop.server_port}", "/picture?size=1")]


def test_follows_redirects_and_checks_each_host(shop: Server) -> None:
    names = Names(shop_example=[["127.0.0.1"]], cdn_example=[["127.0.0.1"]])
    assert get(shop, f"to/http://cdn.example:{shop.server_port}/picture", names) == b"a picture"
    assert names.asked == ["shop.example", "cdn.example"]
    assert get(shop, "to//picture") == b"a picture"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://inside.example/", "inside.example is no public host"),
        ("http://10.0.0.7/", "10.0.0.7 is no public host"),
        ("http://[::1]/", "::1 is no public host"),
        ("file:///etc/passwd", "http or https"),
        ("ftp://shop.example/", "http or https"),
        ("http://me:secret@shop.example/", "user name"),
        ("http://unknown.example/", "unknown.example has no address"),
    ],
)
def test_refuses_a_redirect_to_where_it_would_not_go_itself(shop: Server, target: str, reason: str) -> None:
    numbers = {"10_0_0_7": [["10.0.0.7"]], "::1": [["::1"]]}
    names = Names(shop_example=[["127.0.0.1"]], inside_example=[["192.168.1.1"]], **numbers)
    with pytest.raises(FetchRefused, match=reason) as refusal:
        get(shop, f"to/{target}", names)
    assert "secret" not in str(refusal.value)
    assert len(shop.asked) == 1


def test_refuses_a_host_with_one_private_address_among_public_ones(shop: Server) -> None:
    with pytest.raises(FetchRefused, match="no public host"):
        get(shop, "picture", Names(shop_example=[["127.0.0.1", "10.0.0.1"]]))
    assert shop.asked == []


def test_who_sends_too_slowly_is_not_waited_for(shop: Server, settings: pytest.FixtureRequest) -> None:
    settings.FETCH_PATIENCE, settings.FETCH_LEAST_SPEED = timedelta(seconds=0.1), 10_000
    with pytest.raises(FetchRefused, match="slower than 10,000 bytes a second"):
        get(shop, "slow")


def test_a_slow_name_server_is_not_waited_for(
    settings: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FETCH_TIMEOUT = timedelta(seconds=0.1)
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(30) and [])
    with pytest.raises(FetchRefused, match="no whole answer"):
        fetch("http://shop.example/")
    answered.set()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing", "answered 404"),
        ("zipped", "compressed"),
        ("loop", "more than 3 redirects"),
        ("nowhere", "no host is called that"),
        ("cut", "connection failed"),
        ("big", "more than 20,000 bytes"),
        ("heavy", "more than 20,000 bytes"),
        ("endless", "more than 20,000 bytes"),
        ("lies", "connection failed|more than 20,000 bytes"),
        ("twice", "connection failed"),
        ("headers_without_end", "connection failed"),
        ("informed", "connection failed"),
        ("to/http://127.1/picture", "number in disguise"),
        ("to/http://shop.example:25/", "no web pages"),
        ("to/http://shop.example%5C@10.0.0.7/", "user name|no host"),
        ("drip", "within 0.5 s"),
        ("dripheaders", "connection failed|within 0.5 s"),
    ],
)
def test_refuses_answers(shop: Server, path: str, reason: str, settings: pytest.FixtureRequest) -> None:
    settings.PHOTO_MAX_BYTES = 20_000
    settings.FETCH_TIMEOUT = timedelta(seconds=0.5 if path.startswith("drip") else 20)
    started = time.monotonic()
    with pytest.raises(FetchRefused, match=reason):
        get(shop, path)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "url",
    [
        "",
        "picture.jpg",
        "//shop.example/picture",
        "http://",
        "http:///picture",
        "gopher://shop.example/",
        "javascript:alert(1)",
        "http://shop.example:99999/",
        "http://[::1/",
        "http://sh op.example/",
        "http://shop.example\x00.evil.example/",
        "https://me@shop.example/",
    ],
)
def test_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(FetchRefused):
        fetch(url, resolve=Names(shop_example=[["127.0.0.1"]]), permitted=lambda address: False)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
    ],
)
def test_no_spelling_of_this_machine_is_reached(shop: Server, host: str) -> None:
    """With the resolver and the rule of production."""
    with pytest.raises(FetchRefused):
        fetch(f"http://{host}:{shop.server_port}/picture")
    assert shop.asked == []


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.0.1"),
        *("192.0.2.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "2002:a00:1::", "64:ff9b::a00:1"),
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",  # Teredo, for 10.0.0.1
        *("192.88.99.1", "192.0.0.9", "64:ff9b:1::1", "3fff::1", "4000::1", "2a00::5efe:a00:1"),
    ],
)
def test_these_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_these_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_as_public_as_the_one_it_stands_for(address: Any) -> None:
    assert is_public(ip_address(f"::ffff:{address}")) == is_public(address)
    assert is_public(ip_address(f"64:ff9b::{address}")) == is_public(address)


def test_https_is_spoken_in_the_name_of_the_host(shop: Server) -> None:
    """The server sees the name, and without a certificate for it nothing is asked."""
    named: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _, name, __: named.append(name)
    shop.socket = context.wrap_socket(shop.socket, server_side=True)
    url = f"https://shop.example:{shop.server_port}/picture"
    with pytest.raises(FetchRefused, match="connection failed"):
        fetch(url, resolve=Names(shop_example=[["127.0.0.1"]]), permitted=local_too)
    assert named == ["shop.example"]
    assert shop.asked == []
