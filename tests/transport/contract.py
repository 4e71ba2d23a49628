"""What every transport keeps, whatever carries it. `test_contract.py` runs it over each of them."""

import asyncio
from contextlib import AbstractAsyncContextManager, aclosing
from itertools import pairwise
from typing import Protocol

import numpy as np
import pytest

from ultraandchat.audio.frame import HEARING_RATE, PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.transport.base import CloseReason, Received, Transport
from ultraandchat.transport.wire import (
    ClientMessage,
    Closing,
    Flush,
    Interrupt,
    Mute,
    Pong,
    Say,
    ServerMessage,
)

PATIENCE_S = 20.0


class Caller(Protocol):
    """The other end, as the contract uses it."""

    messages: list[ServerMessage]
    rate: int

    @property
    def sound(self) -> Samples: ...
    async def speaks(self, samples: Samples) -> None: ...
    async def tells(self, message: ClientMessage) -> None: ...
    async def until(self, kind: type[ServerMessage]) -> ServerMessage: ...
    async def leaves(self) -> None: ...


def tone(seconds: float, rate: int, hz: float = 440.0) -> Samples:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def play(transport: Transport, samples: Samples, start: int = 0) -> None:
    for at in range(0, len(samples), 960):
        transport.play(AudioFrame(samples[at : at + 960], PLAYOUT_RATE, start + at))


async def take(transport: Transport, count: int) -> list[Received]:
    taken: list[Received] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(transport.received()) as items:
        async for item in items:
            taken.append(item)
            if len(taken) == count:
                break
    return taken


class TransportContract:
    """Subclasses say how both ends come into being, and what a codec that is not exact does to sound."""

    TONE_S = 0.1
    """Of what the caller says."""
    TAIL_S = 0.0
    """More than was played may be heard: the packet with the end of the sound is a whole one."""
    LEVEL = 0.02
    """How far the level may be off, relative."""
    STEEPEST = 1.1
    """Two neighbouring samples are no further apart than a sine has them, times this: no seam."""

    def connected(self) -> AbstractAsyncContextManager[tuple[Transport, Caller]]:
        raise NotImplementedError

    def assert_same(self, got: Samples, sent: Samples) -> None:
        """The sound that came is the sound that was sent, both at 16 kHz."""
        np.testing.assert_allclose(got, sent, atol=1e-4)

    async def test_sound_and_messages_come_in_order_of_arrival(self) -> None:
        async with self.connected() as (transport, caller):
            await caller.tells(Mute(True))
            await caller.speaks(tone(0.02, HEARING_RATE))
            await caller.tells(Say("hello"))
            mute, frame, say = await take(transport, 3)
            assert (mute, say) == (Mute(True), Say("hello"))
            assert isinstance(frame, AudioFrame)
            assert frame.rate == HEARING_RATE

    async def test_the_sound_that_comes_is_the_sound_that_was_sent(self) -> None:
        async with self.connected() as (transport, caller):
            sent = tone(self.TONE_S, HEARING_RATE)
            await caller.speaks(sent)
            count = round(self.TONE_S / 0.02)
            frames = [f for f in await take(transport, count) if isinstance(f, AudioFrame)]
            self.assert_same(np.concatenate([frame.samples for frame in frames]), sent)
            assert all(a.end == b.position for a, b in pairwise(frames))

    async def test_it_ends_when_the_caller_leaves(self) -> None:
        async with self.connected() as (transport, caller):
            await caller.tells(Interrupt())
            await caller.leaves()
            assert await take(transport, 99) == [Interrupt()]

    async def test_what_is_played_is_heard_without_a_seam(self) -> None:
        async with self.connected() as (transport, caller):
            sent = tone(0.2, PLAYOUT_RATE)
            play(transport, sent)
            transport.silence(len(sent))
            transport.send(Pong(1))
            await caller.until(Pong)
            heard = caller.sound
            assert -2 <= len(heard) - 0.2 * caller.rate <= self.TAIL_S * caller.rate + 2
            middle = heard[len(heard) // 4 : -len(heard) // 4]
            assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=self.LEVEL)
            steepest = 0.5 * 2 * np.pi * 440 / caller.rate
            assert np.max(np.abs(np.diff(middle))) <= self.STEEPEST * steepest

    async def test_silence_is_not_heard(self) -> None:
        async with self.connected() as (transport, caller):
            for n in range(10):
                transport.silence(n * 960)
            transport.send(Pong(1))
            await caller.until(Pong)
            assert not np.any(caller.sound)

    async def test_messages_come_in_the_order_in_which_they_were_sent(self) -> None:
        async with self.connected() as (transport, caller):
            for n in range(20):
                transport.send(Pong(n))
            transport.send(Flush())
            await caller.until(Flush)
            assert caller.messages == [*(Pong(n) for n in range(20)), Flush()]

    async def test_a_flush_is_told_and_what_comes_after_it_is_heard(self) -> None:
        async with self.connected() as (transport, caller):
            play(transport, tone(0.04, PLAYOUT_RATE))
            transport.flush()
            play(transport, tone(0.04, PLAYOUT_RATE), start=96_000)
            transport.silence(99_000)
            transport.send(Pong(1))
            await caller.until(Pong)
            assert Flush() in caller.messages
            assert len(caller.sound) >= 0.03 * caller.rate

    async def test_closing_says_why_and_ends_it(self) -> None:
        async with self.connected() as (transport, caller):
            async with asyncio.TaskGroup() as group:
                group.create_task(transport.aclose(CloseReason.SERVER_STOPPING))
                await asyncio.sleep(0)
                closing = await caller.until(Closing)
                await caller.leaves()
            assert closing == Closing("server_stopping", CloseReason.SERVER_STOPPING.value)
            assert await take(transport, 1) == []

    async def test_closing_twice_says_it_once(self) -> None:
        async with self.connected() as (transport, caller):
            async with asyncio.TaskGroup() as group:
                group.create_task(transport.aclose(CloseReason.FAULT))
                await asyncio.sleep(0)
                await caller.until(Closing)
                await caller.leaves()
            await transport.aclose(CloseReason.PEER_LEFT)
            assert [m for m in caller.messages if isinstance(m, Closing)] == [
                Closing("fault", CloseReason.FAULT.value)
            ]

    async def test_what_is_played_after_the_end_harms_nobody(self) -> None:
        async with self.connected() as (transport, caller):
            await caller.leaves()
            await take(transport, 99)
            play(transport, tone(1.0, PLAYOUT_RATE))
            transport.silence(48_000)
            transport.flush()
            transport.send(Pong(1))
            await transport.aclose(CloseReason.PEER_LEFT)

    async def test_a_caller_that_keeps_up_loses_nothing(self) -> None:
        async with self.connected() as (transport, caller):
            for n in range(25):
                play(transport, tone(0.02, PLAYOUT_RATE), start=n * 960)
                transport.send(Pong(n))
                await caller.until(Pong)
            assert transport.dropped() == 0
