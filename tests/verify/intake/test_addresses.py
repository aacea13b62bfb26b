"""More than a hundred addresses that strangers might write: no socket is opened for any of them."""

import itertools
import socket
from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.intake.addresses import FetchRefused, is_public, parsed
from verify.intake.fetch import fetch

INSIDE = ["127.0.0.1", "10.0.0.7", "169.254.169.254", "192.168.1.1", "172.16.5.4", "100.64.0.9", "0.0.0.0"]


def spellings(address: str) -> list[str]:
    """One IPv4 address as resolvers, browsers and libraries read it."""
    number, (a, b, c, d) = int(IPv4Address(address)), (int(part) for part in address.split("."))
    return [
        address,
        str(number),
        hex(number),
        oct(number).replace("0o", "0"),
        f"{hex(a)}.{hex(b)}.{hex(c)}.{hex(d)}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}",
        f"{a}.{b}.{c}.{d}.",
        f"{a:03}.{b:03}.{c:03}.{d:03}",
        f"{a}。{b}。{c}。{d}",
        f"{a}%2E{b}%2E{c}%2E{d}",
        "".join(chr(0xFF10 + int(digit)) if digit.isdigit() else digit for digit in address),
        f"[::ffff:{address}]",
        f"[::{address}]",
        f"[64:ff9b::{address}]",
        f"[2002:{a:02x}{b:02x}:{c:02x}{d:02x}::]",
        f"[2001:0:{a:02x}{b:02x}:{c:02x}{d:02x}::]",
        f"[2a00::5efe:{a:02x}{b:02x}:{c:02x}{d:02x}]",
        f"[64:ff9b:1::{address}]",
    ]


