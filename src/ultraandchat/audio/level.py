"""How loud sound is, and how it is made even: levels, DC removal, one gain per utterance, fades."""

import math

import numpy as np

from ultraandchat.audio.frame import Samples

QUIETEST_DBFS = -120.0
"""Digital silence has no level in dB; this stands for it (below the 16-bit noise floor of −98)."""


def dbfs(samples: Samples) -> float:
    """RMS level relative to a full-scale square wave, in dB."""
    if not len(samples):
        return QUIETEST_DBFS
    power = float(np.dot(samples, samples)) / len(samples)
    return max(10.0 * math.log10(power), QUIETEST_DBFS) if power > 1e-12 else QUIETEST_DBFS


class DcFilter:
    """Takes a constant offset off a stream: y[n] = x[n] − x[n−1] + r·y[n−1], a one-pole high-pass.

    `r` puts the corner at 20 Hz for 16 kHz, below any voice; cheap microphones sit off zero by up to
    a few percent. Solved for a whole run at once: y[n]·r⁻ⁿ is a running sum, in float64 so that
    r⁻ⁿ stays exact over the 512 samples handled at a time.
    """

    CORNER_HZ = 20.0
    _RUN = 512

    def __init__(self, rate: int) -> None:
        self._r = float(1.0 - 2.0 * np.pi * self.CORNER_HZ / rate)
        powers = self._r ** np.arange(self._RUN + 1)
        self._decay = powers[1:]
        self._growth = 1.0 / powers[1:]
        self._last_in = 0.0
        self._last_out = 0.0
        self._begun = False

    def feed(self, samples: Samples) -> Samples:
        """The same run without its offset. The first sample ever sets the starting offset."""
        if not len(samples):
            return samples
        if not self._begun:
            self._begun = True
            self._last_in = float(samples[0])
        if len(samples) <= self._RUN:
            return self._step(samples)
        starts = range(0, len(samples), self._RUN)
        return np.concatenate([self._step(samples[at : at + self._RUN]) for at in starts])

    def _step(self, samples: Samples) -> Samples:
        n = len(samples)
        x = samples.astype(np.float64)
        y = x * self._growth[:n]  # x[n] − x[n−1], times r⁻ⁿ; np.diff costs four times as much
        y[1:] -= x[:-1] * self._growth[1:n]
        y[0] += self._last_out - self._last_in * self._growth[0]
        np.add.accumulate(y, out=y)
        y *= self._decay[:n]
        self._last_in, self._last_out = x.item(-1), y.item(-1)
        return y.astype(np.float32)


SPEECH_DBFS = -20.0
"""Level utterances are brought to: where read speech of the common corpora lies."""
MOST_GAIN_DB = 24.0
"""More would lift a quiet room's noise to speech."""
HIGHEST_PEAK = 0.98


def utterance_gain(samples: Samples) -> float:
    """The one factor that brings an utterance to `SPEECH_DBFS` without clipping. Never per frame:
    a gain that moves inside a sentence is heard by the model as someone turning a knob.

    The level is taken over the loudest half of its 32 ms windows, so that pauses do not count.
    """
    windows = samples[: len(samples) // 512 * 512].reshape(-1, 512)
    if not len(windows):
        return 1.0
    power = np.sort(np.mean(np.square(windows), axis=1))[len(windows) // 2 :]
    level = 10.0 * float(np.log10(max(float(np.mean(power)), 1e-12)))
    gain = 10.0 ** (min(SPEECH_DBFS - level, MOST_GAIN_DB) / 20.0)
    peak = float(np.max(np.abs(samples)))
    return float(min(gain, HIGHEST_PEAK / peak)) if peak > 0 else 1.0


def fade_out(samples: Samples, over: int) -> Samples:
    """`samples` falling to zero over the first `over` samples (raised cosine), silence after."""
    made = np.zeros_like(samples)
    n = min(over, len(samples))
    made[:n] = samples[:n] * _half_cosine(n)[::-1]
    return made


def fade_in(samples: Samples, over: int) -> Samples:
    """`samples` rising from zero over the first `over` samples (raised cosine)."""
    made = samples.copy()
    n = min(over, len(samples))
    made[:n] *= _half_cosine(n)
    return made


def _half_cosine(n: int) -> Samples:
    """0 → 1 over `n` samples."""
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(n, dtype=np.float32) + 0.5) / max(n, 1))).astype(
        np.float32
    )
