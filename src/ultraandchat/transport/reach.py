"""The ways in which packets of WebRTC reach this server, and the addresses it is reached at."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from ultraandchat.transport.ice_tcp.listener import LOOPBACK, IceTcp
from ultraandchat.transport.relay import Relay


@dataclass(frozen=True, slots=True)
class Reach:
    """What callers are offered; at least one of them where there is WebRTC at all."""

    udp: bool = True
    """Sockets of their own for each caller."""
    tcp: IceTcp | None = None
    """The one port for all of them, which is listening by then."""
    relay: Callable[[], Relay] | None = None
    """Where we have ourselves relayed too, asked anew for each caller: without UDP a caller's relay cannot
    reach us, but the one relay the other."""


def addresses(host: str, found: list[str]) -> list[str]:
    """Where to be reached: as the server itself, which may listen everywhere or at one address."""
    if host == "localhost":
        return [LOOPBACK]
    try:
        listening = ip_address(host)
    except ValueError:  # a name: its addresses are among those found
        return [*found, LOOPBACK]
    if listening.is_unspecified:
        return [*found, LOOPBACK]
    return [LOOPBACK if listening.is_loopback and listening.version == 4 else host]
