"""Opus as other senders make it: stereo, long and short frames, DTX, error correction. Made by FFmpeg."""

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from tests.support.speech import clip
from ultraandchat.audio.frame import AudioFrame, Samples
from ultraandchat.audio.resample import Resampler


def speech_48k(name: str) -> Samples:
    """One recording at the rate Opus takes, cut to whole 120 ms."""
    resampler = Resampler(16_000, 48_000)
    frames = resampler.feed(AudioFrame(clip(name), 16_000, 0)) + resampler.flush()
    samples = np.concatenate([frame.samples for frame in frames])
    return samples[: len(samples) // 5760 * 5760]


def tone(hz: float, seconds: float, *, rate: int = 48_000, level: float = 0.5) -> Samples:
    at = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hz * at)).astype(np.float32)


def payloads(
    samples: Samples,
    *,
    right: Samples | None = None,
    frame_ms: int = 20,
    application: str = "voip",
    bitrate: int = 32_000,
    loss_percent: int = 0,
) -> list[bytes]:
    """`samples` (48 kHz) encoded; with `right` they are the left channel of stereo."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate = 48_000
    encoder.layout = "mono" if right is None else "stereo"
    encoder.format = "flt"
    encoder.bit_rate = bitrate
    encoder.options = {
        "application": application,
        "frame_duration": str(frame_ms),
        "fec": str(int(loss_percent > 0)),
        "packet_loss": str(loss_percent),
    }
    encoder.open()
    sound = samples if right is None else np.stack([samples, right], axis=1).reshape(-1)
    length = 48 * frame_ms * (1 if right is None else 2)
    made = []
    for number, start in enumerate(range(0, len(sound) - length + 1, length)):
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(sound[start : start + length]).reshape(1, -1),
            format="flt",
            layout=encoder.layout.name,
        )
        frame.sample_rate = 48_000
        frame.pts = number * 48 * frame_ms
        made += [bytes(packet) for packet in encoder.encode(frame)]
    return made


def dtx(packets: list[bytes], *, quiet_from: int) -> list[bytes]:
    """As libopus sends a pause with DTX on: after 16 quiet packets bare first bytes, each 21st whole.

    FFmpeg does not pass the option on; the pattern is what libopus 1.6.1 made of speech and then noise.
    """
    begin = quiet_from + 16
    return [
        packet if number < begin or (number - begin) % 21 == 20 else packet[:1]
        for number, packet in enumerate(packets)
    ]
