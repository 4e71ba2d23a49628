"""The words of one conversation while they are spoken, written by one of the stream workers.

Sound is taken in without waiting and sent on in pieces. What is lost, by a crash or because the machine
cannot keep up, spoils the captions of that utterance only; the final words do not need them.
"""

import asyncio
import logging
from collections.abc import Callable

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE, Pcm16, Samples, to_pcm16
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.worker import Worker

log = logging.getLogger("ultraandchat.sphinx")

PIECE = HEARING_RATE // 10
"""Samples: 100 ms at a time, so the words follow the speaker, and a third of the wake-ups of windows."""

LONGEST_PIECE = 3 * PIECE
"""Samples sent at once when there is more: the worker's other speakers wait as long as it takes."""

BACKLOG = 3 * HEARING_RATE
"""Samples that may wait for the worker. What comes beyond is dropped, and the captions are spoilt."""


class Spoken:
    """What is known of one utterance."""

    def __init__(self) -> None:
        self.waiting = np.zeros(0, np.int16)
        self.open = False  # a decoder of the worker is at it
        self.ending = False
        self.spoilt = False
        self.settled: list[str] = []  # before a pause that seemed to be the end
        self.partial = ""
        self.written = asyncio.Event()  # all of it, or it never will be

    @property
    def text(self) -> str:
        return " ".join(filter(None, [*self.settled, self.partial]))

    @property
    def words(self) -> str | None:
        """The words so far; none if some of the sound was lost."""
        return None if self.spoilt else self.text

    def take(self) -> Pcm16 | None:
        """The next piece, if there is enough for one."""
        if len(self.waiting) < (1 if self.ending else PIECE):
            return None
        piece, self.waiting = self.waiting[:LONGEST_PIECE], self.waiting[LONGEST_PIECE:]
        return piece

    def spoil(self) -> None:
        self.spoilt = True
        self.waiting = self.waiting[:0]
        self.written.set()


class Captions:
    """`run` must be running; `number` tells this conversation from others of the same worker."""

    def __init__(self, worker: Worker, number: int, on_partial: Callable[[str], None]) -> None:
        self._worker = worker
        self._number = number
        self._on_partial = on_partial
        self._spoken = Spoken()
        # What the decoder learnt of voice and room in this conversation: the next utterance begins with it.
        self._mean = ""
        self._work = asyncio.Event()
        self._closed = False
        self.dropped = 0
        """Samples that the worker could not keep up with, since the conversation began."""

    @property
    def spoken(self) -> Spoken:
        """The utterance under way, or the last one."""
        return self._spoken

    def begin(self) -> None:
        self._spoken.written.set()  # nothing more comes of the one before
        self._spoken = Spoken()

    def feed(self, samples: Samples) -> None:
        spoken = self._spoken
        if spoken.spoilt:
            return
        if len(spoken.waiting) + len(samples) > BACKLOG:
            self.dropped += len(spoken.waiting) + len(samples)
            log.info("captions dropped: the recogniser is more than 3 s behind")
            spoken.spoil()
            return
        spoken.written.clear()
        spoken.waiting = np.concatenate([spoken.waiting, to_pcm16(samples)])
        self._work.set()

    def end(self) -> None:
        """No more sound for now: settle the words. Sound that comes nevertheless continues them."""
        self._spoken.ending = True
        self._work.set()

    def close(self) -> None:
        self._closed = True
        self._work.set()

    async def run(self) -> None:
        """Until `close`: whatever there is to do, one question to the worker at a time."""
        while not self._closed:
            spoken = self._spoken
            try:
                if not await self._step(spoken):
                    self._work.clear()
                    await self._work.wait()
            except EngineError as error:
                log.info("no captions of this utterance: %s", error.reason)
                spoken.open = False
                spoken.spoil()
        await self._drop()

    async def _step(self, spoken: Spoken) -> bool:
        """One piece of work on `spoken`; false if there is none."""
        if (piece := spoken.take()) is not None:
            if not spoken.open:
                await self._worker.ask("begin", self._number, self._mean)
                spoken.open = True
            text = await self._worker.ask("feed", self._number, piece)
            if text != spoken.partial:
                spoken.partial = text
                if spoken is self._spoken:
                    self._on_partial(spoken.text)
            return True
        if spoken.ending:
            spoken.ending = False
            if spoken.open:
                text, self._mean = await self._worker.ask("finish", self._number)
                spoken.open = False
                spoken.settled.append(text)
                spoken.partial = ""
            spoken.written.set()
            return True
        return False

    async def _drop(self) -> None:
        try:
            await self._worker.ask("drop", self._number)
        except EngineError:
            log.debug("nothing to drop: the worker is gone")
