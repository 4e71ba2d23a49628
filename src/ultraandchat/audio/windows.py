"""Any run of samples to windows of exactly one length, as voice activity wants them."""

import numpy as np

from ultraandchat.audio.frame import AudioFrame, Samples


class Windows:
    """Cuts one stream into windows of `size` samples, each with its media position.

    A gap of up to `fill` samples is filled with silence, so that a lost packet costs no window its
    place. A longer one ends the window under way (padded) and the next begins after the gap; sound
    that comes again or late is dropped.
    """

    def __init__(self, size: int, *, fill: int = 8_000) -> None:
        self.size = size
        self._fill = fill
        self._rest: list[Samples] = []
        self._held = 0
        self._position: int | None = None

    def feed(self, frame: AudioFrame) -> list[AudioFrame]:
        """The windows that `frame` completes."""
        if self._position is None:
            self._position = frame.position
        gap = frame.position - (self._position + self._held)
        samples = frame.samples
        ready: list[AudioFrame] = []
        if gap < 0:
            samples = samples[-gap:]
        elif gap > self._fill:
            ready = self._complete(frame.rate)
            self._position = frame.position
        elif gap:
            self._append(np.zeros(gap, np.float32))
        self._append(samples)
        return ready + self._cut(frame.rate)

    def _append(self, samples: Samples) -> None:
        if len(samples):
            self._rest.append(samples)
            self._held += len(samples)

    def _complete(self, rate: int) -> list[AudioFrame]:
        """The window under way, padded with silence."""
        if self._held:
            self._append(np.zeros(-self._held % self.size, np.float32))
        return self._cut(rate)

    def _cut(self, rate: int) -> list[AudioFrame]:
        if self._held < self.size or self._position is None:
            return []
        joined = np.concatenate(self._rest) if len(self._rest) > 1 else self._rest[0]
        whole = self._held - self._held % self.size
        start = self._position
        windows = [
            AudioFrame(joined[at : at + self.size], rate, start + at)
            for at in range(0, whole, self.size)
        ]
        self._position = start + whole
        self._held -= whole
        self._rest = [joined[whole:]] if self._held else []
        return windows
