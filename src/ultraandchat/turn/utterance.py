"""Where an utterance comes from: a 4 s ring of the newest sound, held longer while somebody speaks."""

from collections import deque

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE, AudioFrame, Pcm16, Samples, to_pcm16
from ultraandchat.audio.level import utterance_gain

RING_S = 4.0
"""Kept of the newest sound when nothing is held: pre-roll and late decisions come out of it."""


class Ring:
    """The newest windows of one stream. `hold` keeps them from a position on, until `let_go`."""

    def __init__(self, seconds: float = RING_S) -> None:
        self._windows: deque[AudioFrame] = deque()
        self._keep = int(seconds * HEARING_RATE)
        self._held_from: int | None = None

    @property
    def end(self) -> int:
        """Position just after the newest sample; 0 before there is one."""
        return self._windows[-1].end if self._windows else 0

    def push(self, window: AudioFrame) -> None:
        self._windows.append(window)
        oldest = window.end - self._keep
        if self._held_from is not None:
            oldest = min(oldest, self._held_from)
        while self._windows[0].end <= oldest:
            self._windows.popleft()

    def hold(self, position: int) -> None:
        """Keep everything from `position` on; the turn machine bounds how long."""
        self._held_from = position

    def let_go(self) -> None:
        """Only the newest seconds are kept again, from the next window on."""
        self._held_from = None

    def cut(self, start: int, end: int, *, at_least_s: float) -> Pcm16:
        """The sound from `start` to `end`, with one gain, padded with silence to `at_least_s`."""
        sound = self._between(start, end)
        pcm = to_pcm16(sound * np.float32(utterance_gain(sound)))
        missing = int(at_least_s * HEARING_RATE) - len(pcm)
        return np.pad(pcm, (0, missing)) if missing > 0 else pcm

    def since(self, start: int) -> Samples:
        """The sound from `start` on, as it came."""
        return self._between(start, self.end)

    def _between(self, start: int, end: int) -> Samples:
        pieces = [
            w.samples[max(start - w.position, 0) : max(end - w.position, 0)]
            for w in self._windows
            if w.end > start and w.position < end
        ]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
