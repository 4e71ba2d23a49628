"""The binary frames of `/ws`: an 8-byte header, then PCM16 or an Opus packet. Bytes in, frames out; no socket.

Positions travel modulo 2³² (24 hours at 48 kHz) and are unwrapped here, so that nothing behind a
transport has to know. They are one timeline whichever codec a frame has: a caller may change it.
"""

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE, AudioFrame, Samples, from_pcm16, to_pcm16
from ultraandchat.transport.base import ProtocolError
from ultraandchat.transport.rtp.opus import OPUS_RATE, Opus, OpusDecoder, OpusError
from ultraandchat.transport.wire import (
    CODEC_OPUS,
    CODEC_PCM16_16K,
    CODEC_PCM16_24K,
    HEADER,
    KIND_SOUND,
    MAX_SOUND_BYTES,
    BadMessage,
)

PCM_RATE = 24_000
"""Hz of the PCM16 that goes to the caller: all that a voice holds, at half the bytes of 48 kHz."""

MAX_OPUS_BYTES = 1_276
"""Of one Opus packet: the TOC byte and the largest frame there is (RFC 6716 §3.2.1)."""

LONGEST_GAP = 10 * OPUS_RATE
"""A jump further than 10 s is no lost sound but a caller that counts anew; so is any jump back (TCP
keeps the order). The stream then goes on without a gap."""

_WRAP = 1 << 32
_STEP = OPUS_RATE // HEARING_RATE


class SoundParser:
    """One caller's stream of binary frames."""

    def __init__(self, opus: Opus | None = None) -> None:
        """Without `opus` packets of it are refused."""
        self._opus = opus
        self._decoder: OpusDecoder | None = None  # from the first packet on
        self._sent = 0  # where the next frame stands by the caller's count, at 48 kHz
        self._expected = 0  # the same, counted here
        self._begun = False

    def parse(self, data: bytes) -> AudioFrame:
        """The frame, 16 kHz; `BadMessage` for what is none, `ProtocolError` (1009) for too much."""
        if len(data) > MAX_SOUND_BYTES:
            raise ProtocolError(
                f"a frame of sound may have {MAX_SOUND_BYTES} bytes, this one had {len(data)}",
                code=1009,
            )
        if len(data) < HEADER.size:
            raise _bad(f"a binary frame begins with {HEADER.size} bytes of header")
        kind, codec, reserved, sent = HEADER.unpack_from(data)
        if kind != KIND_SOUND or reserved:
            raise _bad(f"there is no binary frame of kind {kind}")
        if len(data) == HEADER.size:
            raise _bad("the frame holds no sound")
        if codec == CODEC_PCM16_16K:
            return self._placed(sent * _STEP, _pcm(data))
        if codec == CODEC_OPUS:
            return self._placed(sent, self._decoded(data[HEADER.size :]))
        raise _bad(f"sound comes as codec {CODEC_PCM16_16K} or {CODEC_OPUS}, not {codec}")

    def _decoded(self, packet: bytes) -> Samples:
        if self._opus is None:
            raise _bad("this server takes no Opus; send PCM16")
        if len(packet) > MAX_OPUS_BYTES:
            raise _bad(f"an Opus packet has at most {MAX_OPUS_BYTES} bytes, not {len(packet)}")
        if self._decoder is None:
            self._decoder = self._opus.decoder(HEARING_RATE)
        try:
            return self._decoder.decode(packet)
        except OpusError as error:
            raise _bad(f"the packet is no Opus ({error})") from None

    def _placed(self, sent: int, samples: Samples) -> AudioFrame:
        """Sound that stands at `sent` (48 kHz) by its caller's count, where it stands by ours."""
        gap = (sent - self._sent) % _WRAP
        if not self._begun:
            self._begun = True
            self._expected = sent
        elif gap <= LONGEST_GAP:
            self._expected += gap
        position = self._expected
        length = len(samples) * _STEP
        self._sent = (sent + length) % _WRAP
        self._expected += length
        return AudioFrame(samples, HEARING_RATE, position // _STEP)


def pcm_frame(frame: AudioFrame) -> bytes:
    """A frame at `PCM_RATE` as it goes to the caller."""
    header = HEADER.pack(KIND_SOUND, CODEC_PCM16_24K, 0, frame.position % _WRAP)
    return header + to_pcm16(frame.samples).astype("<i2", copy=False).tobytes()


def opus_frame(packet: bytes, position: int) -> bytes:
    """An Opus packet as it goes to the caller; `position` at 48 kHz."""
    return HEADER.pack(KIND_SOUND, CODEC_OPUS, 0, position % _WRAP) + packet


def _pcm(data: bytes) -> Samples:
    if len(data) % 2:
        raise _bad("16-bit sound has an even number of bytes")
    return from_pcm16(np.frombuffer(data, dtype="<i2", offset=HEADER.size))


def _bad(text: str) -> BadMessage:
    return BadMessage("bad_sound", text)
