"""Reference clips as people have them: recorded speech in formats, lengths and states of all kinds."""

from io import BytesIO

import av
import numpy as np
from av.audio.fifo import AudioFifo

from tests.support.speech import clip
from ultraandchat.audio.frame import AudioFrame, Samples
from ultraandchat.audio.resample import Resampler

RATE = 16_000

READING = clip("jfk")
"""11 s of a real speaker; tests/data/speech/SOURCES.md."""


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def at(rate: int, samples: Samples) -> Samples:
    resampler = Resampler(RATE, rate)
    frames = [*resampler.feed(AudioFrame(samples, RATE, 0)), *resampler.flush()]
    return np.concatenate([frame.samples for frame in frames])


def encoded(
    samples: Samples,
    rate: int = RATE,
    format: str = "wav",
    codec: str = "pcm_s16le",
    channels: int = 1,
) -> bytes:
    """A file of this sound; `format` and `codec` as FFmpeg calls them."""
    file = BytesIO()
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    with av.open(file, "w", format=format) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        planes = np.ascontiguousarray(np.tile(samples, (channels, 1)), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(planes, "fltp", layout)
        frame.sample_rate = rate
        to = av.AudioResampler(stream.codec_context.format, stream.codec_context.layout, rate)
        fifo = AudioFifo()
        for made in [*to.resample(frame), *to.resample(None)]:
            made.pts = None
            fifo.write(made)
        while (part := fifo.read(stream.codec_context.frame_size or 1024)) is not None:
            container.mux(stream.encode(part))
        if (rest := fifo.read(0, partial=True)) is not None:
            container.mux(stream.encode(rest))
        container.mux(stream.encode(None))
    return file.getvalue()
