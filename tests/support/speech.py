"""The recorded speech of tests/data/speech, noise to put over it, and windows of it."""

import json
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ultraandchat.audio.frame import WINDOW, Samples, from_pcm16

SPEECH = Path(__file__).parent.parent / "data" / "speech"

CLIPS = tuple(sorted(path.stem for path in SPEECH.glob("*.wav")))


def clip(name: str) -> Samples:
    """One recording, 16 kHz."""
    with wave.open(str(SPEECH / f"{name}.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return from_pcm16(np.frombuffer(file.readframes(file.getnframes()), "<i2"))


def transcript(name: str) -> str:
    facts = json.loads((SPEECH / "transcripts.json").read_text(encoding="utf-8"))
    words: str = facts[f"{name}.wav"]["transcript"]
    return words


def windows(samples: Samples) -> NDArray[np.float32]:
    """Whole windows of 512 samples, the rest padded with silence."""
    padded = np.concatenate([samples, np.zeros(-len(samples) % WINDOW, np.float32)])
    return padded.reshape(-1, WINDOW)


def noise(kind: str, length: int, seed: int) -> Samples:
    """White, pink or brown noise of RMS 1."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.normal(size=length))
    slope = {"white": 0.0, "pink": 0.5, "brown": 1.0}[kind]
    hz = np.fft.rfftfreq(length, 1 / 16_000)
    # Below 20 Hz nothing is heard; without the floor brown noise would be a wandering offset.
    spectrum *= np.where(hz < 20, 0.0, np.maximum(hz, 20) ** -slope)
    sound = np.fft.irfft(spectrum, length)
    return (sound / np.sqrt(np.mean(sound**2))).astype(np.float32)


def noisy(speech: Samples, kind: str, snr_db: float, seed: int, *, rms: float) -> Samples:
    """`speech` under noise `snr_db` below `rms`, the level of its words."""
    added = noise(kind, len(speech), seed) * np.float32(rms * 10 ** (-snr_db / 20))
    return np.clip(speech + added, -1.0, 1.0).astype(np.float32)
