"""The address of a STUN or TURN server, as browsers are told it (RFC 7064, RFC 7065)."""

import re
from typing import Literal, NamedTuple

_FORM = re.compile(
    r"(stuns?|turns?):"
    r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?)"
    r"(?::([0-9]{1,5}))?"
    r"(?:\?transport=(udp|tcp))?"
)
PORT, TLS_PORT = 3478, 5349
"""Where such servers listen if the address names no port (RFC 8489 §15, §18.6)."""


class IceServer(NamedTuple):
    """What there is to dial."""

    scheme: str
    host: str
    port: int
    transport: Literal["udp", "tcp"]

    @property
    def tls(self) -> bool:
        return self.scheme in ("stuns", "turns")


def ice_server(url: str) -> IceServer:
    """The server of that address. Raises `ValueError` where no browser would take it."""
    match = _FORM.fullmatch(url)
    if match is None:
        raise ValueError(f"{url} is not scheme:host:port")
    scheme, host, _, port, transport = match.groups()
    tls = scheme.endswith("s")
    number = int(port) if port else (TLS_PORT if tls else PORT)
    if not 0 < number < 65_536:
        raise ValueError(f"{url}: there is no port {port}")
    if transport and scheme.startswith("stun"):
        raise ValueError(f"{url}: ?transport= is for TURN only")
    over: Literal["udp", "tcp"] = "tcp" if tls or transport == "tcp" else "udp"
    return IceServer(scheme, host.strip("[]"), number, over)
