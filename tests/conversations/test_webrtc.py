"""Conversations over WebRTC on the real server, in real time: spoken turns, moving, trouble, bad packets."""

import asyncio
import gc
import random
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.opus_senders import tone
from tests.support.rtc_caller import FRAME, RtcCaller, rtc_caller, rtc_phone
from tests.support.serving import PATIENCE_S, eventually, phone, scripted, serving
from ultraandchat.audio.frame import PLAYOUT_RATE
from ultraandchat.engines.base import Engines
from ultraandchat.engines.scripted import ScriptedLanguage, ScriptedSpeech
from ultraandchat.engines.settings import EnginesConfig, ScriptedSettings
from ultraandchat.transport.rtp.sender import SILENT_PACKET
from ultraandchat.transport.wire import PathLost, ReplyDone, Say, UsePath

QUICK = "turn.endpoint_ms=200"
REPLY_S = 0.4
FILES = Path("/proc/self/fd")


@asynccontextmanager
async def talkative(config: EnginesConfig) -> AsyncGenerator[Engines, None]:
    """Replies of twenty seconds."""
    settings = ScriptedSettings(first_clause_ms=0, first_sound_ms=0, clauses=1, clause_s=20.0)
    yield replace(scripted(), language=ScriptedLanguage(settings), speech=ScriptedSpeech(settings))


async def asks(caller: RtcCaller, text: str = "hello") -> ReplyDone:
    """One typed turn, to the end of its reply."""
    await caller.phone.tells(Say(text))
    done = await caller.phone.until(ReplyDone)
    assert isinstance(done, ReplyDone)
    return done


# --- talking ---------------------------------------------------------------------------------------


