"""One connection whose sound may move to WebRTC: moving, refusing, and an end of each kind."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.opus_phone import OpusPhone
from tests.support.rtc_caller import OPUS, RtcCaller, rtc_caller
from tests.support.serving import Phone, eventually, phone, phone_of
from tests.transport.contract import play, take, tone
from tests.transport.rtp.test_sdp import recorded, without
from ultraandchat.audio.frame import HEARING_RATE, PLAYOUT_RATE, AudioFrame
from ultraandchat.transport.base import CloseReason, PathChanged, ProtocolError, Received
from ultraandchat.transport.limits import Limits
from ultraandchat.transport.reach import Reach
from ultraandchat.transport.rtp import path
from ultraandchat.transport.voice import Coding
from ultraandchat.transport.webrtc import WebRtcTransport
from ultraandchat.transport.webrtc_config import WebRtcConfig
from ultraandchat.transport.websocket import WebSocketTransport
from ultraandchat.transport.wire import (
    MAX_TEXT_BYTES,
    Answer,
    CandidateInit,
    Error,
    IceCandidate,
    Interrupt,
    Offer,
    PathLost,
    PathReport,
    Ping,
    Pong,
    ServerMessage,
    UsePath,
)

Accepted = asyncio.Queue[WebRtcTransport]
SHORT = WebRtcConfig(connect_timeout_s=1.0, fallback_s=0.1)
NOWHERE = recorded("chromium_voice")
"""An offer of somebody who is gone."""


@asynccontextmanager
async def accepting(config: WebRtcConfig | None = None) -> AsyncIterator[tuple[str, Accepted]]:
    """A server that turns every connection into a transport; the test is its session."""
    accepted: Accepted = asyncio.Queue(16)
    over = asyncio.Event()

    async def connect(request: web.Request) -> web.WebSocketResponse:
        coding = Coding(OPUS, bitrate=32_000, complexity=2)
        control = await WebSocketTransport.accept(
            request, Limits(), heartbeat_s=15.0, coding=coding
        )
        transport = WebRtcTransport(
            control, config or WebRtcConfig(), OPUS, host="127.0.0.1", reach=Reach(), session="test"
        )
        await accepted.put(transport)
        async with asyncio.TaskGroup() as group:
            carrying = group.create_task(transport.run())
            await over.wait()
            await transport.aclose(CloseReason.SERVER_STOPPING)
            carrying.cancel()
        return control.peer

    app = web.Application()
    app.router.add_get("/ws", connect)
    async with TestServer(app) as server:
        try:
            yield str(server.make_url("/")).rstrip("/"), accepted
        finally:
            over.set()


@asynccontextmanager
async def calling(
    config: WebRtcConfig | None = None,
) -> AsyncIterator[tuple[WebRtcTransport, Phone, RtcCaller]]:
    """A transport, a phone on it, and a WebRTC caller that has not offered yet."""
    async with (
        accepting(config) as (url, accepted),
        phone(url) as line,
        rtc_caller(line) as caller,
    ):
        transport = await accepted.get()
        transport.silence(0)  # as a conversation does from its beginning on
        caller.muted = True
        caller.ready = lambda: transport.quality() is not None
        yield transport, line, caller


async def drain(transport: WebRtcTransport, into: list[Received]) -> ProtocolError | None:
    """Take everything until the connection ends; the error it ended with."""
    try:
        async for item in transport.received():
            into.append(item)  # noqa: PERF401 - what came before an error is wanted too
    except ProtocolError as error:
        return error
    return None


async def errors(line: Phone) -> str:
    """The next error's code."""
    error = await line.until(Error)
    assert isinstance(error, Error)
    return error.code


# --- moving ----------------------------------------------------------------------------------------


