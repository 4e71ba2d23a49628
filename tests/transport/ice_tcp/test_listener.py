"""One port for all: who is let in, and what strangers cost."""

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aioice import stun

from tests.support.serving import eventually
from tests.transport.ice_tcp.strangers import (
    PASSWORD,
    UFRAG,
    Taken,
    bound,
    dialled,
    request,
)
from ultraandchat.server.http_port import allow_many_files
from ultraandchat.transport.ice_tcp.connection import LARGEST_FIRST, LARGEST_PACKET
from ultraandchat.transport.ice_tcp.framing import framed
from ultraandchat.transport.ice_tcp.listener import MOST_PENDING, IceTcp
from ultraandchat.transport.ice_tcp.passive import MOST_CONNECTIONS, PassiveTransport

HOST = "127.0.0.1"


@asynccontextmanager
async def listening(
    host: str = HOST, first_packet_s: float = 8.0
) -> AsyncIterator[tuple[IceTcp, Taken, PassiveTransport]]:
    """A listener, one peer, and what comes for it."""
    taken = Taken()
    async with IceTcp(host, first_packet_s=first_packet_s) as listener:
        yield listener, taken, listener.register(UFRAG, PASSWORD, taken)


# --- strangers -------------------------------------------------------------------------------------

STRANGE = {
    "an HTTP request": (b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", "too long"),
    "a TLS hello": (bytes.fromhex("16030100c8010000c40303") + bytes(189), "too long"),
    "noise": (random.Random(1).randbytes(200), "too long"),
    "a frame of noise": (framed(random.Random(2).randbytes(100)), "no check"),
    "a frame beyond the limit": (framed(bytes(LARGEST_FIRST + 1)), "too long"),
    "a check of another peer": (framed(request("another")), "unknown"),
    "a check with a wrong password": (framed(request(password="guessed")), "unsigned"),
    "a check without a signature": (framed(request(password=None)), "unsigned"),
    "a check without a name": (framed(request(named=False)), "no check"),
    "an answer that nobody asked for": (framed(request(kind=stun.Class.RESPONSE)), "no check"),
    "a check that is cut short": (framed(request()[:-7]), "no check"),
    "media": (framed(b"\x80\x60" + bytes(80)), "no check"),
    "a DTLS hello": (framed(b"\x16\xfe\xff" + bytes(80)), "no check"),
    "STUN whose lengths do not fit": (
        framed(bytes.fromhex("000100082112a442") + bytes(12) + bytes.fromhex("0024000200000000")),
        "no check",
    ),
}


@pytest.mark.parametrize("name", STRANGE)
async def test_a_stranger_is_closed_at_once_and_without_a_word(name: str) -> None:
    data, reason = STRANGE[name]
    clock = asyncio.get_running_loop().time
    async with listening() as (listener, taken, _):
        took = []
        for _ in range(5):
            async with dialled(listener.announced) as line:
                began = clock()
                line.sends(data)
                assert await line.until_closed() == b""
                took.append(clock() - began)
        assert min(took) < 0.010  # the others: what a busy machine adds
        assert listener.counts[f"refused: {reason}"] == 5
        assert not taken.packets
        assert listener.pending == 0


async def test_who_says_nothing_is_closed_when_its_time_is_over() -> None:
    clock = asyncio.get_running_loop().time
    async with listening(first_packet_s=0.2) as (listener, _, _):
        began = clock()
        async with dialled(listener.announced) as line:
            assert await line.until_closed() == b""
            assert clock() - began > 0.15
        assert listener.counts["refused: silent"] == 1


async def test_a_byte_now_and_then_puts_nothing_off() -> None:
    clock = asyncio.get_running_loop().time
    async with listening(first_packet_s=0.3) as (listener, _, _):
        began, sent = clock(), 0
        async with dialled(listener.announced) as line:
            closed = asyncio.get_running_loop().create_task(line.until_closed())
            for byte in framed(request()):
                if closed.done():
                    break
                line.sends(bytes([byte]))
                sent += 1
                await asyncio.sleep(0.02)  # all 94 would take 2 s
            await closed
            assert clock() - began > 0.25
            assert sent < 30  # 15, and what is on its way; no seconds, which a busy machine adds
        assert listener.counts["refused: silent"] == 1


async def test_a_check_that_comes_in_pieces_is_a_check() -> None:
    check = request()
    data = framed(check)
    async with listening() as (listener, taken, _), dialled(listener.announced) as line:
        for piece in (data[:1], data[1:40], data[40:]):
            line.sends(piece)
            await asyncio.sleep(0.02)
        await eventually(lambda: taken.packets == [(check, line.address)])


async def test_two_thousand_silent_connections_cost_little_and_keep_nobody_out() -> None:
    allow_many_files()
    # A busy machine may need longer to dial so often than strangers are given.
    async with listening(first_packet_s=600) as (listener, taken, _), AsyncExitStack() as stack:
        files, before = open_files(), resident()
        for _ in range(2_000):
            line = stack.enter_context(socket.socket())
            line.setblocking(False)
            await asyncio.get_running_loop().sock_connect(line, listener.announced)
        await eventually(lambda: listener.counts["accepted"] == 2_000)
        assert listener.pending == MOST_PENDING
        assert listener.counts["refused: crowded out"] == 2_000 - MOST_PENDING
        await eventually(lambda: open_files() <= files + 2_000 + MOST_PENDING)
        assert resident() - before < 10_000_000  # both ends are in this process
        async with bound(listener):
            assert len(taken.packets) == 1


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


# --- peers -----------------------------------------------------------------------------------------


async def test_a_peer_is_known_by_its_name_and_password() -> None:
    other = Taken()
    async with listening() as (listener, taken, peer):
        listener.register("other", "another password", other)
        async with bound(listener) as line:
            peer.sendto(b"\x00answer", line.address)
            assert await line.reads(9) == framed(b"\x00answer")
            line.sends(framed(b"\x80media"), framed(b""), framed(bytes(LARGEST_PACKET)))
            await eventually(lambda: len(taken.packets) == 3)
            assert taken.packets[1:] == [
                (b"\x80media", line.address),
                (bytes(LARGEST_PACKET), line.address),
            ]
            assert not other.packets
        await eventually(lambda: listener.bound == 0)
        assert listener.counts["bound"] == 1


async def test_after_the_first_packet_a_length_beyond_the_limit_closes_too() -> None:
    async with listening() as (listener, _, _), bound(listener) as line:
        line.sends(framed(bytes(LARGEST_PACKET + 1)))
        await line.until_closed()
        await eventually(lambda: listener.bound == 0)


async def test_a_name_that_is_taken_is_refused() -> None:
    async with listening() as (listener, _, _):
        with pytest.raises(ValueError, match="taken"):
            listener.register(UFRAG, "x", Taken())


async def test_a_peer_that_is_gone_is_unknown_and_its_connections_are_closed() -> None:
    async with listening() as (listener, taken, peer), bound(listener) as line:
        peer.close()
        assert await line.until_closed() == b""
        await eventually(lambda: taken.lost == 1)
        async with dialled(listener.announced) as again:
            again.sends(framed(request()))
            await again.until_closed()
        assert listener.counts["refused: unknown"] == 1
        listener.register(UFRAG, PASSWORD, Taken())  # the name is free again


async def test_one_connection_too_many_takes_the_place_of_the_one_silent_for_longest() -> None:
    async with listening() as (listener, taken, peer), AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(bound(listener)) for _ in range(MOST_CONNECTIONS)]
        lines[0].sends(framed(b"\x80still here"))
        await eventually(lambda: len(taken.packets) == MOST_CONNECTIONS + 1)
        one_more = await stack.enter_async_context(dialled(listener.announced))
        one_more.sends(framed(request()))
        await lines[1].until_closed()
        assert len(peer.addresses) == MOST_CONNECTIONS
        said = framed(b"\x01to the first")
        peer.sendto(said[2:], lines[0].address)
        assert await lines[0].reads(len(said)) == said


