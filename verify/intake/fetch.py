"""A picture from an address that a stranger wrote: never from inside our own network, never for long."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from ssl import SSLContext
from threading import Thread

import httpx
from django.conf import settings

from verify.intake.addresses import Address, FetchRefused, is_public, parsed, port

__all__ = ["Address", "FetchRefused", "fetch", "is_public", "resolve"]

Resolve = Callable[[str, int], Awaitable[list[str]]]
Permitted = Callable[[Address], bool]


async def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, as the operating system sees them.

    In a thread that nobody waits for: a slow name server is no reason to outlast the deadline.
    """
    loop, answers = asyncio.get_running_loop(), asyncio.Queue[list[str] | OSError](1)

    def ask() -> None:
        found: list[str] | OSError
        try:
            told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(each[4][0]) for each in told))
        except (OSError, UnicodeError) as error:
            found = OSError(str(error))
        with suppress(RuntimeError):  # the loop is closed: too late
            loop.call_soon_threadsafe(answers.put_nowait, found)

    Thread(target=ask, daemon=True).start()
    if isinstance(answer := await answers.get(), OSError):
        raise answer
    return answer


def fetch(url: str, *, resolve: Resolve = resolve, permitted: Permitted = is_public) -> bytes:
    """The bytes at an http(s) address, redirects followed.

    Every host on the way is resolved once, each of its addresses must be permitted, and the connection goes
    to the address that was checked. Raises FetchRefused, also for more than PHOTO_MAX_BYTES, more than
    FETCH_TIMEOUT in all, less than FETCH_LEAST_SPEED, more than FETCH_REDIRECTS, and any answer but 200.
    """
    with ThreadPoolExecutor(1) as elsewhere:  # the caller's thread may have an event loop running
        return elsewhere.submit(lambda: asyncio.run(_fetch(url, resolve, permitted))).result()


async def _fetch(url: str, resolve: Resolve, permitted: Permitted) -> bytes:
    seconds = settings.FETCH_TIMEOUT.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            return await _follow(parsed(url), resolve, permitted)
    except TimeoutError as error:
        raise FetchRefused(f"no whole answer within {seconds:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise FetchRefused(f"the connection failed ({type(error).__name__})") from error


async def _follow(url: httpx.URL, resolve: Resolve, permitted: Permitted) -> bytes:
    for _ in range(settings.FETCH_REDIRECTS + 1):
        answer = await _ask(url, await _checked_address(url, resolve, permitted))
        if isinstance(answer, bytes):
            return answer
        url = parsed(str(answer))
    raise FetchRefused(f"more than {settings.FETCH_REDIRECTS} redirects")


async def _checked_address(url: httpx.URL, resolve: Resolve, permitted: Permitted) -> str:
    host = url.raw_host.decode("ascii")
    try:
        addresses = await resolve(host, port(url))
    except OSError as error:
        raise FetchRefused(f"{host} has no address") from error
    if not addresses or not all(_is_permitted(address, permitted) for address in addresses):
        raise FetchRefused(f"{host} is no public host")
    return addresses[0]


def _is_permitted(address: str, permitted: Permitted) -> bool:
    try:
        return permitted(ip_address(address))
    except ValueError:
        return False


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
    most, started = settings.PHOTO_MAX_BYTES, time.monotonic()
    if (stated := response.headers.get("Content-Length", "0")).isdecimal() and int(stated) > most:
        raise FetchRefused(f"more than {most:,} bytes")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            raise FetchRefused(f"more than {most:,} bytes")
        if len(body) < _least(time.monotonic() - started):
            raise FetchRefused(f"slower than {settings.FETCH_LEAST_SPEED:,} bytes a second")
    return bytes(body)


def _least(seconds: float) -> float:
    """Bytes that have come by then, or whoever sends them only wants us to wait."""
    return settings.FETCH_LEAST_SPEED * max(0.0, seconds - settings.FETCH_PATIENCE.total_seconds())
