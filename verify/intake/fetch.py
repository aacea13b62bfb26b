"""A picture from an address that a stranger wrote: never from inside our own network, never for long."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from ssl import SSLContext

import httpx
from django.conf import settings

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
Permitted = Callable[[Address], bool]

NAT64 = IPv6Network("64:ff9b::/96")


class FetchRefused(Exception):
    """The address is not fetched, or not in full; the message is one line that names the host only."""


def is_public(address: Address) -> bool:
    """Whether it belongs to the public internet, or stands for an IPv4 address that does."""
    if isinstance(address, IPv6Address):
        if inner := _inner_address(address):
            return is_public(inner)
        if address.sixtofour or address.teredo or address.is_site_local:  # tunnels to anywhere; an old LAN
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inner_address(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else address.ipv4_mapped


async def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, as the operating system sees them."""
    answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def fetch(url: str, *, resolve: Resolve = resolve, permitted: Permitted = is_public) -> bytes:
    """The bytes at an http(s) address, redirects followed.

    Every host on the way is resolved once, each of its addresses must be permitted, and the connection goes
    to the address that was checked. Raises FetchRefused, also for more than PHOTO_MAX_BYTES, more than
    FETCH_TIMEOUT in all, more than FETCH_REDIRECTS, and any answer but 200.
    """
    with ThreadPoolExecutor(1) as elsewhere:  # the caller's thread may have an event loop running
        return elsewhere.submit(lambda: asyncio.run(_fetch(url, resolve, permitted))).result()


async def _fetch(url: str, resolve: Resolve, permitted: Permitted) -> bytes:
    seconds = settings.FETCH_TIMEOUT.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            return await _follow(_parsed(url), resolve, permitted)
    except TimeoutError as error:
        raise FetchRefused(f"no whole answer within {seconds:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        raise FetchRefused(f"the connection failed ({type(error).__name__})") from error


async def _follow(url: httpx.URL, resolve: Resolve, permitted: Permitted) -> bytes:
    for _ in range(settings.FETCH_REDIRECTS + 1):
        answer = await _ask(url, await _checked_address(url, resolve, permitted))
        if isinstance(answer, bytes):
            return answer
        url = _parsed(str(answer))
    raise FetchRefused(f"more than {settings.FETCH_REDIRECTS} redirects")


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise FetchRefused("not an address") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise FetchRefused("not an http or https address")
    if parsed.userinfo:
        raise FetchRefused("an address with a user name or password in it")
    return parsed


async def _checked_address(url: httpx.URL, resolve: Resolve, permitted: Permitted) -> str:
    try:
        addresses = await resolve(url.raw_host.decode("ascii"), _port(url))
    except (OSError, UnicodeError) as error:
        raise FetchRefused(f"{url.host} has no address") from error
    if not addresses or not all(permitted(ip_address(address)) for address in addresses):
        raise FetchRefused(f"{url.host} is no public host")
    return addresses[0]


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


async def _ask(url: httpx.URL, address: str) -> bytes | httpx.URL:
    """The body, or where to ask instead. Connects to ``address``, in the name of the URL's host."""
    transport = httpx.AsyncHTTPTransport(verify=_tls())  # no proxy and no netrc from the environment
    request = httpx.Request(
        "GET",
        url.copy_with(host=address, fragment=None),
        headers={"Host": url.netloc.decode("ascii"), "Accept": "image/*", "Accept-Encoding": "identity"},
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )
    async with transport:
        response = await transport.handle_async_request(request)
        try:
            return url.join(response.headers["Location"]) if _moved(response) else await _body(response)
        finally:
            await response.aclose()


@cache  # reading the certificates takes longer than many a download
def _tls() -> SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _moved(response: httpx.Response) -> bool:
    return response.status_code in (301, 302, 303, 307, 308) and "Location" in response.headers


async def _body(response: httpx.Response) -> bytes:
    if response.status_code != 200:
        raise FetchRefused(f"the server answered {response.status_code}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise FetchRefused("the server compressed its answer, against our request")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > settings.PHOTO_MAX_BYTES:
            raise FetchRefused(f"more than {settings.PHOTO_MAX_BYTES:,} bytes")
    return bytes(body)
