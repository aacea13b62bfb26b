"""Photos of a page of posts, fetched a few ahead of the one that is being decoded."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Address

from django.conf import settings

from verify.intake.fetch import fetch, is_public
from verify.intake.rows import Fetch

AHEAD = 4  # downloads in memory at once, the one in use included: each may be PHOTO_MAX_BYTES


def guarded() -> Fetch:
    """`fetch`; outside production, where a setting says so, also from this machine."""
    if settings.FETCH_LOOPBACK and not settings.PRODUCTION:
        return partial(fetch, permitted=_public_or_here)
    return fetch


def _public_or_here(address: IPv4Address | IPv6Address) -> bool:
    return address.is_loopback or is_public(address)


class Downloads:
    """A `Fetch` to be called with the addresses in the order given. Raises what fetching raised."""

    def __init__(self, fetch: Fetch, addresses: Iterable[str], each: Callable[[], None]) -> None:
        self._fetch, self._left, self._each = fetch, iter(addresses), each
        self._pool = ThreadPoolExecutor(AHEAD - 1, thread_name_prefix="download")
        self._begun: deque[tuple[str, Future[bytes]]] = deque()

    def __enter__(self) -> "Downloads":
        for _ in range(AHEAD - 1):
            self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __call__(self, address: str) -> bytes:
        """Calls ``each`` first, which may raise to end it all."""
        self._each()
        if not self._begun or self._begun[0][0] != address:
            return self._fetch(address)  # a second try of the whole page
        _, download = self._begun.popleft()
        self._begin()
        return download.result()

    def _begin(self) -> None:
        address = next(self._left, None)
        if address is not None:
            self._begun.append((address, self._pool.submit(self._fetch, address)))
