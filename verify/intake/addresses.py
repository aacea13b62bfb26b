"""Which addresses that a stranger wrote may be asked for a photo, by their text and numbers alone."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

Address = IPv4Address | IPv6Address

LONGEST = 4000  # characters of an address
NAT64 = IPv6Network("64:ff9b::/96")
UNICAST = IPv6Network("2000::/3")  # all that IANA has given to the public internet
# What `is_global` lets pass and no photo lies behind: IANA's special-purpose registries.
NOT_FOR_PHOTOS = [
    *map(IPv4Network, ("192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24")),
    IPv4Network("192.175.48.0/24"),
    # Teredo, ORCHID, benchmarks; documentation; tunnels (6to4); documentation; AS112
    *map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48")),
]
# RFC 6761, 6762, 7686, 8375, 9476 and ICANN's .internal; and what routers call their own networks.
INSIDE = {
    *("localhost", "local", "internal", "intranet", "private", "corp", "home", "lan", "localdomain"),
    *("arpa", "onion", "invalid", "alt"),
}
WEB_PORTS = {80, 443}
PRIVILEGED = 1024
# Above those: what browsers ask nothing of either (the Fetch standard's "bad ports"), and databases' own.
BAD_PORTS = {
    *(
        1719,
        1720,
        1723,
        2049,
        3659,
        4045,
        4190,
        5060,
        5061,
        6000,
        6566,
        6679,
        6697,
        10080,
        *range(6665, 6670),
    ),
    *(1433, 1521, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5672, 5900, 5984, 6379, 6380, 9042, 9200),
    *(9300, 10250, 11211, 27017, 27018),
}
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII | re.IGNORECASE)


class FetchRefused(Exception):
    """The address is not fetched, or not in full; the message is one line that names the host only."""


def is_public(address: Address) -> bool:
    """Whether it belongs to the public internet, or stands for an IPv4 address that does."""
    if isinstance(address, IPv6Address):
        if address.scope_id:
            return False
        if inner := _inner_address(address):
            return is_public(inner)
        if address not in UNICAST or _is_isatap(address):
            return False
    if any(address in network for network in NOT_FOR_PHOTOS if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inner_address(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else address.ipv4_mapped


def _is_isatap(address: IPv6Address) -> bool:
    """A tunnel inside a site whose end is an IPv4 address (RFC 5214): the network's prefix may be public."""
    return (int(address) >> 32) & 0xFCFFFFFF == 0x00005EFE


def parsed(url: str) -> httpx.URL:
    """An http or https address, its host spelt as hosts are. Raises FetchRefused."""
    if len(url) > LONGEST or not url.isprintable() or "\\" in url or " " in url:
        raise FetchRefused("not an address")
    try:
        address = httpx.URL(url)
        host = address.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise FetchRefused("not an address") from error
    if address.scheme not in ("http", "https") or not host:
        raise FetchRefused("not an http or https address")
    if address.userinfo or "@" in address.netloc.decode("ascii", "replace"):
        raise FetchRefused("an address with a user name or password in it")
    _check_host(host)
    if not _is_web_port(port(address)):
        raise FetchRefused(f"{host} is asked at a port that serves no web pages")
    return address


def port(url: httpx.URL) -> int:
    """As the address states it, or its scheme implies it."""
    if url.port is None:
        return 443 if url.scheme == "https" else 80
    return url.port


def _is_web_port(number: int) -> bool:
    return number in WEB_PORTS or (number >= PRIVILEGED and number not in BAD_PORTS)


def _check_host(host: str) -> None:
    """Numbers only as everybody writes them: who spells one otherwise wants to be taken for somebody else."""
    if _is_number(host):
        return
    labels = host.split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise FetchRefused("no host is called that")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1], re.IGNORECASE):
        raise FetchRefused(f"{host} is a number in disguise")
    if len(labels) == 1 or labels[-1].lower() in INSIDE:
        raise FetchRefused(f"{host} is no public host")


def _is_number(host: str) -> bool:
    """An IPv6 address without a zone, or an IPv4 one of four decimal numbers, none of which begins with 0."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host
