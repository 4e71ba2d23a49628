"""The caller's sound on its way to turn-taking: 16 kHz, free of DC, in windows, voiced or not."""

from ultraandchat.audio.frame import HEARING_RATE, WINDOW, AudioFrame
from ultraandchat.audio.level import DcFilter
from ultraandchat.audio.resample import Resampler
from ultraandchat.audio.windows import Windows
from ultraandchat.engines.base import Engines
from ultraandchat.turn.activity import Activity
from ultraandchat.turn.policy import TurnPolicy


class Ear:
    """One conversation's. While `muted`, what is heard is silence, and media time goes on."""

    def __init__(self, engines: Engines, policy: TurnPolicy) -> None:
        self.muted = False
        self._resampler: Resampler | None = None
        self._dc = DcFilter(HEARING_RATE)
        self._windows = Windows(WINDOW)
        self._activity = Activity(policy, engines.gate.open(), engines.hearing.open())
        self._offset = 0
        self._end = 0

    def begin_stream(self) -> None:
        """Another transport: its positions start anew, ours go on."""
        self._resampler = None
        self._windows = Windows(WINDOW)
        self._activity.reset()
        self._offset = self._end

    @property
    def at_rest(self) -> bool:
        """Nothing has been loud enough for speech for a while."""
        return self._activity.at_rest

    @property
    def sensitivity(self) -> float | None:
        """The level below which the caller's sound is not speech, dBFS; None: the policy's."""
        return self._activity.threshold_dbfs

    @sensitivity.setter
    def sensitivity(self, dbfs: float | None) -> None:
        self._activity.threshold_dbfs = dbfs

    def hear(self, frame: AudioFrame) -> list[tuple[AudioFrame, bool]]:
        """Each window that `frame` completes, and whether it is voiced."""
        heard = []
        for ready in self._at_hearing_rate(frame):
            for window in self._windows.feed(ready):
                samples = window.samples * 0 if self.muted else self._dc.feed(window.samples)
                placed = AudioFrame(samples, window.rate, window.position + self._offset)
                self._end = placed.end
                heard.append((placed, self._activity.hear(samples)))
        return heard

    def _at_hearing_rate(self, frame: AudioFrame) -> list[AudioFrame]:
        if frame.rate == HEARING_RATE:
            return [frame]
        if self._resampler is None or self._resampler.source != frame.rate:
            self._resampler = Resampler(frame.rate, HEARING_RATE)
        return self._resampler.feed(frame)
