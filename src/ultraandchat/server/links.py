"""The addresses at which a server's page can be opened, and what there is to say about them."""

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

import ifaddr

from ultraandchat.config import Config
from ultraandchat.pod import Pod
from ultraandchat.server.addresses import is_loopback
from ultraandchat.server.ladder import joined

MOST_ADDRESSES = 3
"""Of this machine: whoever has more knows which one to take."""

EVERYWHERE = ("", "0.0.0.0", "::")
"""Hosts that mean all addresses of this machine."""


def links(url: str, host: str, https_url: str | None) -> list[str]:
    """Where to open the page of a server that listens on `host` as `url`; the one to begin with first.

    A pod's own addresses mean nothing to anybody outside: there it is its https address alone.
    """
    if https_url is not None and not is_loopback(host):
        return [https_url]
    if host not in EVERYWHERE:
        return [url]
    parts = urlsplit(url)
    assert parts.port is not None
    own = own_addresses(ipv6=host == "::")
    return [url, *(f"{parts.scheme}://{joined(address, parts.port)}" for address in own)]


def remarks(found: list[str], config: Config, pod: Pod) -> Iterator[str]:
    """What whoever opens them should know beforehand, each in a sentence or two."""
    host, port = config.server.host, config.server.port
    yield from (f"{reason[0].upper()}{reason[1:]}." for reason in pod.unread)
    bare = pod.tcp_port(port)
    if pod.is_pod and config.tls.on:
        expose = "" if bare and pod.address else f" Expose TCP port {port}, or switch TLS off."
        yield f"The pod's proxy cannot call a server with TLS of its own.{expose}"
    elif bare is not None and pod.address is not None:
        where = joined(pod.address, bare.external)
        yield (
            f"TCP port {port} is {where} outside, without TLS: browsers give a page no microphone"
            " there. Open the https address."
        )
    if not is_loopback(host) and found[0].startswith("http:"):
        yield (
            f"It answers the whole network ({host}). From another machine browsers give a page the"
            " microphone over https only; --tls self-signed gives it that."
        )


def own_addresses(*, ipv6: bool, most: int = MOST_ADDRESSES) -> list[str]:
    """Where devices of the same network reach this machine; IPv4 first."""
    found: list[tuple[int, int, str]] = []
    for adapter in ifaddr.get_adapters():
        for one in adapter.ips:
            address = ip_address(one.ip if isinstance(one.ip, str) else one.ip[0])
            if address.is_loopback or address.is_link_local or address.is_unspecified:
                continue
            if ipv6 or not isinstance(address, IPv6Address):
                found.append((address.version, len(found), str(address)))
    return [text for *_, text in sorted(found)][:most]