# --- who comes again -------------------------------------------------------------------------------


async def test_who_dials_again_from_the_same_port_may_begin_with_media() -> None:
    """As Firefox does when its connection was reset."""
    async with listening() as (listener, taken, _):
        async with bound(listener) as line:
            source = line.address
            line.resets()
            await eventually(lambda: listener.bound == 0)
        async with dialled(listener.announced, source) as again:
            again.sends(framed(b"\x80media"))
            await eventually(lambda: taken.packets[1:] == [(b"\x80media", source)])
        assert listener.counts["redialled"] == 1


async def test_who_dials_again_from_another_port_shows_whose_it_is_first() -> None:
    async with listening() as (listener, taken, _):
        async with bound(listener) as line:
            line.resets()
            await eventually(lambda: listener.bound == 0)
        async with dialled(listener.announced) as media:
            media.sends(framed(b"\x80media"))
            await media.until_closed()
        async with bound(listener):
            assert len(taken.packets) == 2
        assert listener.counts["redialled"] == 0


@pytest.mark.parametrize("then", ["after a while", "after the end"])
async def test_an_address_is_not_remembered_for_ever(
    then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening() as (listener, taken, peer):
        if then == "after a while":
            monkeypatch.setattr("ultraandchat.transport.ice_tcp.listener.REMEMBERED_S", 0.0)
        async with bound(listener) as line:
            source = line.address
            line.resets()
            await eventually(lambda: listener.bound == 0)
        if then == "after the end":
            peer.close()
        async with dialled(listener.announced, source) as again:
            again.sends(framed(b"\x80media"))
            assert await again.until_closed() == b""
        assert listener.counts["redialled"] == 0
        assert len(taken.packets) == 1


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ultraandchat.transport.ice_tcp.listener.MOST_REMEMBERED", 3)
    async with listening() as (listener, _, _):
        sources = []
        for _ in range(5):
            async with bound(listener) as line:
                sources.append(line.address)
                line.resets()
                await eventually(lambda: listener.bound == 0)
        for source in sources:
            async with dialled(listener.announced, source):
                pass
        await eventually(lambda: listener.counts["accepted"] == 2 * len(sources))
        assert listener.counts["redialled"] == 3


# --- where it listens ------------------------------------------------------------------------------

FOUND = ["192.0.2.1", "2001:db8::1"]


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("localhost", ["127.0.0.1"]),
        ("::1", ["::1"]),
        ("0.0.0.0", ["192.0.2.1", "127.0.0.1", "2001:db8::1"]),
        ("::", ["192.0.2.1", "127.0.0.1", "2001:db8::1"]),
        ("", ["192.0.2.1", "127.0.0.1", "2001:db8::1"]),
    ],
)
async def test_callers_are_told_where_it_listens(host: str, reached: list[str]) -> None:
    async with IceTcp(host) as listener:
        told = listener.reached_at(FOUND)
        assert [address for address, _ in told] == reached
        for address, port in told:
            if address not in FOUND:
                async with dialled((address, port)):
                    pass


