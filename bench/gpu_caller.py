"""A caller of `bench.gpu` on a transport of memory: says the same real sentence again and again, and hears each
reply out.
"""

import asyncio
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.sounds import CLIP, CLIP_S, FRAME, HUSH_DEVIATION
from ultraandchat.audio.frame import FRAME_MS, HEARING_RATE, PLAYOUT_RATE, Samples
from ultraandchat.events import Failed, ReplyAudible, ReplyClosed, SessionEvent, TurnTimed
from ultraandchat.transport.memory import MemoryTransport

PERIOD_S = FRAME_MS / 1000
REST_S = 1.0
"""Between a reply's end and what is said next."""
PATIENCE_S = 60.0
"""For an answer. Nobody has it who talks; it is for the processor."""


@dataclass
class Account:
    """Of one caller."""

    timed: list[TurnTimed] = field(default_factory=list)
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    dry: int = 0
    """Frames of 20 ms in the middle of a reply for which there was no sound."""
    frames: int = 0
    """Of replies, with those."""
    lag: list[float] = field(default_factory=list)
    """How late each frame was handed over: seconds."""


class Caller:
    """Its script is stepped every 20 ms."""

    def __init__(self, transport: MemoryTransport, seed: int, rounds: int, after_s: float) -> None:
        """`after_s`: before it speaks for the first time. Its first round counts for nothing: of each
        conversation the first turn has no history that could have been read ahead."""
        self.transport = transport
        self.account = Account()
        self._noise = np.random.default_rng(seed)
        self._open = False
        self._closed = 0
        self._script = self._talk(rounds, after_s)

    def step(self) -> Samples | None:
        """The next 20 ms that it says; none at the end of its last round."""
        return next(self._script, None)

    def saw(self, event: SessionEvent) -> None:
        """The session's observer."""
        match event:
            case ReplyAudible():
                self._open = True
            case TurnTimed() if self.account.asked:
                self.account.timed.append(event)
            case Failed(reason=reason):
                self.account.failed.append(reason)
                self._closed += 1
            case ReplyClosed():
                self._count()
                self._open = False
                self._closed += 1
            case _:
                pass

    def _talk(self, rounds: int, after_s: float) -> Iterator[Samples]:
        yield from self._hush(after_s)
        for turn in range(rounds + 1):
            self.account.asked += turn > 0
            closed, waited = self._closed, 0.0
            yield from spoken()
            while self._closed == closed and waited < PATIENCE_S:
                yield from self._hush(PERIOD_S)
                waited += PERIOD_S
            yield from self._hush(REST_S)

    def _hush(self, seconds: float) -> Iterator[Samples]:
        for _ in range(max(round(seconds / PERIOD_S), 1)):
            yield self._noise.normal(0, HUSH_DEVIATION, FRAME).astype(np.float32)

    def _count(self) -> None:
        """Frames of the reply that has just ended, and those that lacked."""
        positions = [frame.position for _, frame in self.transport.frames]
        self.transport.frames.clear()
        if len(positions) > 1 and self.account.asked:
            step = PLAYOUT_RATE * FRAME_MS // 1000
            whole = (positions[-1] - positions[0]) // step + 1
            self.account.frames += whole
            self.account.dry += whole - len(positions)


def spoken() -> list[Samples]:
    """2.2 s of a real voice that ends abruptly, in frames."""
    with wave.open(str(CLIP)) as wav:
        pcm = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
    cut = pcm[int(CLIP_S[0] * HEARING_RATE) : int(CLIP_S[1] * HEARING_RATE)]
    voice = cut[: len(cut) // FRAME * FRAME].astype(np.float32) / 32_768
    return list(voice.reshape(-1, FRAME))


async def pace(callers: list[Caller]) -> None:
    """Every 20 ms a frame of each, until all have ended."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    going = list(callers)
    while going:
        due += PERIOD_S
        await asyncio.sleep(max(due - loop.time(), 0))
        for caller in list(going):
            frame = caller.step()
            if frame is None:
                going.remove(caller)
                continue
            caller.account.lag.append(max(loop.time() - due, 0.0))
            await caller.transport.say(frame)