async def test_sound_moves_when_the_caller_says_so() -> None:
    async with calling() as (transport, line, caller):
        assert (transport.name, transport.flushes) == ("websocket", True)
        await caller.connects()
        assert transport.name == "websocket"
        await line.tells(UsePath("webrtc"))
        assert await take(transport, 1) == [PathChanged()]
        assert (transport.name, transport.flushes, transport.lead_s) == ("webrtc/udp", False, 0.0)
        assert 0 < transport.patience_s < 0.1
        await line.tells(UsePath("websocket"))
        assert await take(transport, 1) == [PathChanged()]
        assert (transport.name, transport.patience_s) == ("websocket", 0.0)


async def test_back_on_the_websocket_the_voice_has_the_codec_that_was_asked_for() -> None:
    async with (
        accepting() as (url, accepted),
        phone_of(OpusPhone, url) as line,
        rtc_caller(line) as caller,
    ):
        transport = await accepted.get()
        transport.silence(0)
        caller.muted = True
        caller.ready = lambda: transport.quality() is not None
        await caller.moves()
        await take(transport, 1)
        play(transport, tone(0.1, PLAYOUT_RATE))
        await line.tells(UsePath("websocket", "opus"))
        assert await take(transport, 1) == [PathChanged()]
        play(transport, tone(0.1, PLAYOUT_RATE), start=9_600)
        transport.send(Pong(1))
        await line.until(Pong)
        assert [(frame.rate, frame.position) for frame in line.frames] == [
            (PLAYOUT_RATE, 9_600 + 960 * n) for n in range(5)
        ]


async def test_silence_comes_through_before_the_caller_moves() -> None:
    async with calling() as (transport, line, caller):
        await caller.connects()
        for n in range(5):
            transport.silence(960 * n)
        await eventually(lambda: len(caller.arrived) == 5)
        assert caller.audible_s == 0
        assert not line.frames


async def test_silence_comes_through_before_there_is_a_conversation() -> None:
    async with accepting() as (url, accepted), phone(url) as line, rtc_caller(line) as caller:
        transport = await accepted.get()
        await caller.connects()
        await eventually(lambda: len(caller.arrived) >= 3)
        assert caller.audible_s == 0
        transport.silence(0)
        await eventually(lambda: any(one.packet.timestamp == 0 for one in caller.arrived))
        begun = len(caller.arrived)
        assert all(one.packet.timestamp > 2**31 for one in caller.arrived[: begun - 1])
        transport.silence(960)
        await eventually(lambda: len(caller.arrived) > begun)
        assert caller.arrived[-1].packet.timestamp == 960


async def test_sound_goes_one_way_only() -> None:
    async with calling() as (transport, line, caller):
        await caller.connects()
        play(transport, tone(0.1, PLAYOUT_RATE))
        await eventually(lambda: len(caller.arrived) == 5)
        assert caller.audible_s == 0
        await line.tells(UsePath("webrtc"))
        await take(transport, 1)
        play(transport, tone(0.1, PLAYOUT_RATE), start=4_800)
        await eventually(lambda: len(caller.arrived) == 10)
        assert caller.audible_s > 0.05
        transport.send(Error("end", ""))
        await line.until(Error)
        assert len(line.sound) <= 0.11 * line.rate


async def test_sound_on_the_way_that_is_not_in_use_is_ignored() -> None:
    async with calling() as (transport, line, caller):
        await caller.connects()
        caller.says(tone(0.02, PLAYOUT_RATE))
        await line.tells(UsePath("webrtc"))
        await line.speaks(tone(0.1, HEARING_RATE))
        await line.tells(Interrupt())
        assert await take(transport, 2) == [PathChanged(), Interrupt()]
        caller.says(tone(0.02, PLAYOUT_RATE))
        (frame,) = await take(transport, 1)
        assert isinstance(frame, AudioFrame)


async def test_moving_twice_is_moving_once() -> None:
    async with calling() as (transport, line, caller):
        await caller.moves()
        await line.tells(UsePath("webrtc"))
        await line.tells(Interrupt())
        assert await take(transport, 2) == [PathChanged(), Interrupt()]