async def test_one_port_is_taken_with_ipv4_and_ipv6() -> None:
    """Where it is free with both, which it is nearly always."""
    together = 0
    for _ in range(5):
        async with IceTcp("0.0.0.0") as listener:
            together += len({port for _, port in listener.reached_at(FOUND)}) == 1
    assert together > 0


async def test_a_port_that_is_taken_with_ipv6_only_is_no_trouble_unless_it_was_asked_for() -> None:
    async with IceTcp("0.0.0.0") as listener, IceTcp("::1") as other:
        port = other.announced[1]
        assert listener.announced[1] != port
        with pytest.raises(OSError, match="in use"):
            async with IceTcp("0.0.0.0", port):
                pass


async def test_callers_are_told_what_is_announced_and_nothing_else() -> None:
    async with IceTcp("0.0.0.0", announce=("203.0.113.7", 13_007)) as listener:
        assert listener.reached_at(FOUND) == [("203.0.113.7", 13_007)]
        assert listener.announced == ("203.0.113.7", 13_007)


async def test_a_peer_comes_over_ipv6_too() -> None:
    async with listening("::1") as (listener, taken, peer), bound(listener) as line:
        assert line.address[0] == "::1"
        peer.sendto(b"\x01answer", line.address)
        assert await line.reads(9) == framed(b"\x01answer")
        assert len(taken.packets) == 1


async def test_a_port_in_use_is_told() -> None:
    async with listening() as (listener, _, _):
        with pytest.raises(OSError, match="in use"):
            async with IceTcp(HOST, listener.announced[1]):
                pass


async def test_closing_the_listener_closes_what_is_open_there() -> None:
    files, tasks = open_files(), len(asyncio.all_tasks())
    async with AsyncExitStack() as stack:
        async with listening() as (listener, taken, _):
            lines = [
                await stack.enter_async_context(bound(listener)),
                await stack.enter_async_context(dialled(listener.announced)),
            ]
            await eventually(lambda: listener.pending == 1)
        for line in lines:
            assert await line.until_closed() == b""
        assert taken.lost == 1
        with pytest.raises(ConnectionRefusedError):
            async with dialled(listener.announced):
                pass
    await eventually(lambda: open_files() <= files)
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks)
