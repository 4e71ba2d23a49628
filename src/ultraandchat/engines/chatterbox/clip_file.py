"""Reads the sound out of a file that anybody may have made: no format but those below, and never for long.

FFmpeg (through PyAV) knows hundreds of formats, some of which are lists of other files and addresses that it then
opens. So the first bytes decide here which one reader is asked, it may open nothing else, and how much comes out is
bounded. It is C all the same: `clip_process.py` runs this apart from the server.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import InputContainer

from ultraandchat.audio.frame import Samples

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
"""Of the formats that are read."""

DECODERS = frozenset(
    (
        *("aac", "alac", "flac", "libopus", "libvorbis", "mp3", "mp3float", "opus", "vorbis"),
        *("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"),
        *("pcm_s16be", "pcm_s24be", "pcm_s32be", "pcm_alaw", "pcm_mulaw"),
    )
)
"""No other one is opened, not for a look at a film or a picture in the file either."""

LONGEST_S = 300.0
"""A clip may be this long; reading stops there."""

KEPT_S = 60.0
"""Seconds of it that `read` hands out: the models hear 15, and some may be silence before the first word."""

LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000
"""Hz. Below is no telephone even, above no microphone."""

MOST_CHANNELS = 8

MOST_BYTES = 200_000_000
"""Of a file: five minutes of the largest format below, 24 bits at 96 kHz in stereo, are 173 MB."""

WHOLE = 0.9
"""Of the length that a file claims must be in it; else it was cut off."""

BELIEVED_S = 43_200.0
"""A longer claim is that of a program which wrote the head before it knew the length."""

FORMATS = "WAV, FLAC, MP3, Ogg, Opus or M4A"
NOT_AUDIO = f"this is no sound file that can be read; {FORMATS} can"
DAMAGED = "the file is damaged or was cut off"


class UnfitClip(Exception):
    """This clip cannot be a voice. Its text is one plain sentence for who chose it."""

    @property
    def reason(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Sound:
    """The beginning of a file's sound."""

    samples: Samples
    """The first `KEPT_S` at most, all channels mixed to one. May hold NaN where the file does."""
    rate: int
    seconds: float
    """Of the whole file."""


def read(source: Path | bytes) -> tuple[Samples, int]:
    """The clip's sound, `KEPT_S` of it at most, and its rate in Hz, as the file has it. `UnfitClip`."""
    sound = decoded(source)
    return sound.samples, sound.rate


def decoded(source: Path | bytes) -> Sound:
    """The same, and how long all of it is. `UnfitClip` where it is no audio, damaged or too long."""
    if isinstance(source, bytes):
        return _decoded(BytesIO(source), len(source))
    try:
        with source.open("rb") as file:
            return _decoded(file, source.stat().st_size)
    except OSError as error:
        raise UnfitClip(f"the file cannot be read ({error.strerror})") from None


def _decoded(file: BinaryIO, size: int) -> Sound:
    if size > MOST_BYTES:
        raise UnfitClip(f"the file has more than {MOST_BYTES // 1_000_000} MB")
    head = file.read(16)
    file.seek(0)
    name = _format(head)
    if name == "wav" and size < WHOLE * _riff_size(head):
        raise UnfitClip(f"{DAMAGED}: {size / _riff_size(head):.0%} of it is here")
    try:
        # Nothing but this file is opened: no address, no playlist, no reference inside a file.
        container = av.open(
            file,
            "r",
            format=name,
            options={
                "protocol_whitelist": "none",
                "format_whitelist": name,
                "codec_whitelist": ",".join(sorted(DECODERS)),
            },
            metadata_errors="replace",
        )
    except (av.FFmpegError, OSError, ValueError):
        raise UnfitClip(f"{DAMAGED}, or it is of a kind that cannot be read") from None
    with container:
        stream = next(iter(container.streams.audio), None)
        if stream is None:
            raise UnfitClip("there is no sound in this file")
        _refuse_strange(stream)
        return _collected(container, stream, exact=name in ("wav", "flac", "mov"))


def _format(head: bytes) -> str:
    """The name of FFmpeg's reader for a file that begins like this."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mov"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        return "mp3"
    if name := {b"fLaC": "flac", b"OggS": "ogg"}.get(head[:4]):
        return name
    raise UnfitClip(NOT_AUDIO)


def _riff_size(head: bytes) -> int:
    """Bytes of the file as a WAV's first words have it; 0 where the writer did not know it. FFmpeg reads over it."""
    size = int.from_bytes(head[4:8], "little")
    return size + 8 if size < 0x7FFFFF00 else 0


def _refuse_strange(stream: AudioStream) -> None:
    context: CodecContext | None = stream.codec_context
    if context is None:  # contrary to its type: FFmpeg has no decoder of that name
        raise UnfitClip(f"sound of a kind that nobody knows cannot be read; {FORMATS} can")
    coding = context.name
    if coding not in DECODERS:
        raise UnfitClip(f"sound of this kind ({coding}) cannot be read; {FORMATS} can")
    rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise UnfitClip(
            f"it is sampled at {rate} Hz; {LOWEST_RATE} to {HIGHEST_RATE} Hz can be used"
        )
    if not 1 <= channels <= MOST_CHANNELS:
        raise UnfitClip(f"it has {channels} channels; 1 to {MOST_CHANNELS} can be used")


def _collected(container: InputContainer, stream: AudioStream, *, exact: bool) -> Sound:
    """`exact`: the format writes down how long it is, so that a file which was cut off shows."""
    rate = stream.codec_context.sample_rate
    claimed = _claimed(stream) if exact else None
    kept: list[Samples] = []
    length, room = 0, round(KEPT_S * rate)
    try:
        for block in _blocks(container, stream, rate):
            length += len(block)
            if length > LONGEST_S * rate:
                raise UnfitClip(f"it is longer than {LONGEST_S / 60:.0f} minutes")
            if room > 0:
                kept.append(block[:room])
                room -= len(kept[-1])
    except (av.FFmpegError, ValueError):
        raise UnfitClip(_broken_off(length / rate)) from None
    if claimed is not None and length < WHOLE * claimed * rate:
        raise UnfitClip(f"{_broken_off(length / rate)} of {claimed:.1f} s")
    if not length:
        raise UnfitClip("there is no sound in this file")
    return Sound(np.concatenate(kept), rate, length / rate)


def _claimed(stream: AudioStream) -> float | None:
    if stream.duration is None or stream.time_base is None:
        return None
    seconds = float(stream.duration * stream.time_base)
    return seconds if 0 < seconds < BELIEVED_S else None


def _broken_off(seconds: float) -> str:
    return f"{DAMAGED}; it holds {seconds:.1f} s"


def _blocks(container: InputContainer, stream: AudioStream, rate: int) -> Iterator[Samples]:
    """What is decoded, packet by packet, its channels mixed to one."""
    for frame in container.decode(stream):
        if frame.sample_rate != rate:
            raise ValueError("the rate changes within the file")
        yield _mixed(frame)


def _mixed(frame: av.AudioFrame) -> Samples:
    """The mean of the channels, −1…1 (more where floats are louder), shape (samples,)."""
    values = frame.to_ndarray()
    channels = len(frame.layout.channels)
    if not frame.format.is_planar:  # (1, samples · channels)
        values = values.reshape(-1, channels).T
    mean: Samples = values.mean(axis=0, dtype=np.float32)
    match values.dtype:
        case np.uint8:
            return (mean - np.float32(128)) / np.float32(128)
        case np.int16:
            return mean / np.float32(2**15)
        case np.int32:
            return mean / np.float32(2**31)
        case _:
            return mean.astype(np.float32)
