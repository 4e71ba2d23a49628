"""A TURN server (RFC 8656) that passes packets on, and what it takes us for."""

from collections.abc import Sequence
from typing import NamedTuple

from ultraandchat.transport.ice_server import IceServer, ice_server
from ultraandchat.transport.relay_account import RelayAccount


class Relay(NamedTuple):
    """Where, and as whom."""

    server: IceServer
    account: RelayAccount


def reached_without_udp(urls: Sequence[str]) -> IceServer:
    """Of these TURN servers the one to ask where UDP is in doubt: the first with TLS, with TCP, of all."""
    servers = [ice_server(url) for url in urls]
    return min(servers, key=lambda one: (not one.tls, one.transport != "tcp"))
