"""One benchmark caller: what it says when, and what it measures. How its frames travel is its way's
(`ways.py`); it is stepped every 20 ms and never waits.

Rounds come in pairs. In the first the caller speaks and hears the reply out; in the second it talks
over the reply 1.2 s in, with the same voice, and hears the reply to that out. A pair lasts as long as
makes the caller speak 30 % of the time; with the scripted replies of 4 s the agent then speaks 42 %.
"""

import asyncio
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from bench.hearing import PERIOD_S, Hearing
from bench.sounds import HUSH, Sounds

SPEAKING = 0.3
"""Share of the time in which a caller speaks."""
INTERRUPT_AFTER_S = 1.2
"""Into the reply."""
ANSWER_S = 4.0
"""A turn that is not answered in this time has failed."""
REPLY_S = 8.0
"""A reply that is not over after this is not waited for."""
SHORTEST_REST_S = 0.5

Script = Iterator[int]
"""Numbers of frames (`Sounds`), one for each 20 ms."""


class Way(Protocol):
    """How one caller is connected. Opened by whoever makes it."""

    hearing: Hearing
    over: asyncio.Future[str]
    """Done when the server or the network ended it, with the reason."""

    async def send(self, frame: int) -> None:
        """One frame of `Sounds`."""
        ...

    async def aclose(self) -> None: ...


@dataclass
class Figures:
    """What the callers of a process measured, while it counts; seconds."""

    counting: bool = False
    voice_to_voice: list[float] = field(default_factory=list)
    barge_in: list[float] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    """How late their own frames left."""
    tried: int = 0
    """Turns."""
    early: int = 0
    """Of them, those answered before they were over."""
    unheeded: int = 0
    """Interruptions after which the reply went on to its end."""
    sent: int = 0
    """Frames."""
    spoken: int = 0
    """Of them, frames of voice."""


class Caller:
    """One conversation's caller."""

    def __init__(self, index: int, sounds: Sounds, figures: Figures, *, silent: bool) -> None:
        self.way: Way | None = None
        """None while it is away."""
        self._sounds = sounds
        self._figures = figures
        self._silent = silent
        self._now = asyncio.get_running_loop().time
        self._hush = 7 * index  # everybody's silence begins elsewhere
        self._sent_at = 0.0
        self._script: Script = iter(())

    def begin(self, way: Way, after_s: float) -> None:
        """A conversation is open; the first word comes after so long."""
        self.way = way
        self._script = self._for_ever() if self._silent else self._talk(way.hearing, after_s)

    async def step(self, due: float) -> None:
        """Send the frame that is due now."""
        if self.way is None:
            return
        frame = next(self._script)
        await self.way.send(frame)
        self._sent_at = self._now()
        figures = self._figures
        if figures.counting:
            figures.lag.append(self._sent_at - due)
            figures.sent += 1
            figures.spoken += frame in self._sounds.voice

    def _talk(self, hearing: Hearing, after_s: float) -> Script:
        yield from self._until(lambda: False, after_s)
        clip_s = len(self._sounds.voice) * PERIOD_S
        while True:
            begun = self._now()
            yield from self._turn(hearing)
            yield from self._until(lambda: hearing.is_quiet(self._now()), REPLY_S)
            # As long as the pair's other rest will be.
            yield from self._until(lambda: False, self._rest_s(clip_s))
            if (yield from self._turn(hearing)):
                yield from self._interrupt(hearing)
            yield from self._until(lambda: hearing.is_quiet(self._now()), REPLY_S)
            left = 3 * clip_s / SPEAKING - (self._now() - begun)
            yield from self._until(lambda: False, max(left, SHORTEST_REST_S))

    def _rest_s(self, clip_s: float) -> float:
        """Half of what a pair leaves, with replies of 4 s that come after 0.35 s and 0.3 s of hearkening."""
        sounding = 3 * (clip_s + 0.35) + 2 * (4.0 + 0.3) + INTERRUPT_AFTER_S
        return (3 * clip_s / SPEAKING - sounding) / 2

    def _turn(self, hearing: Hearing) -> Generator[int, None, bool]:
        """Speak and wait for the answer; whether one came."""
        spoke, counted = self._now(), self._figures.counting
        yield from self._sounds.voice
        return (yield from self._answered(hearing, spoke, counted))

    def _answered(
        self, hearing: Hearing, spoke: float, counted: bool
    ) -> Generator[int, None, bool]:
        spoken = self._sent_at
        yield from self._sounds.tail
        yield from self._until(lambda: hearing.begun > spoke, ANSWER_S)
        if counted and self._figures.counting:
            self._figures.tried += 1
            if hearing.begun > spoken:
                self._figures.voice_to_voice.append(hearing.begun - spoken)
            elif hearing.begun > spoke:
                self._figures.early += 1
        return hearing.begun > spoken

    def _interrupt(self, hearing: Hearing) -> Script:
        begin = hearing.begun + INTERRUPT_AFTER_S
        yield from self._until(lambda: self._now() >= begin, 2 * INTERRUPT_AFTER_S)
        if hearing.is_quiet(self._now()):
            return  # the reply broke off by itself
        hearing.spoil()
        spoke, counted = self._now(), self._figures.counting
        yield from self._sounds.voice
        if counted and self._figures.counting:
            if hearing.is_quiet(self._now()):
                self._figures.barge_in.append(hearing.silent_at - spoke)
            else:
                self._figures.unheeded += 1
        yield from self._answered(hearing, spoke, counted)

    def _until(self, done: Callable[[], bool], most_s: float) -> Script:
        """Near-silence."""
        limit = self._now() + most_s - PERIOD_S / 2
        while not done() and self._now() < limit:
            self._hush += 1
            yield HUSH[self._hush % len(HUSH)]

    def _for_ever(self) -> Script:
        while True:
            yield from HUSH