async def test_a_spoken_turn_is_answered_aloud_in_one_unbroken_stream() -> None:
    async with serving(QUICK) as server, rtc_phone(server.url) as caller:
        await caller.speaks(0.5)
        done = await caller.phone.until(ReplyDone)
        assert isinstance(done, ReplyDone)
        assert done.heard
        assert not done.cut
        await caller.until_silent()
        packets = [one.packet for one in caller.arrived]
        assert {(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(packets)} == {1}
        steps = [(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(packets)]
        assert all(step and step % FRAME == 0 for step in steps)
        assert caller.audible_s == pytest.approx(REPLY_S, abs=0.05)
        (begins,) = (n for n, packet in enumerate(packets) if packet.marker)
        assert (
            begins <= next(n for n, one in enumerate(caller.arrived) if one.audible) <= begins + 1
        )
        assert {packet.payload for packet in packets[:begins]} == {SILENT_PACKET}
        assert not caller.phone.frames
        assert caller.packets.refused == 0


async def test_talking_over_the_reply_silences_it() -> None:
    async with (
        serving(QUICK, open_engines=talkative) as server,
        rtc_phone(server.url) as caller,
    ):
        await caller.phone.tells(Say("tell me something"))
        await caller.until_audible()
        async with asyncio.TaskGroup() as group:
            group.create_task(caller.speaks(1.0))
            await caller.until_silent()
        assert caller.audible_s < 3.0  # of twenty; a quarter of a second is what it takes


async def test_a_server_that_was_held_up_sends_no_burst() -> None:
    async with (
        serving(QUICK, open_engines=talkative) as server,
        rtc_phone(server.url) as caller,
    ):
        await caller.phone.tells(Say("tell me something"))
        await caller.until_audible()
        time.sleep(0.5)  # the whole loop stands still
        held = len(caller.arrived)
        await eventually(lambda: len(caller.arrived) > held + 15)
        # Told by what became of the time that was missed, not by when packets came: whoever holds this
        # process up between two of them makes a burst of its own.
        stamps = [one.packet.timestamp for one in caller.arrived[held - 1 :]]
        left_out = (stamps[-1] - stamps[0]) // FRAME - (len(stamps) - 1)
        made_good = 0.5 * PLAYOUT_RATE // FRAME - left_out
        assert made_good <= 5  # two of patience, one frame, and the tick behind


async def test_one_conversation_moves_there_and_back_and_there_again() -> None:
    async with serving(QUICK) as server, phone(server.url) as line:
        await line.begins()
        async with rtc_caller(line) as first:
            await first.moves()
            assert not (await asks(first)).cut
            await first.until_silent()
            assert first.audible_s == pytest.approx(REPLY_S, abs=0.05)
            await line.tells(UsePath("websocket"))
            assert (await asks(first)).heard
            assert len(line.sound) == pytest.approx(REPLY_S * line.rate, rel=0.1)
        async with rtc_caller(line) as second:
            await second.moves()
            await second.speaks(0.5)
            await line.until(ReplyDone)
            await second.until_audible()
        assert len(line.sound) == pytest.approx(REPLY_S * line.rate, rel=0.1)


async def test_two_callers_do_not_hear_each_other() -> None:
    async with (
        serving(QUICK) as server,
        rtc_phone(server.url) as one,
        rtc_phone(server.url) as other,
    ):
        await one.speaks(0.5)
        await one.until_audible()
        await one.phone.until(ReplyDone)
        assert other.audible_s == 0
        await asks(other)
        await other.until_silent()
        assert other.audible_s == pytest.approx(REPLY_S, abs=0.05)
        assert one.audible_s == pytest.approx(REPLY_S, abs=0.05)


# --- trouble ---------------------------------------------------------------------------------------


async def test_a_lost_path_is_told_and_the_conversation_goes_on() -> None:
    async with serving(QUICK) as server, rtc_phone(server.url) as caller:
        assert not (await asks(caller, "one")).cut
        await caller.connection.close()
        assert isinstance(await caller.phone.until(PathLost), PathLost)
        assert not (await asks(caller, "two")).cut
        assert len(caller.phone.sound) == pytest.approx(REPLY_S * 24_000, rel=0.1)


async def test_a_server_that_stops_hangs_up() -> None:
    async with serving(QUICK) as server, rtc_phone(server.url) as caller:
        server.stop()
        assert await caller.phone.until_closed() == 1001
        await caller.until_state("closed")


async def test_twenty_callers_leave_nothing_behind() -> None:
    async with serving(QUICK, "session.resume_s=0") as server:

        async def call() -> None:
            async with rtc_phone(server.url):
                pass

        await call()
        await eventually(lambda: not busy("session"))
        gc.collect()
        tasks, threads = len(asyncio.all_tasks()), made_by_us()
        files = len(list(FILES.iterdir()))
        for _ in range(5):
            async with asyncio.TaskGroup() as group:
                for _ in range(4):
                    group.create_task(call())
        await eventually(lambda: not busy("session"))
        await eventually(lambda: len(asyncio.all_tasks()) <= tasks)
        gc.collect()
        await eventually(lambda: len(list(FILES.iterdir())) <= files)
        assert made_by_us() <= threads


def made_by_us() -> set[str]:
    """Threads but those of asyncio's pool, in which the callers here look "localhost" up."""
    names = {thread.name for thread in threading.enumerate()}
    return {name for name in names if not name.startswith("asyncio")}


def busy(name: str) -> bool:
    return any(task.get_name().startswith(name) for task in asyncio.all_tasks())


# --- bad packets -----------------------------------------------------------------------------------

Mischief = Callable[[RtcCaller, random.Random], None]


def wrong_payload_type(caller: RtcCaller, chance: random.Random) -> None:
    caller.says(tone(300, 0.02), payload_type=chance.randrange(128))


def jumping_numbers(caller: RtcCaller, chance: random.Random) -> None:
    """Forwards: what goes far back in sequence is replayed for SRTP, and refused there."""
    caller.sequence = (caller.sequence + chance.randrange(20_000)) & 0xFFFF
    caller.timestamp = chance.randrange(2**32)
    caller.says(tone(300, 0.02))


def jumping_timestamps(caller: RtcCaller, chance: random.Random) -> None:
    caller.says(None, timestamp=chance.randrange(2**32))


def other_streams(caller: RtcCaller, chance: random.Random) -> None:
    caller.says(tone(300, 0.02), ssrc=chance.randrange(2**32))


def no_opus(caller: RtcCaller, chance: random.Random) -> None:
    caller.says(None, payload=chance.randbytes(chance.randrange(1_000)))


def twenty_times_too_much(caller: RtcCaller, chance: random.Random) -> None:
    for _ in range(20):
        caller.says(None)


def junk_for_reports(caller: RtcCaller, chance: random.Random) -> None:
    kind, words = chance.choice([200, 201, 202, 203, 205, 206]), chance.randrange(1, 40)
    head = bytes([0x80 | chance.randrange(32), kind]) + words.to_bytes(2)
    caller.packets.send_rtcp(head + chance.randbytes(4 * chance.randrange(1, 40)))


def forgeries(caller: RtcCaller, chance: random.Random) -> None:
    caller.throws(b"\x80\x60" + chance.randbytes(80), b"\x80\xc8" + chance.randbytes(60))


def the_same_again(caller: RtcCaller, chance: random.Random) -> None:
    caller.throws(*[caller.sealed(caller.next_packet())] * 5)


def what_strangers_send(caller: RtcCaller, chance: random.Random) -> None:
    sizes = [0, 1, 7, 40, 1_499, 2_048, 9_000, 60_000]
    caller.throws(*(chance.randbytes(size) for size in sizes))
    caller.throws(*(bytes([first]) + chance.randbytes(60) for first in (0, 1, 20, 64, 128, 255)))


MISCHIEF: list[Mischief] = [
    wrong_payload_type,
    jumping_numbers,
    jumping_timestamps,
    other_streams,
    no_opus,
    twenty_times_too_much,
    junk_for_reports,
    forgeries,
    the_same_again,
    what_strangers_send,
]


async def test_bad_packets_harm_neither_their_sender_nor_anybody_else() -> None:
    raised: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, told: raised.append(told))
    async with serving(QUICK) as server, rtc_phone(server.url) as well, AsyncExitStack() as stack:
        unwell = [(do, await stack.enter_async_context(rtc_phone(server.url))) for do in MISCHIEF]
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(asks(well))
            for do, caller in unwell:
                group.create_task(goes_on(do, caller))
        assert not asking.result().cut
        await well.until_silent()
        assert well.audible_s == pytest.approx(REPLY_S, abs=0.05)
        async with asyncio.TaskGroup() as group:
            for do, caller in unwell:
                group.create_task(is_heard(do, caller))
    assert not raised


async def goes_on(do: Mischief, caller: RtcCaller) -> None:
    chance = random.Random(5)
    for _ in range(30):
        do(caller, chance)
        await asyncio.sleep(0.02)


async def is_heard(after: Mischief, caller: RtcCaller) -> None:
    """Answered aloud. Random bytes may be sound in Opus, and that sound may be speech, which cuts an
    answer off: whoever made it asks again once it is over."""
    before = len(caller.arrived)
    async with asyncio.timeout(PATIENCE_S):
        while not (done := await asks(caller)).heard:
            assert done.cut, after.__name__
    await caller.until_audible(before)
    assert caller.connection.connectionState == "connected", after.__name__


async def test_the_rate_of_what_is_heard_is_opus_own() -> None:
    async with serving(QUICK) as server, rtc_phone(server.url) as caller:
        await asks(caller)
        await caller.until_audible()
        assert {len(one.samples) for one in caller.arrived} == {PLAYOUT_RATE // 50}
