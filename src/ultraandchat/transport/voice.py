"""How the agent's voice is packed for a WebSocket: frames of 48 kHz in, binary frames of `/ws` out.

Silence sends nothing. Positions are the frames' own. No socket and no queue: what does not reach the
caller was dropped behind here, by a flush or because the caller is slow.
"""

from dataclasses import dataclass
from typing import Protocol

from ultraandchat.audio.frame import PLAYOUT_RATE, AudioFrame
from ultraandchat.audio.resample import Resampler
from ultraandchat.transport.frames import PCM_RATE, opus_frame, pcm_frame
from ultraandchat.transport.rtp.opus import Opus
from ultraandchat.transport.rtp.sender import NOTHING, SILENT_PACKET


@dataclass(frozen=True, slots=True)
class Coding:
    """Opus for WebSockets: which library, and how the agent's voice is packed with it."""

    opus: Opus
    bitrate: int
    complexity: int


class Voice(Protocol):
    """One codec of one caller."""

    def sound(self, frame: AudioFrame) -> list[bytes]:
        """20 ms of sound."""
        ...

    def silence(self, position: int) -> list[bytes]:
        """20 ms of nothing; what was held back of the sound before it comes out."""
        ...

    def drop(self) -> None:
        """What was packed last will not be heard, and the caller knows: begin anew."""
        ...


class PcmVoice:
    """PCM16 at 24 kHz."""

    def __init__(self) -> None:
        self._resampler = Resampler(PLAYOUT_RATE, PCM_RATE)

    def sound(self, frame: AudioFrame) -> list[bytes]:
        return [pcm_frame(part) for part in self._resampler.feed(frame)]

    def silence(self, position: int) -> list[bytes]:
        return [pcm_frame(part) for part in self._resampler.flush()]

    def drop(self) -> None:
        self._resampler.flush()


class OpusVoice:
    """One Opus packet for each 20 ms. Encoder and the caller's decoder stay in step: both go on where one
    packet follows the other, both begin anew behind a flush, and behind a silence a packet that stands
    for itself makes the decoder what the reset makes the encoder."""

    def __init__(self, coding: Coding) -> None:
        # TCP loses no packet, so none carries a correction for the one before it.
        self._encoder = coding.opus.encoder(
            bitrate=coding.bitrate, complexity=coding.complexity, fec=False
        )
        self._holds = False  # the encoder's look-ahead has the end of the sound
        self._apart = False  # the decoder still knows of sound that the encoder has forgotten

    def sound(self, frame: AudioFrame) -> list[bytes]:
        self._holds = self._apart = True
        return [opus_frame(self._encoder.encode(frame.samples), frame.position)]

    def silence(self, position: int) -> list[bytes]:
        if self._holds:
            self._holds = False  # sound may come next: then both simply go on
            return [opus_frame(self._encoder.encode(NOTHING), position)]
        if self._apart:
            self._apart = False
            self._encoder.reset()
            return [opus_frame(SILENT_PACKET, position)]
        return []

    def drop(self) -> None:
        self._encoder.reset()
        self._holds = self._apart = False