SPELT = [f"http://{host}/a.jpg" for address in INSIDE for host in spellings(address)]
OTHERS = [
    *(
        f"http://{host}/"
        for host in ("localhost", "LOCALHOST", "localhost.", "a.localhost", "localhost.localdomain")
    ),
    *(
        f"http://{host}/"
        for host in ("printer", "nas.local", "db.internal", "wiki.corp", "x.onion", "router.lan")
    ),
    *(
        f"http://[{host}]/"
        for host in ("::1", "::", "fe80::1", "fe80::1%25eth0", "fc00::1", "fd00::1", "ff02::1")
    ),
    *(f"http://[{host}]/" for host in ("fec0::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "4000::1")),
    *(
        f"http://[{host}]/"
        for host in ("2606:4700::1111%25eth0", "2001:10::1", "2001:20::1", "2620:4f:8000::1")
    ),
    *(
        f"{scheme}:///etc/passwd"
        for scheme in ("file", "ftp", "gopher", "dict", "ldap", "jar", "netdoc", "phar")
    ),
    *(
        f"{scheme}://a.example/"
        for scheme in ("ftp", "sftp", "ws", "wss", "tftp", "smb", "telnet", "view-source")
    ),
    *("data:image/png;base64,iVBORw0KGgo=", "javascript:alert(1)", "about:blank", "blob:http://a.example/1"),
    *(
        "",
        " ",
        "/a.jpg",
        "//a.example/a.jpg",
        "a.example",
        "http:",
        "http:/",
        "http://",
        "http:///a.jpg",
        "://",
    ),
    *(
        "http:a.example",
        "http:/a.example",
        "http:\\\\a.example",
        "http://a.example\\@127.0.0.1/",
        "\thttp://a.example/",
    ),
    *("http://me@a.example/", "http://me:secret@a.example/", "http://@a.example/", "http://:@a.example/"),
    *("http://a.example@127.0.0.1/", "http://a.example:80@127.0.0.1/", "http://127.0.0.1%23@a.example/"),
    *(
        "http://a.example%00.evil.example/",
        "http://a.example\x00/",
        "http://a.example\r\nX: y/",
        "http://a\n.example/",
    ),
    *(
        "http://a b.example/",
        "http://a..example/",
        "http://.a.example/",
        "http://-a.example/",
        "http://a_.-/",
    ),
    *(f"http://{'a' * 64}.example/", f"http://{'a.' * 130}example/", f"http://a.example/{'x' * 5000}"),
    *(
        f"http://a.example:{port}/"
        for port in (0, 1, 22, 25, 110, 445, 587, 2375, 3306, 5432, 6379, 6667, 11211)
    ),
    *(f"http://a.example:{port}/" for port in (65536, 99999, -1, "x", "80x", "0x50", "８０")),
    *(
        "http://[::1/",
        "http://::1/",
        "http://[127.0.0.1]/",
        "http://[a.example]/",
        "http://[v1.x]/",
        "http://[]/",
    ),
    *(
        "http://1.1.1/",
        "http://256.1.1.1/",
        "http://1.1.1.1.1/",
        "http://0x/",
        "http://08.8.8.8/",
        "http://8.8.8.0x8/",
    ),
    *(
        "http://xn--/",
        "http://xn--a.localhost/",
        "http://a\u202e.example/",
        "http://a\u200b.example/",
        "http://ⓐ.②/",
    ),
    *(
        "http://127.0.0.1:80\\@a.example/",
        "http://a.example#@127.0.0.1:6379/\u0000",
        "http://a.example/\ud800",
    ),
    *(
        "http://192.88.99.1/",
        "http://192.0.0.9/",
        "http://255.255.255.255/",
        "http://224.0.0.1/",
        "http://240.0.0.1/",
    ),
    *(
        "http://192.31.196.1/",
        "http://192.175.48.1/",
        "http://198.51.100.7/",
        "http://203.0.113.9/",
        "http://198.18.0.1/",
    ),
]


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Numbers resolve to themselves, names to this machine; whoever would connect is told of."""
    connected: list[str] = []

    def look_up(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        try:
            found = str(ip_address(host))
        except ValueError:
            found = "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: connected.append(str(address)))
    return connected


def test_no_malicious_address_is_fetched(no_network: list[str]) -> None:
    addresses = list(dict.fromkeys([*SPELT, *OTHERS]))
    assert len(addresses) >= 250
    for address in addresses:
        with pytest.raises(FetchRefused) as refusal:
            pytest.fail(f"fetched {address!r}: {fetch(address)!r}")
        assert "\n" not in str(refusal.value), address
        assert "secret" not in str(refusal.value), address
    assert no_network == []


@pytest.mark.parametrize(
    "address",
    [
        "https://scontent-fra3-1.cdninstagram.com/v/t51.29350-15/1_n.jpg?stp=dst-jpg_e35&_nc_ht=a.com&oe=6%20A",
        *("http://a.example/", "HTTPS://A.Example:443/x", "http://a.example:8080/x.jpg", "http://8.8.8.8/x"),
        *("http://[2606:4700::1111]/x", "http://münchen.example/ä.jpg", "http://a_b.c-d.example/@me?x=@y#@z"),
    ],
)
def test_what_is_written_plainly_is_an_address(address: str) -> None:
    assert parsed(address).host


@given(st.text(max_size=80) | st.from_regex(r"https?://[^/]{0,30}/?.{0,20}", fullmatch=True))
def test_whatever_is_written_is_an_address_or_refused(text: str) -> None:
    try:
        found = parsed(text)
    except FetchRefused:
        return
    assert found.scheme in ("http", "https")
    assert not found.userinfo
    assert found.raw_host.isascii()


@given(st.ip_addresses(v=4), st.sampled_from(range(13, 20)))
def test_an_inner_address_is_never_more_public_than_itself(address: Any, spelling: int) -> None:
    outer = ip_address(spellings(str(address))[spelling].strip("[]"))
    assert is_public(address) or not is_public(outer)


def test_the_address_tables_agree_with_each_other() -> None:
    for address, spelling in itertools.product(INSIDE, range(13, 20)):
        assert not is_public(ip_address(spellings(address)[spelling].strip("[]")))
