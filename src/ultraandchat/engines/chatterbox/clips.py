"""Whether a reference clip can be somebody's voice, and what is kept of it. No torch.

Speech is what Silero takes for speech; the thresholds were measured on tests/data/speech and on what was made of it
(tests/engines/chatterbox/test_clips.py has the cases).
"""

import math
import wave
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ultraandchat.audio.frame import HEARING_RATE, WINDOW, AudioFrame, Samples, to_pcm16
from ultraandchat.audio.resample import Resampler
from ultraandchat.engines.chatterbox.clip_file import LONGEST_S as LONGEST_S
from ultraandchat.engines.chatterbox.clip_file import UnfitClip as UnfitClip
from ultraandchat.engines.chatterbox.clip_file import decoded
from ultraandchat.engines.chatterbox.clip_file import read as read
from ultraandchat.engines.silero import Silero

SHORTEST_S = 5.0
"""A clip must be longer, without the silence around it: Turbo refuses less (`prepare_conditionals`)."""

CUT_S = 30.0
"""Of an uploaded clip so much is kept: twice what the models hear."""

HIGHEST_KEPT = 48_000
"""Hz of what is kept; Chatterbox hears 24 kHz at most."""

MARGIN_S = 0.2
"""Left of the silence before the first word and after the last."""

SILENT_PEAK = 10 ** (-60 / 20)
"""A clip that never gets louder is silence: 33 steps of 16 bits."""

QUIETEST = 10 ** (-40 / 20)
"""Peaks below it leave 8 bits of 16: what is raised then is mostly noise."""

PEAK = 10 ** (-3 / 20)
"""What is kept is brought to this peak: no coder clips it, and Turbo brings its loudness to −27 LUFS itself."""

CLIPPED = 0.01
"""Share of samples within a run of three at the very top. The 19 recordings have 0.00008 at most; 17 of them have 0.013
to 0.14 when they are cut off 12 dB below their peaks, and up to 0.05 at 6 dB. A clip that became an MP3 afterwards
has none: the coder rounds the tops off."""
TOP = 0.985
"""From this share of the peak on."""

SPEECH = 0.5
"""Silero's own threshold."""
LEAST_SPEECH = 0.02
"""Below this share of the windows nobody speaks: noise, tones and hum have 0.000, speech 0.39 and more."""
MOSTLY_SILENT = 0.3
"""Below this share between the first word and the last, a clip is mostly silence; readings have 0.6 to 1."""

DULL_HZ = 16_000
"""Sampled below it, nothing above 8 kHz is in it, where Chatterbox's voices have 12 kHz."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that can be a voice."""

    samples: Samples
    """From just before the first word, `CUT_S` at most, as loud as in the file."""
    rate: int
    seconds: float
    """Of `samples`."""
    remark: str = ""
    """What will be heard of its faults, in one sentence; empty for none."""


def check(source: Path | bytes) -> Clip:
    """The clip, where it can serve; `UnfitClip` says in one sentence why it cannot."""
    sound = decoded(source)
    samples, rate = sound.samples, sound.rate
    if not np.isfinite(samples).all():
        raise UnfitClip("it holds values that are no sound (NaN or infinity)")
    peak = float(np.abs(samples).max())
    if peak < SILENT_PEAK:
        raise UnfitClip("it is silent")
    if peak < QUIETEST:
        raise UnfitClip(f"it is too quiet: its peaks are at {_db(peak):.0f} dBFS, not above −40")
    if sound.seconds <= SHORTEST_S:
        raise UnfitClip(_too_short(sound.seconds))
    if clipped(samples) > CLIPPED:
        raise UnfitClip("it is clipped: it was recorded too loud, so its peaks are cut off")
    first, last = _spoken(samples / np.float32(peak), rate)
    margin = round(MARGIN_S * rate)
    kept = samples[max(first - margin, 0) : last + margin][: round(CUT_S * rate)]
    seconds = len(kept) / rate
    if seconds <= SHORTEST_S:
        raise UnfitClip(_too_short(seconds))
    dull = f"It was recorded at {rate / 1000:g} kHz, so this voice sounds dull."
    return Clip(kept, rate, seconds, dull if rate < DULL_HZ else "")


def clipped(samples: Samples) -> float:
    """Share of samples in a run of three at the top."""
    top = np.abs(samples) >= TOP * np.abs(samples).max()
    return float((top[2:] & top[1:-1] & top[:-2]).mean()) if len(samples) > 2 else 0.0


def wav(clip: Clip) -> bytes:
    """What is stored of an upload: a file of our own making, mono, 16 bits, at most 48 kHz."""
    rate = min(clip.rate, HIGHEST_KEPT)
    samples = _at(rate, clip.samples / np.float32(np.abs(clip.samples).max() / PEAK), clip.rate)
    file = BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(rate)
        made.writeframes(to_pcm16(samples).astype("<i2").tobytes())
    return file.getvalue()


def _spoken(samples: Samples, rate: int) -> tuple[int, int]:
    """Where the first word begins and the last one ends, in samples of the clip."""
    speech = _speech(_at(HEARING_RATE, samples, rate))
    at = np.flatnonzero(speech)
    if not len(at) or speech.mean() < LEAST_SPEECH:
        raise UnfitClip("nobody is heard to speak in it")
    first, end = int(at[0]), int(at[-1]) + 1
    if speech[first:end].mean() < MOSTLY_SILENT:
        raise UnfitClip("it is mostly silence: too little of it is speech")
    return first * WINDOW * rate // HEARING_RATE, end * WINDOW * rate // HEARING_RATE


def _speech(samples: Samples) -> NDArray[np.bool_]:
    """Of each window of 32 ms whether it is speech. 1.6 ms of computing for a second."""
    stream = Silero().open()
    starts = range(0, len(samples) - WINDOW + 1, WINDOW)
    return np.array([stream.probability(samples[at : at + WINDOW]) > SPEECH for at in starts], bool)


def _at(rate: int, samples: Samples, given: int) -> Samples:
    """The same sound at another rate."""
    resampler = Resampler(given, rate)
    frames = [*resampler.feed(AudioFrame(samples, given, 0)), *resampler.flush()]
    return np.concatenate([frame.samples for frame in frames])


def _too_short(seconds: float) -> str:
    return f"it is too short: {seconds:.1f} s of speech, and more than {SHORTEST_S:g} s are needed"


def _db(level: float) -> float:
    return 20 * math.log10(level)
