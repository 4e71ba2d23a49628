"""Packets of one peer over its TCP connections, as a datagram transport (RFC 6544 §3, passive).

A peer may have several connections, and lose them all and come again: whoever sends here names an
address, and never learns which connection that is.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from ultraandchat.transport.ice_tcp.connection import Address, TcpConnection

MOST_CONNECTIONS = 4
"""Of one peer: a browser with two networks opens one for each and each of our addresses. One more closes
the one that was silent for longest, which is never the one in use."""
CLOSE_S = 2.0
"""The goodbye may take so long to be read."""


class Receiver(Protocol):
    """asyncio's `DatagramProtocol`, as far as it is needed."""

    def datagram_received(self, data: bytes, addr: Address) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...


class PassiveTransport(asyncio.DatagramTransport):
    """One peer's. `receiver` is asked for its `datagram_received` for each packet, so it may change."""

    def __init__(
        self, receiver: Receiver, password: str, forget: Callable[["PassiveTransport"], None]
    ) -> None:
        """`password` signs the peer's checks; `forget` is called once, when it is closed."""
        super().__init__()
        self.password = password
        self.dropped = 0
        """Media that was not sent: too much waited, or no connection was there."""
        self._receiver = receiver
        self._forget = forget
        self._connections: dict[Address, TcpConnection] = {}
        self._packets = 0
        self._closing = False

    # --- its connections --------------------------------------------------------------------------

    def join(self, connection: TcpConnection) -> None:
        """One more connection, which has shown that it is this peer's."""
        connection.bind(self)
        if (before := self._connections.pop(connection.address, None)) is not None:
            before.abort()
        elif len(self._connections) >= MOST_CONNECTIONS:
            stale = min(self._connections.values(), key=lambda one: one.order)
            del self._connections[stale.address]
            stale.abort()
        self._connections[connection.address] = connection

    def received(self, packet: bytes, address: Address) -> None:
        """From one of them."""
        connection = self._connections.get(address)
        if connection is not None:
            self._packets = connection.order = self._packets + 1
            self._receiver.datagram_received(packet, address)

    def left(self, connection: TcpConnection) -> None:
        """It is lost. The peer has 10 s and more to come again: ICE asks only then what became of it."""
        if self._connections.get(connection.address) is connection:
            del self._connections[connection.address]

    @property
    def addresses(self) -> list[Address]:
        """Where its connections come from."""
        return list(self._connections)

    # --- a datagram transport ---------------------------------------------------------------------

    def send_media(self, packet: bytes, address: Address) -> bool:
        """RTP or RTCP; False where it was dropped."""
        connection = self._connections.get(address)
        if connection is not None and connection.send(packet, media=True):
            return True
        self.dropped += 1
        return False

    def was_answered(self, address: Address, within_s: float) -> bool:
        """As `TcpConnection.was_answered`, of the connection to there."""
        connection = self._connections.get(address)
        return connection is not None and connection.was_answered(within_s)

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        """STUN or DTLS, which say it again where nothing comes back."""
        connection = self._connections.get(addr)
        if connection is not None:
            connection.send(bytes(data), media=False)

    def get_write_buffer_size(self) -> int:
        return sum(connection.unsent for connection in self._connections.values())

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """Let go of the peer; what was said last still reaches it."""
        self._end(lambda connection: connection.close(CLOSE_S))

    def abort(self) -> None:
        """Let go of the peer. After `close` there is nothing to do: that has a deadline of its own."""
        self._end(TcpConnection.abort)

    def _end(self, end: Callable[[TcpConnection], None]) -> None:
        if self._closing:
            return
        self._closing = True
        self._forget(self)
        for connection in list(self._connections.values()):
            end(connection)
        self._connections.clear()
        asyncio.get_running_loop().call_soon(self._receiver.connection_lost, None)
