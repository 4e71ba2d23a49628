"""Opus through PyAV alone, where no libopus can be loaded: all is heard, but a lost packet is a gap.

FFmpeg decodes at 48 kHz and has no way to say that a packet is missing, so what is heard is resampled
here and a gap is filled with the last 20 ms, fading.
"""

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from ultraandchat.audio.frame import HEARING_RATE, PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.audio.resample import Resampler
from ultraandchat.transport.rtp.opus_payload import OPUS_RATE, OpusError, duration

FRAME = PLAYOUT_RATE // 50
"""Samples of one encoded frame: 20 ms."""

CODEC = "libopus"
"""FFmpeg's own decoder and encoder, "opus", are not used: its encoder is experimental."""


class OpusUnavailable(RuntimeError):
    """No Opus anywhere on this machine: the operator's to mend."""


class AvDecoder:
    """One stream at `rate`, mono. As `OpusDecoder` says; 1 ms later than libopus itself, by its resampler."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._held = rate // 1000
        """FFmpeg's resampler keeps back 16 samples of 16 kHz; so many zeros stand before the sound."""
        self.reset()

    def reset(self) -> None:
        self._codec = _codec("r")
        self._position = 0
        self._resampler = Resampler(OPUS_RATE, self.rate)
        self._rest = np.zeros(self._held if self.rate != OPUS_RATE else 0, np.float32)
        self._last = np.zeros(self.rate // 50, np.float32)
        self._concealed = 0

    def decode(self, payload: bytes) -> Samples:
        length = duration(payload, self.rate)
        try:
            decoded = self._codec.decode(av.Packet(payload))
        except av.FFmpegError as error:
            raise OpusError(f"FFmpeg: {error.strerror}") from None
        for sound in decoded:
            self._take(sound.to_ndarray()[0].astype(np.float32) * np.float32(1 / 32768))
        made = np.zeros(length, np.float32)
        ready = self._rest[:length]
        made[: len(ready)] = ready
        self._rest = self._rest[length:]
        self._last = np.concatenate([self._last, made])[-len(self._last) :]
        self._concealed = 0
        return made

    def recover(self, payload: bytes, samples: int) -> Samples:
        """Concealed: FFmpeg does not give out what was sent twice."""
        duration(payload, self.rate)
        return self.conceal(samples)

    def conceal(self, samples: int) -> Samples:
        """The last 20 ms to and fro, which joins without a click: at full level once, gone after 60 ms."""
        run = len(self._last)
        at = self._concealed + np.arange(samples)
        self._concealed += samples
        gain = np.clip(1.5 - at / (2 * run), 0.0, 1.0)
        back_and_forth = np.concatenate([self._last[::-1], self._last])
        return (back_and_forth[at % (2 * run)] * gain).astype(np.float32)

    def _take(self, sound: Samples) -> None:
        frames = self._resampler.feed(AudioFrame(sound, OPUS_RATE, self._position))
        self._position += len(sound)
        # The filter may overshoot a loud sound by a little.
        ready = [np.clip(frame.samples, -1.0, 1.0) for frame in frames]
        self._rest = np.concatenate([self._rest, *ready])


class AvEncoder:
    """One stream, mono, 48 kHz, 20 ms a payload. `adapt` changes nothing: FFmpeg sets these at its start."""

    def __init__(self, *, bitrate: int, complexity: int, fec: bool) -> None:
        self._bitrate = bitrate
        self._options = {
            "application": "voip" if fec else "lowdelay",
            "frame_duration": "20",
            "vbr": "constrained",
            "compression_level": str(complexity),
            "fec": str(int(fec)),
            # Without a word of loss libopus puts no correction in, and FFmpeg takes no word later.
            "packet_loss": "5" if fec else "0",
        }
        self.reset()
        head = self._codec.extradata or b""
        self.lookahead = int.from_bytes(head[10:12], "little")
        """Pre-skip of the OpusHead that FFmpeg writes (RFC 7845 section 5.1)."""

    def encode(self, samples: Samples) -> bytes:
        if len(samples) != FRAME:
            raise ValueError(f"a frame to encode has {FRAME} samples, not {len(samples)}")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, dtype=np.float32).reshape(1, -1),
            format="flt",
            layout="mono",
        )
        frame.sample_rate = PLAYOUT_RATE
        frame.pts = self._position
        self._position += FRAME
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))

    def adapt(self, *, bitrate: int, loss_percent: int) -> None:
        """Without effect: what FFmpeg was opened with stays."""

    def reset(self) -> None:
        self._codec = _codec("w")
        self._codec.format = "flt"
        self._codec.bit_rate = self._bitrate
        self._codec.options = self._options
        self._codec.open()
        self._position = 0


class AvOpus:
    """PyAV's face of the libopus inside its FFmpeg. Raises `OpusUnavailable` where it has none."""

    name = "PyAV's FFmpeg"
    conceals = False
    recovers = False

    def __init__(self) -> None:
        if CODEC not in av.codecs_available:
            raise OpusUnavailable("PyAV was built without libopus, and the system has none")

    def decoder(self, rate: int = HEARING_RATE) -> AvDecoder:
        return AvDecoder(rate)

    def encoder(self, *, bitrate: int, complexity: int, fec: bool) -> AvEncoder:
        return AvEncoder(bitrate=bitrate, complexity=complexity, fec=fec)


def _codec(mode: str) -> AudioCodecContext:
    codec = av.CodecContext.create(CODEC, mode)  # type: ignore[call-overload]
    assert isinstance(codec, AudioCodecContext)
    codec.sample_rate = OPUS_RATE
    codec.layout = "mono"
    return codec