async def test_moving_before_it_is_connected_is_refused() -> None:
    async with calling() as (transport, line, _):
        await line.tells(UsePath("webrtc"))
        assert await errors(line) == "no_path"
        await line.tells(Offer(NOWHERE))
        await line.until(Answer)
        await line.tells(UsePath("webrtc"))
        assert await errors(line) == "no_path"
        assert transport.name == "websocket"


async def test_back_and_again_over_a_new_offer_at_once() -> None:
    """The second offer comes while the first path is being closed, and waits for that."""
    async with calling() as (transport, line, caller):
        items: list[Received] = []
        async with asyncio.TaskGroup() as group:
            group.create_task(drain(transport, items))
            await caller.moves()
            await line.tells(UsePath("websocket"))
            async with rtc_caller(line) as again:
                again.muted = True
                again.ready = caller.ready
                await again.moves()
                await eventually(lambda: items == [PathChanged()] * 3)
                transport.silence(0)
                await eventually(lambda: bool(again.arrived))
                assert transport.name == "webrtc/udp"
            await line.leaves()
        assert not any(isinstance(message, Error) for message in line.messages)


async def test_back_and_again_without_an_offer_is_refused() -> None:
    async with calling() as (transport, line, caller):
        await caller.moves()
        await line.tells(UsePath("websocket"))
        await line.tells(UsePath("webrtc"))
        assert await errors(line) == "no_path"
        assert await take(transport, 2) == [PathChanged(), PathChanged()]
        assert transport.name == "websocket"


async def test_what_comes_over_rtp_keeps_the_connection_from_being_idle() -> None:
    async with calling() as (transport, _, caller):
        await caller.moves()
        caller.muted = False
        for n in range(120):
            transport.silence(960 * n)
            await asyncio.sleep(0.002)
        quality = transport.quality()
        assert quality is not None
        assert quality.received > 0
        assert quality.refused == 0


async def test_without_a_path_there_is_no_quality() -> None:
    async with calling() as (transport, _, _caller):
        assert transport.quality() is None


# --- bad input -------------------------------------------------------------------------------------

