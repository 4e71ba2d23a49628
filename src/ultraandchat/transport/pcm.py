"""The binary frames of `/ws`: an 8-byte header, then mono PCM16. Bytes in, frames out; no socket.

Positions travel modulo 2³² (37 hours at 24 kHz) and are unwrapped here, so that nothing behind a
transport has to know.
"""

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE, AudioFrame, from_pcm16, to_pcm16
from ultraandchat.transport.base import ProtocolError
from ultraandchat.transport.wire import (
    CODEC_PCM16_16K,
    CODEC_PCM16_24K,
    HEADER,
    KIND_SOUND,
    MAX_SOUND_BYTES,
    BadMessage,
)

WIRE_RATE = 24_000
"""Hz of the sound that goes to the caller: all that a voice holds, at half the bytes of 48 kHz."""

LONGEST_GAP = 10 * HEARING_RATE
"""A jump further than 10 s is no lost sound but a caller that counts anew; so is any jump back (TCP
keeps the order). The stream then goes on without a gap."""

_WRAP = 1 << 32


class SoundParser:
    """One caller's stream of binary frames."""

    def __init__(self) -> None:
        self._sent = 0
        self._expected = 0
        self._begun = False

    def parse(self, data: bytes) -> AudioFrame:
        """The frame, 16 kHz; `BadMessage` for what is none, `ProtocolError` (1009) for too much."""
        if len(data) > MAX_SOUND_BYTES:
            raise ProtocolError(
                f"a frame of sound may have {MAX_SOUND_BYTES} bytes, this one had {len(data)}",
                code=1009,
            )
        if len(data) < HEADER.size:
            raise BadMessage(
                "bad_sound", f"a binary frame begins with {HEADER.size} bytes of header"
            )
        kind, codec, reserved, sent = HEADER.unpack_from(data)
        if kind != KIND_SOUND or reserved:
            raise BadMessage("bad_sound", f"there is no binary frame of kind {kind}")
        if codec != CODEC_PCM16_16K:
            raise BadMessage("bad_sound", f"sound comes as codec {CODEC_PCM16_16K}, not {codec}")
        if len(data) == HEADER.size:
            raise BadMessage("bad_sound", "the frame holds no sound")
        if len(data) % 2:
            raise BadMessage("bad_sound", "16-bit sound has an even number of bytes")
        pcm = np.frombuffer(data, dtype="<i2", offset=HEADER.size)
        return AudioFrame(from_pcm16(pcm), HEARING_RATE, self._placed(sent, len(pcm)))

    def _placed(self, sent: int, count: int) -> int:
        """Where a frame stands that says `sent`, counted without wrapping."""
        gap = (sent - self._sent) % _WRAP
        if not self._begun:
            self._begun = True
            self._expected = sent
        elif gap <= LONGEST_GAP:
            self._expected += gap
        position = self._expected
        self._sent = (sent + count) % _WRAP
        self._expected += count
        return position


def pack(frame: AudioFrame) -> bytes:
    """A frame at `WIRE_RATE` as it goes to the caller."""
    header = HEADER.pack(KIND_SOUND, CODEC_PCM16_24K, 0, frame.position % _WRAP)
    return header + to_pcm16(frame.samples).astype("<i2", copy=False).tobytes()
