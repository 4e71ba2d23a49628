"""Where callers connect for ICE over TCP: one port for all conversations.

A connection is whose its first packet is: a STUN check that names a peer of ours and is signed with the
password only that peer was told. Everything else is closed without an answer, and before it can cost
more than a few hundred bytes.
"""

import asyncio
import errno
from collections import Counter
from contextlib import suppress
from ipaddress import ip_address
from socket import SOCK_STREAM
from types import TracebackType
from typing import Self

from ultraandchat.transport.ice_tcp.check import check
from ultraandchat.transport.ice_tcp.connection import Address, TcpConnection
from ultraandchat.transport.ice_tcp.passive import PassiveTransport, Receiver

MOST_PENDING = 64
"""Connections that have not shown whose they are. One more closes the oldest: a caller's first packet comes
within a round trip, so the oldest is the one that will not say anything."""
FIRST_PACKET_S = 8.0
"""A pending connection has so long, whatever it sends: three times what TCP needs to repeat a lost packet
twice (RFC 6298: 1 s, then 2 s)."""
REMEMBERED_S = 10.0
"""Firefox dials again from the port it had and sends media first: who had an address is remembered so long."""
MOST_REMEMBERED = 8
"""Addresses of one peer, the last ones it had: twice as many as it may have connections."""
BACKLOG = 32
"""Connections that the kernel keeps for us. asyncio accepts as many in one go, while nobody else is served."""
LOOPBACK = "127.0.0.1"


class IceTcp:
    """Listens while it is entered; `register` a peer, and its packets come to a transport of its own."""

    def __init__(
        self,
        host: str,
        port: int = 0,
        announce: Address | None = None,
        *,
        first_packet_s: float = FIRST_PACKET_S,
    ) -> None:
        """`announce` is what callers dial, where that is not where we listen: a port is mapped to ours."""
        self.counts: Counter[str] = Counter()
        """Connections: "accepted", "bound", "redialled", and "refused: …" by reason."""
        self.bound = 0
        """Connections of peers that are open now."""
        self._host = host
        self._port = port
        self._announce = announce
        self._first_packet_s = first_packet_s
        self._servers: list[asyncio.Server] = []
        self._listening: list[Address] = []
        self._peers: dict[str, PassiveTransport] = {}
        self._pending: dict[TcpConnection, None] = {}  # in the order in which they came
        self._remembered: dict[Address, tuple[PassiveTransport, float]] = {}  # until when
        self._dropped = 0  # of peers that are gone

    async def __aenter__(self) -> Self:
        self._clock = asyncio.get_running_loop().time
        try:
            for host in await _hosts(self._host):
                await self._listen(host)
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def announced(self) -> Address:
        """What is said of it in one word: what callers dial, or where it listens first."""
        return self._announce or self._listening[0]

    @property
    def dropped(self) -> int:
        """Packets of media that were not sent, of all peers."""
        return self._dropped + sum(peer.dropped for peer in self._peers.values())

    @property
    def pending(self) -> int:
        """Connections that have not shown whose they are."""
        return len(self._pending)

    def reached_at(self, found: list[str]) -> list[Address]:
        """What callers dial, the best first; `found` are the addresses of this machine."""
        if self._announce is not None:
            return [self._announce]
        reached: list[Address] = []
        for host, port in self._listening:
            listening = ip_address(host)
            if listening.is_unspecified:
                own = [*found, LOOPBACK]
                reached += [(a, port) for a in own if ip_address(a).version == listening.version]
            else:
                reached.append((host, port))
        return reached

    def register(self, ufrag: str, password: str, receiver: Receiver) -> PassiveTransport:
        """A peer that was told this name and password. `ValueError` where the name is taken."""
        if ufrag in self._peers:
            raise ValueError("this ICE name is taken")

        def forget(peer: PassiveTransport) -> None:
            self._dropped += peer.dropped
            del self._peers[ufrag]
            for address in [a for a, (whose, _) in self._remembered.items() if whose is peer]:
                del self._remembered[address]

        peer = self._peers[ufrag] = PassiveTransport(receiver, password, forget)
        return peer

    # --- connections (connection.Door) ------------------------------------------------------------

    def accepted(self, connection: TcpConnection) -> None:
        self.counts["accepted"] += 1
        if (peer := self._recalled(connection.address)) is not None:
            self._bind(connection, peer)
            return
        if len(self._pending) >= MOST_PENDING:
            next(iter(self._pending)).refuse("crowded out")
        self._pending[connection] = None
        connection.refuse_in(self._first_packet_s, "silent")

    def opened(self, connection: TcpConnection, first: bytes) -> None:
        claim = check(first)
        # Without a check: it may have been accepted before we were told that the one before it is lost.
        whose = (
            self._recalled(connection.address) if claim is None else self._peers.get(claim.ufrag)
        )
        if whose is None:
            connection.refuse("no check" if claim is None else "unknown")
        elif claim is not None and not claim.is_signed_with(whose.password):
            connection.refuse("unsigned")
        else:
            del self._pending[connection]
            self._bind(connection, whose)
            whose.received(first, connection.address)

    def refused(self, connection: TcpConnection, reason: str) -> None:
        self.counts[f"refused: {reason}"] += 1
        self._pending.pop(connection, None)

    def left(self, connection: TcpConnection) -> None:
        self._pending.pop(connection, None)
        peer = connection.end
        if not isinstance(peer, PassiveTransport):
            return
        self.bound -= 1
        if not peer.is_closing():
            own = [address for address, (whose, _) in self._remembered.items() if whose is peer]
            if len(own) >= MOST_REMEMBERED:
                del self._remembered[own[0]]
            self._remembered[connection.address] = (peer, self._clock() + REMEMBERED_S)

    def _recalled(self, address: Address) -> PassiveTransport | None:
        """Whose connection from there was lost a moment ago."""
        peer, until = self._remembered.pop(address, (None, 0.0))
        if peer is None or self._clock() >= until:
            return None
        self.counts["redialled"] += 1
        return peer

    async def _listen(self, host: str) -> None:
        """On the port that was given, else on the one that the address before was given."""
        first = self._listening[0][1] if self._listening else 0
        for port in (self._port,) if self._port else (first, 0):
            try:
                server = await asyncio.get_running_loop().create_server(
                    lambda: TcpConnection(self), host, port, backlog=BACKLOG
                )
            except OSError as error:
                if error.errno == errno.EADDRINUSE and port != self._port:
                    continue  # free with one address and taken with the other
                if host == "::" and error.errno != errno.EADDRINUSE:
                    return  # a machine without IPv6
                raise
            self._servers.append(server)
            self._listening += [one.getsockname()[:2] for one in server.sockets]
            return

    def _bind(self, connection: TcpConnection, peer: PassiveTransport) -> None:
        self.counts["bound"] += 1
        self.bound += 1
        peer.join(connection)

    def _close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        for connection in list(self._pending):
            connection.abort()
        for peer in list(self._peers.values()):
            peer.abort()


async def _hosts(host: str) -> list[str]:
    """The addresses to listen on: IPv4 and IPv6 where the server listens everywhere."""
    if host == "localhost":
        return [LOOPBACK]
    with suppress(ValueError):
        return ["0.0.0.0", "::"] if not host or ip_address(host).is_unspecified else [host]
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
