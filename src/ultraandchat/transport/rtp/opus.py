"""Opus as the RTP path wants it: what a decoder and an encoder promise, and which library is here.

On the way in it stands behind the reordering buffer and gives what models hear, concealed where a
packet is missing; on the way out between pacer and packets. Both are called in the loop.
"""

from typing import Protocol

from ultraandchat.audio.frame import HEARING_RATE, Samples
from ultraandchat.transport.rtp.av_opus import AvOpus, OpusUnavailable
from ultraandchat.transport.rtp.libopus import Libopus
from ultraandchat.transport.rtp.opus_payload import OPUS_RATE, OpusError, duration

__all__ = [
    "OPUS_RATE",
    "Opus",
    "OpusDecoder",
    "OpusEncoder",
    "OpusError",
    "OpusUnavailable",
    "duration",
    "find_opus",
]


class OpusDecoder(Protocol):
    """One stream, mono at `rate`, within −1…1. Stereo is mixed down. Every array is the caller's own."""

    @property
    def rate(self) -> int:
        """Hz of all that comes out."""
        ...

    def decode(self, payload: bytes) -> Samples:
        """All that `payload` holds: `duration(payload, rate)` samples. `OpusError` if it is no Opus."""
        ...

    def recover(self, payload: bytes, samples: int) -> Samples:
        """The `samples` lost just before `payload`, from its in-band error correction.

        Concealed where it carries none. `decode(payload)` comes next. Raises `OpusError`.
        """
        ...

    def conceal(self, samples: int) -> Samples:
        """`samples` of something like what was heard last, fading. The caller bounds their number."""
        ...

    def reset(self) -> None:
        """Forget what was heard, as if just made."""
        ...


class OpusEncoder(Protocol):
    """Mono, 48 kHz, one payload for every 20 ms; never silent payloads of its own accord (no DTX)."""

    @property
    def lookahead(self) -> int:
        """Samples at 48 kHz by which what is decoded comes later than what went in."""
        ...

    def encode(self, samples: Samples) -> bytes:
        """960 samples in, one payload out."""
        ...

    def adapt(self, *, bitrate: int, loss_percent: int) -> None:
        """What a receiver reports: bits/s it can take, and how much it loses. Cheap when unchanged.

        Held within what Opus has (6,000…510,000 and 0…100): a report may say anything.
        """
        ...

    def reset(self) -> None:
        """Forget what was encoded, as if just made; what `adapt` set stays."""
        ...


class Opus(Protocol):
    """A library that has Opus."""

    @property
    def name(self) -> str:
        """ "libopus 1.6.1 (of PyAV)", "libopus 1.3.1 (of the system)", "PyAV's FFmpeg"."""
        ...

    @property
    def conceals(self) -> bool:
        """A lost packet is made up for from what was heard, not only faded away."""
        ...

    @property
    def recovers(self) -> bool:
        """In-band error correction is used."""
        ...

    def decoder(self, rate: int = HEARING_RATE) -> OpusDecoder:
        """`rate`: 8, 12, 16, 24 or 48 kHz. At 16 kHz nothing is resampled after it."""
        ...

    def encoder(self, *, bitrate: int, complexity: int, fec: bool) -> OpusEncoder:
        """`complexity` 0…10 buys quality with time; `fec` puts error correction in once loss is known."""
        ...


def find_opus() -> Opus:
    """The best that is here: libopus as PyAV's wheel brings it, the system's, PyAV's own face of it.

    PyAV's comes first because it is known and newer (1.6 conceals better than Debian's 1.3), and
    because with it every installation from wheels behaves alike. Raises `OpusUnavailable` only where
    PyAV was built without libopus and the system has none.
    """
    return next(Libopus.found(), None) or AvOpus()
