"""Sound files for the command line and the examples: any wav in, 16-bit mono out."""

import struct
import wave
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from ultraandchat.audio.frame import Pcm16, Samples

LONGEST_S = 3600.0
"""An hour of sound is read (230 MB at 16 kHz), and no more: this is a caller, not an archive."""

RATES = range(4_000, 768_001)
"""Hz of files that hold sound; a header that says otherwise is not one of a wav."""

_UNKNOWN = (0, 0xFFFFFFFF)
"""RIFF sizes of files that were written to a pipe: their writer could not know."""


class NotWav(Exception):
    """The file cannot be read as sound; the text is one line that says why."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What could be read of a file."""

    samples: Samples
    """Mono, at the rate that was asked for."""
    warning: str = ""
    """What was wrong with the file, in one line; empty for nothing."""


def read_wav(path: Path, rate: int) -> Recorded:
    """PCM of 8, 16, 24 or 32 bits or float, any rate, channels mixed to one. Raises `NotWav`."""
    try:
        missing = _missing_bytes(path)
        samples, complete = _decode(path, rate)
    except OSError as error:
        if isinstance(error, av.FFmpegError):
            raise NotWav(f"{path}: this is no wav file") from None
        raise NotWav(f"{path}: {error.strerror}") from None
    except (ValueError, IndexError):  # FFmpeg's word for bytes that make no sense; no stream
        raise NotWav(f"{path}: this is no wav file") from None
    if not len(samples):
        raise NotWav(f"{path}: there is no sound in this file")
    seconds = len(samples) / rate
    if not complete:
        return Recorded(samples, f"{path}: only the first {seconds:.0f} s are read")
    if missing:
        return Recorded(
            samples, f"{path}: the file ends {missing} bytes early; {seconds:.2f} s are left of it"
        )
    return Recorded(samples)


def write_wav(path: Path, pcm: Pcm16, rate: int) -> None:
    """16-bit mono. Raises `OSError`."""
    with path.open("wb") as file, wave.open(file) as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm.astype("<i2", copy=False).tobytes())


def _missing_bytes(path: Path) -> int:
    """How much shorter the file is than its own header says."""
    with path.open("rb") as file:
        head = file.read(8)
    if len(head) < 8:
        return 0
    declared: int = struct.unpack_from("<I", head, 4)[0]
    return 0 if declared in _UNKNOWN else max(declared + 8 - path.stat().st_size, 0)


def _decode(path: Path, rate: int) -> tuple[Samples, bool]:
    """The sound, and whether that is all of it."""
    parts: list[Samples] = []
    count, most = 0, int(LONGEST_S * rate)
    with av.open(str(path), format="wav") as container:
        codec = container.streams.audio[0].codec_context
        if codec is None:
            raise NotWav(f"{path}: its sound is in no coding that is known here")
        if codec.rate not in RATES:
            raise NotWav(f"{path}: {codec.rate} Hz is no rate of sound")
        # Interleaved: PyAV 18.1 reads past the planes of a frame that has eight or more.
        resampler = av.AudioResampler(format="flt", rate=rate)
        for frame in container.decode(container.streams.audio[0]):
            for made in resampler.resample(frame):
                parts.append(_mixed(made))
                count += made.samples
            if count >= most:
                return np.concatenate(parts)[:most], False
        parts += [_mixed(made) for made in resampler.resample(None)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32), True


def _mixed(frame: av.AudioFrame) -> Samples:
    """The mean of the channels: FFmpeg's own mix makes two equal ones 3 dB louder, which clips."""
    channels = frame.to_ndarray().reshape(frame.samples, -1)
    mixed: Samples = channels.mean(axis=1, dtype=np.float32)
    return mixed
