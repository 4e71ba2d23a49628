"""The contract over every transport there is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from tests.support.opus_phone import OpusPhone
from tests.support.rtc_caller import FRAME, RtcCaller, rtc_caller
from tests.support.serving import phone, phone_of
from tests.transport.contract import Caller, TransportContract, take, tone
from tests.transport.test_webrtc import accepting as accepting_webrtc
from tests.transport.test_websocket import accepting
from ultraandchat.audio.frame import HEARING_RATE, PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.transport.base import PathChanged, Transport
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import ClientMessage, Mute, Say, ServerMessage, UsePath


class MemoryCaller:
    rate = PLAYOUT_RATE

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport

    @property
    def messages(self) -> list[ServerMessage]:
        return [message for _, message in self._transport.messages]

    @property
    def sound(self) -> Samples:
        frames = [frame.samples for _, frame in self._transport.frames]
        return np.concatenate(frames or [np.zeros(0, np.float32)])

    async def speaks(self, samples: Samples) -> None:
        await self._transport.say(samples)

    async def tells(self, message: ClientMessage) -> None:
        await self._transport.tell(message)

    async def until(self, kind: type[ServerMessage]) -> ServerMessage:
        return next(message for message in self.messages if isinstance(message, kind))

    async def leaves(self) -> None:
        self._transport.hang_up()


class TestMemory(TransportContract):
    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Transport, Caller]]:
        transport = MemoryTransport()
        yield transport, MemoryCaller(transport)


class TestWebSocket(TransportContract):
    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Transport, Caller]]:
        async with accepting() as (url, accepted), phone(url) as caller:
            yield await accepted.get(), caller


class OpusContract(TransportContract):
    """Not the same samples, but the same sound."""

    TONE_S = 0.4
    TAIL_S = 0.02
    LEVEL = 0.05
    STEEPEST = 1.3

    def assert_same(self, got: Samples, sent: Samples) -> None:
        """As loud, as long, and alike behind the codec's delay, which is below 15 ms."""
        assert len(got) == len(sent)
        likeness = max(
            float(np.corrcoef(got[delay:], sent[: len(sent) - delay])[0, 1])
            for delay in range(15 * HEARING_RATE // 1000)
        )
        assert likeness > 0.98
        middle = slice(len(sent) // 4, -len(sent) // 4)
        loudness = np.sqrt(np.mean(got[middle] ** 2) / np.mean(sent[middle] ** 2))
        assert loudness == pytest.approx(1.0, rel=self.LEVEL)


class TestWebSocketWithOpus(OpusContract):
    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Transport, Caller]]:
        async with accepting() as (url, accepted), phone_of(OpusPhone, url) as caller:
            transport = await accepted.get()
            await caller.asks_for_opus()
            assert await take(transport, 1) == [UsePath("websocket", "opus")]
            yield transport, caller


class TestWebRtcBeforeItsPath(TransportContract):
    """A page that may use WebRTC and does not yet: all goes over the WebSocket, exactly."""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Transport, Caller]]:
        async with accepting_webrtc() as (url, accepted), phone(url) as caller:
            yield await accepted.get(), caller


class TestWebRtcBesideItsPath(TransportContract):
    """WebRTC is connected and not in use: nothing changes, but for silence that goes over it too."""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Transport, Caller]]:
        async with (
            accepting_webrtc() as (url, accepted),
            phone(url) as caller,
            rtc_caller(caller) as rtc,
        ):
            transport = await accepted.get()
            rtc.muted = True
            rtc.ready = lambda: transport.quality() is not None
            await rtc.connects()
            caller.messages.clear()
            yield transport, caller


class RtpCaller:
    """Messages over the WebSocket, sound over RTP."""

    rate = PLAYOUT_RATE

    def __init__(self, rtc: RtcCaller) -> None:
        self._rtc = rtc

    @property
    def messages(self) -> list[ServerMessage]:
        return self._rtc.phone.messages

    @property
    def sound(self) -> Samples:
        return self._rtc.sound

    async def speaks(self, samples: Samples) -> None:
        at = np.arange(3 * len(samples)) / 3
        whole = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
        for part in whole.reshape(-1, FRAME):
            self._rtc.says(part)

    async def tells(self, message: ClientMessage) -> None:
        await self._rtc.phone.tells(message)

    async def until(self, kind: type[ServerMessage]) -> ServerMessage:
        message = await self._rtc.phone.until(kind)
        # What was sent before it is in our socket by now: loopback. A turn of the loop takes one of them.
        for _ in range(200):
            await asyncio.sleep(0)
        return message

    async def leaves(self) -> None:
        await self._rtc.phone.leaves()


class TestWebRtc(OpusContract):
    """Sound over RTP."""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Transport, Caller]]:
        async with (
            accepting_webrtc() as (url, accepted),
            phone(url) as caller,
            rtc_caller(caller) as rtc,
        ):
            transport = await accepted.get()
            rtc.muted = True
            rtc.ready = lambda: transport.quality() is not None
            await rtc.moves()
            assert await take(transport, 1) == [PathChanged()]
            caller.messages.clear()
            yield transport, RtpCaller(rtc)

    async def test_sound_and_messages_come_in_order_of_arrival(self) -> None:
        """They come on two ways, so that each has an order of its own only."""
        async with self.connected() as (transport, caller):
            await caller.tells(Mute(True))
            await caller.speaks(tone(0.04, HEARING_RATE))
            await caller.tells(Say("hello"))
            items = await take(transport, 4)
            assert [x for x in items if not isinstance(x, AudioFrame)] == [Mute(True), Say("hello")]
            first, second = (x for x in items if isinstance(x, AudioFrame))
            assert first.rate == second.rate == HEARING_RATE
            assert first.end == second.position
