"""Where a request comes from: the caller's address, and whether it sits at this machine.

Nothing here knows aiohttp; headers come as strings.
"""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]

FORWARDING = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "CF-Connecting-IP")
"""Headers with which proxies say that they are one."""


def networks(cidrs: Sequence[str]) -> Networks:
    """`server.trusted_proxies`, which the configuration has checked already."""
    return tuple(ip_network(cidr) for cidr in cidrs)


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Networks) -> str:
    """The caller's address: the right-most of X-Forwarded-For that no trusted proxy owns.

    Every proxy appends the address it was called from, so what stands left of the first untrusted
    one may be invented. Without a trusted peer the header counts for nothing.
    """
    address = _parsed(peer or "")
    if address is None:
        return "unknown"
    hops = [hop for header in forwarded for hop in header.split(",")]
    for hop in reversed(hops):
        if not _is_trusted(address, trusted):
            break
        before = _parsed(hop)
        if before is None:
            break
        address = before
    return str(address)


def said_by_cloudflare(header: str | None) -> str | None:
    """The caller's address as Cloudflare writes it over whatever the caller wrote; None: it did not."""
    address = _parsed(header or "")
    return None if address is None else str(address)


def is_at_this_machine(peer: str | None, host: str, *, proxied: bool) -> bool:
    """The request comes over loopback and no proxy (`proxied`: a forwarding header) brought it.

    It must also ask for this machine by a name of its own (`host`): a page from elsewhere, whose
    name was made to point here, and a proxy that adds no header ask for another.
    """
    address, named = _parsed(peer or ""), _parsed(host)
    own = host.partition(":")[0].lower() == "localhost" or (named is not None and named.is_loopback)
    return own and not proxied and address is not None and address.is_loopback


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _parsed(text: str) -> Address | None:
    """An address as proxies write it: bare, `[v6]`, with a port, with a zone, v4 inside v6."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _is_trusted(address: Address, trusted: Networks) -> bool:
    return any(address.version == net.version and address in net for net in trusted)
