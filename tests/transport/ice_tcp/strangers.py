"""What comes to an open port: raw connections, and the first packets of callers who are none."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aioice import stun

from ultraandchat.transport.ice_tcp.connection import Address
from ultraandchat.transport.ice_tcp.framing import framed
from ultraandchat.transport.ice_tcp.listener import IceTcp

UFRAG, PASSWORD = "ourname", "a password of twenty-two letters"
PATIENCE_S = 20.0
OWN_HOST = "127.77.0.2"
"""No other program here dials from it, so that a port of it can be dialled from again."""


class Taken:
    """In place of ICE: keeps what comes, from where."""

    def __init__(self) -> None:
        self.packets: list[tuple[bytes, Address]] = []
        self.lost = 0

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.packets.append((data, addr))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost += 1


def request(
    ufrag: str = UFRAG,
    password: str | None = PASSWORD,
    *,
    kind: stun.Class = stun.Class.REQUEST,
    named: bool = True,
) -> bytes:
    """A browser's check."""
    message = stun.Message(message_method=stun.Method.BINDING, message_class=kind)
    if named:
        message.attributes["USERNAME"] = f"{ufrag}:theirs"
    message.attributes["PRIORITY"] = 1_845_501_695
    message.attributes["ICE-CONTROLLING"] = 7
    if password is not None:
        message.add_message_integrity(password.encode())
    return bytes(message)


class Dialled:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @property
    def address(self) -> Address:
        own: Address = self._writer.get_extra_info("sockname")[:2]
        return own

    @property
    def socket(self) -> socket.socket:
        found: socket.socket = self._writer.get_extra_info("socket")
        return found

    def sends(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._writer.write(piece)

    async def reads(self, count: int) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.readexactly(count)

    async def until_closed(self) -> bytes:
        """What came before the end."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    def stops_reading(self) -> None:
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    def reads_again(self) -> None:
        self._writer.transport.resume_reading()  # type: ignore[attr-defined]

    def resets(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def aclose(self) -> None:
        self._writer.close()


@asynccontextmanager
async def dialled(to: Address, source: Address | None = None) -> AsyncIterator[Dialled]:
    own = source or ("::1" if ":" in to[0] else OWN_HOST, 0)
    async with asyncio.timeout(PATIENCE_S):
        streams = await asyncio.open_connection(*to, local_addr=own)
    line = Dialled(*streams)
    try:
        yield line
    finally:
        await line.aclose()


@asynccontextmanager
async def bound(listener: IceTcp, source: Address | None = None) -> AsyncIterator[Dialled]:
    """A connection that has shown whose it is."""
    before = listener.bound
    async with dialled(listener.announced, source) as line:
        line.sends(framed(request()))
        async with asyncio.timeout(PATIENCE_S):
            while listener.bound == before:
                await asyncio.sleep(0.001)
        yield line