BAD = {
    "nonsense": "hello",
    "empty": "",
    "without audio": NOWHERE.split("m=audio")[0],
    "with video": recorded("chromium_video"),
    "without a fingerprint": without("a=fingerprint"),
    "without ICE": without("a=ice-"),
    "without Opus": without("a=rtpmap:111", "a=rtpmap:63", "a=fmtp"),
    "of two kilobytes of nothing": "a" * 2_000,
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_offer_is_refused_and_a_good_one_behind_it_works(name: str) -> None:
    async with calling() as (_, line, caller):
        await line.tells(Offer(BAD[name]))
        assert await errors(line) == "bad_offer"
        await caller.connects()


@pytest.mark.parametrize("connected", [False, True])
async def test_a_second_offer_is_refused_and_the_first_lives(connected: bool) -> None:
    async with calling() as (transport, line, caller):
        if connected:
            await caller.connects()
        else:
            await line.tells(Offer(await caller.offer()))
        await line.tells(Offer(NOWHERE))
        assert await errors(line) == "bad_offer"
        if not connected:
            answer = next((m for m in line.messages if isinstance(m, Answer)), None)
            message: ServerMessage = answer or await line.until(Answer)
            assert isinstance(message, Answer)
            await caller.accepts(message.sdp)
            await caller.until_state("connected")
            await eventually(caller.ready)
        await line.tells(UsePath("webrtc"))
        assert await take(transport, 1) == [PathChanged()]


async def test_candidates_that_make_no_sense_harm_nothing() -> None:
    odd = [
        None,
        CandidateInit(""),
        CandidateInit("candidate:"),
        CandidateInit("x" * 20_000, sdpMid="0"),
        CandidateInit("candidate:1 1 udp 1 abc.local 5000 typ host", sdpMid="0"),
        CandidateInit("candidate:1 1 udp 1 127.0.0.1 99999 typ host", sdpMid="0"),
        CandidateInit("candidate:1 9 udp 1 127.0.0.1 5000 typ host", sdpMLineIndex=77),
    ]
    async with calling() as (_, line, caller):
        for one in odd:
            await line.tells(IceCandidate(one))
        await line.tells(Offer(await caller.offer()))
        for one in odd:
            await line.tells(IceCandidate(one))
        answer = await line.until(Answer)
        assert isinstance(answer, Answer)
        await caller.accepts(answer.sdp)
        await caller.until_state("connected")
        assert not any(isinstance(message, Error) for message in line.messages)


async def closed(transport: WebRtcTransport, line: Phone, *sent: str) -> tuple[int | None, str]:
    """How the connection is closed of what was sent."""
    async with asyncio.TaskGroup() as group:
        draining = group.create_task(drain(transport, []))
        with suppress(ConnectionError):
            for text in sent:
                await line.socket.send_str(text)
        code = await line.until_closed()
        error = await draining
    return code, str(error)


async def test_a_megabyte_of_candidates_at_once_is_closed_with_1009() -> None:
    async with calling() as (transport, line, _):
        code, _said = await closed(transport, line, "x" * (MAX_TEXT_BYTES + 1))
        assert code == 1009


async def test_thousands_of_candidates_are_a_flood() -> None:
    async with calling() as (transport, line, _):
        one = (
            '{"type":"ice-candidate","candidate":{"candidate":"1 1 udp 1 192.0.2.9 5000 typ host"}}'
        )
        code, said = await closed(transport, line, *[one] * 1_500)
        assert code == 1008
        assert "too many messages" in said


# --- the end ---------------------------------------------------------------------------------------


async def test_what_never_connects_is_given_up_and_told() -> None:
    async with calling(SHORT) as (transport, line, caller):
        await line.tells(Offer(NOWHERE))
        lost = await line.until(PathLost)
        assert lost == PathLost("nothing connected in 1 s")
        transport._config = WebRtcConfig()  # a busy machine may need longer
        await caller.connects()
        assert transport.name == "websocket"


async def test_a_caller_who_ends_the_path_gets_the_websocket_back() -> None:
    async with calling() as (transport, line, caller):
        await caller.moves()
        await take(transport, 1)
        await caller.connection.close()
        assert await line.until(PathLost) == PathLost("the caller closed it")
        assert await take(transport, 1) == [PathChanged()]
        await line.speaks(tone(0.02, HEARING_RATE))
        (frame,) = await take(transport, 1)
        assert isinstance(frame, AudioFrame)
        play(transport, tone(0.04, PLAYOUT_RATE))
        transport.send(Error("end", ""))
        await line.until(Error)
        assert len(line.sound) > 0


async def test_a_caller_who_is_gone_without_a_goodbye_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(path, "DEAD_S", 1.0)
    async with calling() as (transport, line, caller):
        await caller.moves()
        await take(transport, 1)
        await caller.vanishes()
        for n in range(160):  # three seconds of the path's time, which is told by what is played
            transport.silence(960 * n)
        transport.quality()
        lost = await line.until(PathLost)
        assert lost == PathLost("nothing came for 1 s")
        assert await take(transport, 1) == [PathChanged()]


async def test_an_error_while_a_packet_is_taken_ends_the_path_and_not_the_conversation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: told.append(context.get("exception"))
    )

    def fails(*given: object) -> None:
        raise ZeroDivisionError("a fault")

    async with calling() as (transport, line, caller):
        await caller.moves()
        await take(transport, 1)
        monkeypatch.setattr(path.RtpReceiver, "take", fails)
        for _ in range(5):
            caller.says(None)
        await eventually(lambda: bool(told))
        transport.quality()
        assert await line.until(PathLost) == PathLost("the server made an error")
        assert len(told) == 1
        await line.tells(Ping(1))
        assert await take(transport, 2) == [PathChanged(), Ping(1)]


