"""What benchmark callers send, made beforehand: near-silence, a real voice that ends abruptly, and what
comes right after it. Frame by frame the same for both ways: PCM for the WebSocket, Opus for WebRTC.
"""

import wave
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from ultraandchat.audio.frame import FRAME_MS, HEARING_RATE, PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.audio.resample import Resampler

CLIP = Path(__file__).parent.parent / "tests/data/speech/jfk.wav"
CLIP_S = (8.18, 10.40)
"""2.2 s of a real voice ("ask what you can do for your country") without an inner pause over 60 ms,
cut so that it ends abruptly: Silero lets go of it 14 ms after its end (mean over alignments to its
32 ms windows), where other clips take up to 76 ms. The part of it that is not silence counts as ours."""
FRAME = HEARING_RATE * FRAME_MS // 1000
HUSH_DEVIATION = 16 / 32_768
"""Of white noise: -66 dBFS, a quiet room through a good microphone; nobody's gate takes it for speech."""
HUSH = range(50)
"""Frames of near-silence, 1 s, to be sent over and over."""
TAIL_FRAMES = 5
"""Encoded right behind the voice: an encoder holds up to 6.5 ms of it back."""
BITRATE, COMPLEXITY = 32_000, 9
"""As Chromium encodes a microphone; in wide band (8 kHz), as our answer asks and as it was seen to do."""


@dataclass(frozen=True)
class Sounds:
    """Frames of 20 ms by number: those of `HUSH`, then `voice`, then `tail`."""

    pcm: list[bytes]
    """PCM16 at 16 kHz."""
    opus: list[bytes]
    """Payloads of mono Opus at 48 kHz."""
    voice: range
    tail: range


def sounds(loss: float = 0.0) -> Sounds:
    """All of it; `loss` is what the encoder is told to expect, as a browser's is by reports."""
    with wave.open(str(CLIP)) as wav:
        pcm = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
    cut = pcm[int(CLIP_S[0] * HEARING_RATE) : int(CLIP_S[1] * HEARING_RATE)]
    voice = cut[: len(cut) // FRAME * FRAME].astype(np.float32) / 32_768
    noise = np.random.default_rng(1)

    def hush(frames: int) -> Samples:
        return noise.normal(0, HUSH_DEVIATION, frames * FRAME).astype(np.float32)

    whole = np.concatenate([hush(len(HUSH)), voice, hush(TAIL_FRAMES)])
    end = len(HUSH) + len(voice) // FRAME
    frames = np.clip(np.round(32_768 * whole), -32_768, 32_767).astype("<i2").reshape(-1, FRAME)
    return Sounds(
        [frame.tobytes() for frame in frames],
        _encoded(whole, loss),
        range(len(HUSH), end),
        range(end, end + TAIL_FRAMES),
    )


def _encoded(whole: Samples, loss: float) -> list[bytes]:
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = PLAYOUT_RATE, "mono", "flt"
    encoder.bit_rate = BITRATE
    encoder.options = {
        "application": "voip",
        "cutoff": str(HEARING_RATE // 2),
        "compression_level": str(COMPLEXITY),
        "fec": "1",
        "packet_loss": str(round(100 * loss)),
    }
    resampler = Resampler(HEARING_RATE, PLAYOUT_RATE)
    made = resampler.feed(AudioFrame(whole, HEARING_RATE, 0)) + resampler.flush()
    size = PLAYOUT_RATE * FRAME_MS // 1000
    wide = np.concatenate([frame.samples for frame in made])[: len(whole) // FRAME * size]
    wide = np.pad(wide, (0, len(whole) // FRAME * size - len(wide)))
    payloads = []
    for samples in wide.reshape(-1, size):
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = PLAYOUT_RATE
        payloads += [bytes(packet) for packet in encoder.encode(frame)]
    assert len(payloads) == len(whole) // FRAME
    return payloads
