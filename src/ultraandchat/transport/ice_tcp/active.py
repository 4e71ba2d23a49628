"""ICE over TCP from the caller's side (RFC 6544 active), for aioice: what browsers do, and here `check --network` and tests.

Like a browser it dials when there is something to send, and dials again when its connection was lost.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from aioice.candidate import Candidate, candidate_foundation
from aioice.ice import StunProtocol

from ultraandchat.transport.ice_tcp.framing import Framing, framed

LARGEST = 2_048
PORT = 9
"""Of active candidates: nobody can dial it (RFC 6544 §4.5)."""
PRIORITY = 1_518_280_447
"""A TCP host candidate of direction preference 6, below UDP (RFC 6544 §4.2)."""
MOST_WAITING = 64
"""Packets that wait for a connection; the oldest go."""

LOOPBACKS = ("127.0.0.1", "::1")

Address = tuple[str, int]
ANYWHERE: Address = ("", 0)


class ActiveConnection(asyncio.BufferedProtocol):
    """One connection, dialled; what is sent before it is there waits."""

    def __init__(
        self, peer: Address, take: Callable[[bytes], None], lost: Callable[[], None]
    ) -> None:
        self.transport: asyncio.Transport | None = None
        self.waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._peer = peer
        self._take = take
        self._lost = lost
        self._framing = Framing(LARGEST)

    async def dial(self, source: Address) -> None:
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in self._peer[0] else socket.AF_INET
        line = socket.socket(family, socket.SOCK_STREAM)
        line.setblocking(False)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if source != ANYWHERE:
                line.bind(source)
            await loop.sock_connect(line, self._peer)
            await loop.create_connection(lambda: self, sock=line)
        except OSError:
            line.close()
            self._lost()

    def send(self, packet: bytes) -> None:
        if self.transport is None:
            self.waiting.append(packet)
        else:
            self.transport.write(framed(packet))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        while self.waiting:
            self.transport.write(framed(self.waiting.popleft()))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._framing.room

    def buffer_updated(self, nbytes: int) -> None:
        self._framing.filled(nbytes)
        while (packet := self._framing.next()) is not None:
            self._take(packet)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()


class ActiveTransport(asyncio.DatagramTransport):
    """Packets over connections that it dials, one to each address."""

    def __init__(self, receiver: StunProtocol, host: str) -> None:
        """It dials from `host`, an address of this machine; empty: from any."""
        super().__init__()
        self._host = host
        self.source_port = 0
        """Dial from there; 0: from any."""
        self._receiver = receiver
        self._connections: dict[Address, ActiveConnection] = {}
        self._held: list[tuple[bytes, Address]] | None = None
        self._dialling: set[asyncio.Task[None]] = set()
        self._closing = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        if self._closing:
            return
        if self._held is not None:
            self._held.append((bytes(data), addr))
            return
        if addr not in self._connections:
            self._dial(addr)
        self._connections[addr].send(bytes(data))

    def reset(self, address: Address) -> Address:
        """The connection is reset, as by a router that lost its memory; what it came from."""
        transport = self._connections[address].transport
        assert transport is not None
        line = transport.get_extra_info("socket")
        own: Address = line.getsockname()[:2]
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return own

    def stops_reading(self) -> None:
        """Of all that comes."""
        for connection in self._connections.values():
            if connection.transport is not None:
                connection.transport.pause_reading()

    def stalls(self) -> None:
        """As a network through which nothing comes: what is sent waits."""
        self.stops_reading()
        self._held = []

    def goes_on(self) -> None:
        """All that waited comes at once, both ways."""
        held, self._held = self._held or [], None
        for packet, address in held:
            self.sendto(packet, address)
        for connection in self._connections.values():
            if connection.transport is not None:
                connection.transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        transports = [one.transport for one in self._connections.values()]
        return sum(one.get_write_buffer_size() for one in transports if one is not None)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        for task in self._dialling:
            task.cancel()
        for connection in self._connections.values():
            if connection.transport is not None:
                connection.transport.close()
        asyncio.get_running_loop().call_soon(self._receiver.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def _dial(self, address: Address) -> None:
        def take(packet: bytes) -> None:
            self._receiver.datagram_received(packet, address)

        def lost() -> None:
            if self._connections.get(address) is connection:
                del self._connections[address]

        connection = self._connections[address] = ActiveConnection(address, take, lost)
        task = asyncio.get_running_loop().create_task(
            connection.dial((self._host, self.source_port))
        )
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)


def dial_only(ice: Any, host: str = "") -> None:
    """That aioice connection has no UDP, and dials the passive candidates it is told of, from `host`; if
    it is empty, from wherever the way there begins."""

    async def gathered(component: int, addresses: list[str], timeout: int = 5) -> list[Candidate]:
        # aioice pairs addresses of one family only; which one stands there is of no importance.
        return [_candidate(ice, component, own, host) for own in ((host,) if host else LOOPBACKS)]

    ice.get_component_candidates = gathered


def _candidate(ice: Any, component: int, own: str, source: str) -> Candidate:
    protocol = StunProtocol(ice)
    candidate = protocol.local_candidate = Candidate(
        foundation=candidate_foundation("host", "tcp", own),
        component=component,
        transport="tcp",
        priority=PRIORITY,
        host=own,
        port=PORT,
        type="host",
        tcptype="active",
    )
    protocol.connection_made(ActiveTransport(protocol, source))
    ice._protocols.append(protocol)
    return candidate