async def test_a_closed_websocket_ends_the_path() -> None:
    async with calling() as (transport, line, caller):
        await caller.moves()
        items: list[Received] = []
        await line.leaves()
        assert await drain(transport, items) is None
        await caller.until_state("closed")


async def test_closing_from_here_ends_the_path_and_tells_nothing_of_it() -> None:
    async with calling() as (transport, line, caller):
        await caller.moves()
        async with asyncio.TaskGroup() as group:
            group.create_task(transport.aclose(CloseReason.SERVER_STOPPING))
            assert await line.until_closed() == 1001
        await caller.until_state("closed")
        assert not any(isinstance(message, PathLost) for message in line.messages)


async def test_after_the_end_nothing_harms() -> None:
    async with calling() as (transport, line, caller):
        await caller.moves()
        await line.leaves()
        await drain(transport, [])
        await caller.until_state("closed")
        play(transport, np.zeros(9_600, np.float32))
        transport.silence(0)
        transport.flush()
        assert transport.quality() is None
        await transport.aclose(CloseReason.PEER_LEFT)
        await transport.aclose(CloseReason.PEER_LEFT)


async def test_sound_that_a_slow_session_does_not_take_is_dropped_and_counted() -> None:
    async with calling() as (transport, _, caller):
        await caller.moves()
        assert await take(transport, 1) == [PathChanged()]
        for waiting in range(40, 241, 40):  # a socket holds no more than some hundreds
            for _ in range(40):
                caller.says(None)
            await eventually(lambda waiting=waiting: transport._items.qsize() == waiting)  # type: ignore[misc]
        await asyncio.sleep(0.5)  # more at once than five seconds is refused before it is sound
        for _ in range(60):
            caller.says(None)
        await eventually(lambda: transport.dropped() > 20)
        (frame,) = await take(transport, 1)
        assert isinstance(frame, AudioFrame)
        assert frame.position == 0


# --- the log ---------------------------------------------------------------------------------------


def told(caplog: pytest.LogCaptureFixture) -> dict[str, dict[str, object]]:
    return {one.getMessage(): vars(one)["fields"] for one in caplog.records}


async def test_a_path_is_followed_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ultraandchat.webrtc")
    async with calling() as (_, line, caller):
        await caller.connects()
        await line.tells(PathReport("chosen", "", 120.0, []))
        await line.tells(UsePath("websocket"))
        await eventually(lambda: "path lost" in told(caplog))
        lines = told(caplog)
        assert lines["path offered"] == {"theirs": "1 host/udp", "ours": "1 host/udp"}
        assert lines["path connected"]["route"] == "udp"
        assert lines["path connected"]["pair"] in ("host/udp-host", "host/udp-prflx")
        assert lines["the page tells of its path"]["outcome"] == "chosen"
        assert lines["path lost"]["reason"] == "it was left"


async def test_an_offer_that_is_refused_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ultraandchat.webrtc")
    async with calling() as (_, line, _):
        await line.tells(Offer("v=0\x1b[2J"))
        assert await errors(line) == "bad_offer"
        assert told(caplog)["offer refused"]["reason"]


async def test_what_was_tried_in_vain_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ultraandchat.webrtc")
    config = WebRtcConfig(connect_timeout_s=0.3, fallback_s=0.1)
    async with calling(config) as (_, line, _):
        await line.tells(Offer(NOWHERE))
        assert await line.until(PathLost) == PathLost("nothing connected in 0.3 s")
        fields = told(caplog)["path not connected"]
        assert fields["reason"] == "nothing connected in 0.3 s"
        assert fields["ours"] == "1 host/udp"
        assert "host/udp-" in str(fields["tried"])
