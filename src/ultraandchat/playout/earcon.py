"""The one tone that says "something went wrong": soft, short, never over speech."""

import numpy as np

from ultraandchat.audio.frame import PLAYOUT_RATE, Samples


def earcon() -> Samples:
    """Two falling tones (660, then 440 Hz), 240 ms in all, −20 dBFS peak, 48 kHz."""
    each = PLAYOUT_RATE * 120 // 1000
    t = np.arange(each) / PLAYOUT_RATE
    envelope = np.sin(np.pi * np.arange(each) / each) ** 2
    tones = [np.sin(2 * np.pi * hz * t) * envelope for hz in (660.0, 440.0)]
    return (0.1 * np.concatenate(tones)).astype(np.float32)
