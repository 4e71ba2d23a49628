"""Streaming resampling: the filter's state lives between frames, so there is no click at a joint.

FFmpeg's resampler (through PyAV) holds back about 1 ms; soxr at its default holds back 20–40 ms.
"""

import av
import numpy as np
from av.audio.resampler import AudioResampler

from ultraandchat.audio.frame import AudioFrame


class Resampler:
    """One stream from `source` Hz to `target` Hz. A gap in positions restarts the filter."""

    def __init__(self, source: int, target: int) -> None:
        self.source = source
        self.target = target
        self._expected: int | None = None
        self._out = 0
        self._filter = self._fresh()

    def feed(self, frame: AudioFrame) -> list[AudioFrame]:
        """What is ready of the sound so far; positions are counted at the target rate."""
        if frame.rate != self.source:
            raise ValueError(f"fed {frame.rate} Hz to a resampler from {self.source} Hz")
        if self.source == self.target:
            return [frame]
        ready: list[AudioFrame] = []
        if frame.position != self._expected:
            if self._expected is not None:
                ready = self.flush()
            self._out = round(frame.position * self.target / self.source)
        self._expected = frame.end
        if not len(frame.samples):
            return ready
        given = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(frame.samples, dtype=np.float32).reshape(1, -1),
            format="fltp",
            layout="mono",
        )
        given.sample_rate = self.source
        return ready + self._taken(self._filter.resample(given))

    def flush(self) -> list[AudioFrame]:
        """The rest, at the end of a stretch of sound; the next frame starts anew."""
        if self.source == self.target or self._expected is None:
            return []
        rest = self._taken(self._filter.resample(None))
        self._filter = self._fresh()
        self._expected = None
        return rest

    def _fresh(self) -> AudioResampler:
        return AudioResampler(format="fltp", layout="mono", rate=self.target)

    def _taken(self, made: list[av.AudioFrame]) -> list[AudioFrame]:
        frames = []
        for one in made:
            samples = one.to_ndarray()[0].astype(np.float32, copy=False)
            if len(samples):
                frames.append(AudioFrame(samples, self.target, self._out))
                self._out += len(samples)
        return frames
