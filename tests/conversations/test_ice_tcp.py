"""Conversations over WebRTC and TCP on the real server: spoken turns, lost connections, strangers."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from itertools import pairwise
from urllib.request import urlopen

import pytest
from aiortc.sdp import SessionDescription

from tests.conversations.test_webrtc import QUICK, REPLY_S, asks, talkative
from tests.support.ice_tcp_caller import IceTcpCaller, ice_tcp_phone
from tests.support.rtc_caller import FRAME, RtcCaller, rtc_phone
from tests.support.serving import serving
from ultraandchat.server.app import Server
from ultraandchat.server.http_port import allow_many_files
from ultraandchat.transport.ice_tcp.listener import MOST_PENDING
from ultraandchat.transport.wire import PathLost, ReplyDone, Say

TCP_ONLY = "webrtc.udp=off"


@asynccontextmanager
async def calling(*settings: str) -> AsyncGenerator[IceTcpCaller, None]:
    """A caller over TCP on a server whose replies last twenty seconds, and who is hearing one."""
    async with (
        serving(QUICK, TCP_ONLY, *settings, open_engines=talkative) as server,
        ice_tcp_phone(server.url) as caller,
    ):
        await caller.phone.tells(Say("tell me something"))
        await caller.until_audible()
        yield caller


async def metrics(server: Server) -> dict[str, float]:
    def read() -> str:
        with urlopen(f"{server.url}/metrics") as answer:
            return str(answer.read().decode())

    lines = (await asyncio.to_thread(read)).splitlines()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    }


def unbroken(caller: RtcCaller, since: int = 0) -> bool:
    """No packet of the server's is missing."""
    packets = [one.packet for one in caller.arrived[since:]]
    return {(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(packets)} == {1}


# --- talking ---------------------------------------------------------------------------------------


async def test_a_spoken_turn_is_answered_aloud_in_one_unbroken_stream() -> None:
    async with serving(QUICK, TCP_ONLY) as server, ice_tcp_phone(server.url) as caller:
        assert caller.packets.route == "tcp"
        await caller.speaks(0.5)
        done = await caller.phone.until(ReplyDone)
        assert isinstance(done, ReplyDone)
        assert done.heard
        assert not done.cut
        await caller.until_silent()
        assert unbroken(caller)
        stamps = [one.packet.timestamp for one in caller.arrived]
        steps = [(b - a) % 2**32 for a, b in pairwise(stamps)]
        assert all(step and step % FRAME == 0 for step in steps)
        assert caller.audible_s == pytest.approx(REPLY_S, abs=0.05)
        assert not caller.phone.frames
        assert caller.packets.refused == 0
        told = await metrics(server)
        assert told['ultraandchat_conversations_opened_total{transport="webrtc/tcp"}'] == 1
        assert told["ultraandchat_ice_tcp_bound"] == 1
        assert told["ultraandchat_ice_tcp_media_dropped_total"] == 0


async def test_callers_over_tcp_and_udp_do_not_hear_each_other() -> None:
    async with (
        serving(QUICK) as server,
        ice_tcp_phone(server.url) as one,
        ice_tcp_phone(server.url) as two,
        rtc_phone(server.url) as three,
    ):
        assert [c.packets.route for c in (one, two, three)] == ["tcp", "tcp", "udp"]
        await one.speaks(0.5)
        await one.until_audible()
        await one.phone.until(ReplyDone)
        assert two.audible_s == three.audible_s == 0
        await asks(two)
        await two.until_silent()
        assert two.audible_s == pytest.approx(REPLY_S, abs=0.05)
        assert three.audible_s == 0


# --- trouble ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("same_port", [True, False])
async def test_a_connection_that_is_reset_in_the_middle_of_a_reply_is_dialled_again(
    same_port: bool,
) -> None:
    async with calling() as caller:
        caller.is_reset(same_port=same_port)
        lost = len(caller.arrived)
        if not same_port:
            await asyncio.sleep(0.1)  # media is sent from there meanwhile, and refused
            await caller.comes_again()
        again = await caller.until_audible(lost)
        assert again.at - caller.arrived[lost - 1].at < 3.0
        assert not [one for one in caller.phone.messages if isinstance(one, PathLost)]
        assert caller.connection.connectionState == "connected"
        async with asyncio.TaskGroup() as group:  # and it is heard
            group.create_task(caller.speaks(1.0))
            await caller.until_silent()


async def test_a_stall_of_three_seconds_and_a_half_is_survived_and_what_was_said_in_it_is_heard() -> (
    None
):
    async with serving(QUICK, TCP_ONLY) as server, ice_tcp_phone(server.url) as caller:
        caller.dialled.stalls()
        await caller.speaks(0.5)
        await asyncio.sleep(3.0)
        before = len(caller.arrived)
        caller.dialled.goes_on()
        done = await caller.phone.until(ReplyDone)
        assert isinstance(done, ReplyDone)
        assert done.heard
        await caller.until_audible(before)
        assert not [one for one in caller.phone.messages if isinstance(one, PathLost)]
        assert caller.packets.route == "tcp"


async def test_who_stops_reading_costs_nobody_else_a_packet() -> None:
    async with (
        serving(QUICK) as server,
        ice_tcp_phone(server.url) as well,
        rtc_phone(server.url) as too,
        ice_tcp_phone(server.url) as unwell,
    ):
        unwell.dialled.stops_reading()
        for _ in range(3):
            await asks(well)
            await asks(too)
        for caller in (well, too):
            await caller.until_silent()
            assert unbroken(caller)
            assert caller.audible_s == pytest.approx(3 * REPLY_S, abs=0.1)


# --- strangers -------------------------------------------------------------------------------------


async def test_two_thousand_silent_connections_cost_nobody_a_packet() -> None:
    allow_many_files()
    async with (
        serving(QUICK) as server,
        ice_tcp_phone(server.url) as one,
        rtc_phone(server.url) as other,
    ):
        door = next(
            (candidate.ip, candidate.port)
            for candidate in SessionDescription.parse(one.answer).media[0].ice_candidates
            if candidate.protocol == "tcp"
        )
        with ExitStack() as stack:
            since = [len(caller.arrived) for caller in (one, other)]
            for _ in range(2_000):
                line = stack.enter_context(socket.socket())
                line.setblocking(False)
                await asyncio.get_running_loop().sock_connect(line, door)
            await asks(one)
            await asks(other)
            async with ice_tcp_phone(server.url) as newcomer:
                await asks(newcomer)
            told = await metrics(server)
        assert told["ultraandchat_ice_tcp_pending"] <= MOST_PENDING
        refused = (  # silent: where it takes us as long to dial as they may say nothing
            told.get(f'ultraandchat_ice_tcp_refused_total{{reason="{reason}"}}', 0.0)
            for reason in ("crowded out", "silent")
        )
        assert sum(refused) >= 1_900
        for caller, before in zip((one, other), since, strict=True):
            await caller.until_silent()
            assert unbroken(caller, before)
            assert caller.audible_s == pytest.approx(REPLY_S, abs=0.05)
        assert told["ultraandchat_ice_tcp_media_dropped_total"] == 0
