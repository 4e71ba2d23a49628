"""Callers over WebSocket in a process of their own; prints one JSON line of what they measured.

Each caller sends 20 ms frames in real time: near-silence, a real voice that ends abruptly, silence
again, and listens. Every second reply is interrupted 1.2 s in with the same voice. All instants are
taken at the socket with one clock; a caller whose own frames leave more than 5 ms late voids the cell.
"""

import argparse
import asyncio
import json
import struct
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np
from numpy.typing import NDArray

CLIP = Path(__file__).parent.parent / "tests/data/speech/jfk.wav"
CLIP_S = (8.18, 10.40)
"""2.2 s of a real voice ("ask what you can do for your country") without an inner pause over 60 ms,
cut so that it ends abruptly: Silero lets go of it 14 ms after its end (mean over alignments to its
32 ms windows), where other clips take up to 76 ms. The part of it that is not silence counts as ours."""
HEADER = struct.Struct("<BBHI")
FRAME = 320
JITTER_BUFFER_S = 0.06
"""What the page holds before it plays: a frame later than that is an underrun."""
INTERRUPT_AFTER_S = 1.2


def speech() -> NDArray[np.int16]:
    """The clip, in whole frames."""
    with wave.open(str(CLIP)) as wav:
        pcm = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
    cut = pcm[int(CLIP_S[0] * 16_000) : int(CLIP_S[1] * 16_000)]
    return cut[: len(cut) // FRAME * FRAME]


@dataclass
class Caller:
    """One conversation and its figures, seconds."""

    index: int
    until: float
    voice_to_voice: list[float] = field(default_factory=list)
    barge_in: list[float] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    frames: int = 0
    underruns: int = 0
    timings: list[float] = field(default_factory=list)
    _position: int = 0
    _sound_at: float = 0.0  # arrival of the newest frame of sound
    _first: float | None = None  # arrival of a reply's first frame of sound
    _base: tuple[float, int] | None = None  # the reply's playout clock: (instant, position)
    _next: int | None = None
    _flushed_at: float = 0.0
    _listening: bool = True
    _audible_until: float = 0.0

    async def call(self, url: str) -> None:
        """Talk until the time is over."""
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(url, compress=0, max_msg_size=0) as socket,
        ):
            await socket.send_str(json.dumps({"type": "hello"}))
            async with asyncio.TaskGroup() as tasks:
                hearing = tasks.create_task(self._hear(socket))
                await self._talk(socket)
                hearing.cancel()

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        loop = asyncio.get_running_loop()
        voice = speech().reshape(-1, FRAME)
        hush = np.random.default_rng(self.index).normal(0, 13, (50, FRAME)).astype(np.int16)
        self._started, self._sent = loop.time(), 0
        turn = 0
        await self._send(socket, hush, 40 + 7 * self.index % 50)
        while loop.time() < self.until:
            turn += 1
            self._first = None
            await self._send(socket, voice, len(voice))
            spoken = loop.time()
            if not await self._until(socket, hush, lambda: self._first is not None, 4.0):
                continue
            self.voice_to_voice.append(self._first_arrival() - spoken)
            if turn % 2 == 0:
                await self._interrupt(socket, hush, voice)
            await self._until(socket, hush, lambda: loop.time() > self._audible_until + 0.4, 8.0)
            await self._send(socket, hush, 25)

    async def _interrupt(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        hush: NDArray[np.int16],
        voice: NDArray[np.int16],
    ) -> None:
        loop = asyncio.get_running_loop()
        begin = self._first_arrival() + INTERRUPT_AFTER_S
        await self._until(socket, hush, lambda: loop.time() >= begin, 3.0)
        before, self._first = self._flushed_at, None
        self._listening = False  # until the flush, what comes is of the old reply
        spoke = loop.time()
        await self._send(socket, voice, len(voice))
        if self._flushed_at != before:
            # the page fades what it plays within 20 ms of the flush
            self.barge_in.append(min(self._flushed_at + 0.02, self._audible_until) - spoke)
        spoken = loop.time()
        if await self._until(socket, hush, lambda: self._first is not None, 4.0):
            self.voice_to_voice.append(self._first_arrival() - spoken)

    def _first_arrival(self) -> float:
        assert self._first is not None
        return self._first

    async def _until(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        hush: NDArray[np.int16],
        done: Callable[[], bool],
        most_s: float,
    ) -> bool:
        limit = asyncio.get_running_loop().time() + most_s
        while not done():
            if asyncio.get_running_loop().time() > limit:
                return False
            await self._send(socket, hush, 1)
        return True

    async def _send(
        self, socket: aiohttp.ClientWebSocketResponse, frames: NDArray[np.int16], count: int
    ) -> None:
        loop = asyncio.get_running_loop()
        for i in range(count):
            due = self._started + 0.02 * self._sent
            await asyncio.sleep(due - loop.time())
            self.lag.append(loop.time() - due)
            header = HEADER.pack(1, 1, 0, self._position & 0xFFFFFFFF)
            await socket.send_bytes(header + frames[i % len(frames)].tobytes())
            self._position += FRAME
            self._sent += 1

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        loop = asyncio.get_running_loop()
        async for message in socket:
            now = loop.time()
            if message.type is aiohttp.WSMsgType.BINARY:
                self._frame(message.data, now)
            elif message.type is aiohttp.WSMsgType.TEXT:
                told = json.loads(message.data)
                if told["type"] == "flush":
                    self._flushed_at = now
                    self._base = None
                    self._listening = True
                elif told["type"] == "turn_timing":
                    self.timings.append(told["total_ms"])

    def _frame(self, data: bytes, now: float) -> None:
        _, _, _, position = HEADER.unpack_from(data)
        samples = np.frombuffer(data, np.int16, offset=HEADER.size)
        if np.abs(samples.astype(np.int32)).max(initial=0) < 300:
            return
        if self._first is None and self._listening:
            self._first = now
        if self._base is None or now - self._sound_at > 0.3:
            self._base, self._next = (now + JITTER_BUFFER_S, position), position
        due = self._base[0] + (position - self._base[1]) / 24_000
        self.frames += 1
        if now > due or (self._next is not None and position > self._next):
            self.underruns += 1
        self._next = position + len(samples)
        self._sound_at = now
        self._audible_until = due - JITTER_BUFFER_S + len(samples) / 24_000


async def run(url: str, conversations: int, seconds: float) -> None:
    until = asyncio.get_running_loop().time() + seconds
    callers = [Caller(i, until + 0.05 * i) for i in range(conversations)]
    async with asyncio.TaskGroup() as tasks:
        for caller in callers:
            tasks.create_task(caller.call(url))
    result = {
        "voice_to_voice": [v for c in callers for v in c.voice_to_voice],
        "barge_in": [v for c in callers for v in c.barge_in],
        "server_said_ms": [v for c in callers for v in c.timings],
        "lag_p95": float(np.percentile([v for c in callers for v in c.lag], 95)),
        "frames": sum(c.frames for c in callers),
        "underruns": sum(c.underruns for c in callers),
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--conversations", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args()
    asyncio.run(run(given.url, given.conversations, given.seconds))
