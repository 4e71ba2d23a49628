"""What one connection sends, and what it does not: to peers that read, and to one that stopped."""

import asyncio
import socket
from contextlib import suppress

import pytest

from tests.support.serving import eventually
from tests.transport.ice_tcp.strangers import PASSWORD, UFRAG, Taken, bound
from ultraandchat.transport.ice_tcp import connection as connections
from ultraandchat.transport.ice_tcp.connection import (
    LARGEST_PACKET,
    MOST_UNSENT_BYTES,
    MOST_UNSENT_CONTROL_BYTES,
    NOTSENT_BYTES,
    RETRY_MS,
    TCP_RTO_MAX_MS,
    TcpConnection,
)
from ultraandchat.transport.ice_tcp.framing import framed
from ultraandchat.transport.ice_tcp.listener import IceTcp

PACKET = b"\x80" + bytes(99)
SECONDS = 60
"""Of sound, in packets of 20 ms."""


async def test_a_peer_that_stops_reading_is_sent_no_more_than_can_wait() -> None:
    async with IceTcp("127.0.0.1") as listener:
        peer = listener.register(UFRAG, PASSWORD, Taken())
        async with bound(listener) as line:
            line.stops_reading()
            sent = sum(peer.send_media(PACKET, line.address) for _ in range(50 * SECONDS))
            assert peer.get_write_buffer_size() <= MOST_UNSENT_BYTES + len(framed(PACKET))
            assert sent < 50 * SECONDS
            assert peer.dropped == listener.dropped == 50 * SECONDS - sent
            for _ in range(1_000):
                peer.sendto(b"\x16" + bytes(1_000), line.address)
            waits = peer.get_write_buffer_size()
            assert MOST_UNSENT_CONTROL_BYTES < waits <= MOST_UNSENT_CONTROL_BYTES + 1_003
            assert not peer.send_media(PACKET, line.address)
        assert listener.dropped == peer.dropped


async def test_a_peer_that_reads_again_is_sent_what_waited_and_what_is_new() -> None:
    async with IceTcp("127.0.0.1") as listener:
        peer = listener.register(UFRAG, PASSWORD, Taken())
        async with bound(listener) as line:
            line.stops_reading()
            sent = 0
            while peer.send_media(PACKET, line.address):
                sent += 1
            line.reads_again()
            assert await line.reads(sent * len(framed(PACKET))) == sent * framed(PACKET)
            assert peer.send_media(b"\x80new", line.address)
            assert await line.reads(6) == framed(b"\x80new")


async def test_a_handshake_passes_where_media_has_to_wait() -> None:
    async with IceTcp("127.0.0.1") as listener:
        peer = listener.register(UFRAG, PASSWORD, Taken())
        async with bound(listener) as line:
            line.stops_reading()
            sent = 0
            while peer.send_media(PACKET, line.address):
                sent += 1
            flight = b"\x16" + bytes(1_400)
            for _ in range(3):
                peer.sendto(flight, line.address)
            line.reads_again()
            await line.reads(sent * len(framed(PACKET)))
            assert await line.reads(3 * len(framed(flight))) == 3 * framed(flight)


async def test_goodbye_reaches_a_peer_that_is_slow_to_read() -> None:
    async with IceTcp("127.0.0.1") as listener:
        peer = listener.register(UFRAG, PASSWORD, Taken())
        async with bound(listener) as line:
            line.stops_reading()
            while peer.send_media(PACKET, line.address):
                pass
            peer.sendto(b"\x15goodbye", line.address)
            peer.close()
            peer.abort()  # as whoever tidies up does
            line.reads_again()
            assert (await line.until_closed()).endswith(framed(b"\x15goodbye"))


async def test_who_does_not_read_the_goodbye_is_closed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ultraandchat.transport.ice_tcp.passive.CLOSE_S", 0.1)
    async with IceTcp("127.0.0.1") as listener:
        peer = listener.register(UFRAG, PASSWORD, Taken())
        async with bound(listener) as line:
            line.stops_reading()
            while peer.send_media(PACKET, line.address):
                pass
            peer.close()
            assert listener.bound == 1
            await eventually(lambda: listener.bound == 0)


async def test_a_packet_is_one_write() -> None:
    """Two would be two segments, and twice the work for everybody on the way."""
    written: list[bytes] = []

    class Watched(asyncio.Transport):
        def get_write_buffer_size(self) -> int:
            return 0

        def get_extra_info(self, name: str, default: object = None) -> object:
            return ("192.0.2.1", 4_000) if name == "peername" else line

        def write(self, data: object) -> None:
            assert isinstance(data, bytes)
            written.append(data)

        def abort(self) -> None:
            pass

    async with IceTcp("127.0.0.1") as listener:
        with socket.socket() as line:
            connection = TcpConnection(listener)
            connection.connection_made(Watched())
            assert connection.send(PACKET, media=True)
            assert connection.send(bytes(LARGEST_PACKET), media=False)
            connection.abort()
            assert not connection.send(PACKET, media=True)
    assert written == [framed(PACKET), framed(bytes(LARGEST_PACKET))]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux")
async def test_the_kernel_keeps_little_and_gives_a_silent_peer_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[socket.socket] = []
    tune = connections._tune
    monkeypatch.setattr(connections, "_tune", lambda line: (tune(line), seen.append(line)))
    async with IceTcp("127.0.0.1") as listener:
        listener.register(UFRAG, PASSWORD, Taken())
        async with bound(listener):
            (line,) = seen
            told = {
                name: line.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                for name in ("TCP_NODELAY", "TCP_NOTSENT_LOWAT", "TCP_USER_TIMEOUT", "TCP_KEEPIDLE")
            }
            assert told == {
                "TCP_NODELAY": 1,
                "TCP_NOTSENT_LOWAT": NOTSENT_BYTES,
                "TCP_USER_TIMEOUT": 20_000,
                "TCP_KEEPIDLE": 10,
            }
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            with suppress(OSError):  # Linux 6.15
                assert line.getsockopt(socket.IPPROTO_TCP, TCP_RTO_MAX_MS) == RETRY_MS


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="Linux")
async def test_what_the_peers_kernel_took_is_known_although_nothing_is_said() -> None:
    async with IceTcp("127.0.0.1") as listener:
        peer = listener.register(UFRAG, PASSWORD, Taken())
        async with bound(listener) as line:
            await asyncio.sleep(0.3)
            assert not peer.was_answered(line.address, 0.2)
            assert peer.was_answered(line.address, 20.0)

            def answered() -> bool:
                peer.send_media(PACKET, line.address)
                return peer.was_answered(line.address, 0.2)

            await eventually(answered)
        await eventually(lambda: listener.bound == 0)
        assert not peer.was_answered(line.address, 20.0)
