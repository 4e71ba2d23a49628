"""RTP streams for tests, and a decoder whose every sample can be told from an invented one."""

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE, Samples
from ultraandchat.transport.rtp.opus import OpusError
from ultraandchat.transport.rtp.packet import RtpPacket, build

FRAME = 960
FIRST_SEQUENCE, FIRST_TIMESTAMP = 65_530, 2**32 - 2_000
"""Both wrap around within the first packets of every story."""


def packet(number: int, *, payload: bytes = b"sound", shift: int = 0) -> RtpPacket:
    """The `number`th packet of a stream, 20 ms each."""
    sequence = (FIRST_SEQUENCE + number) & 0xFFFF
    timestamp = (FIRST_TIMESTAMP + number * FRAME + shift) & 0xFFFF_FFFF
    return RtpPacket(111, False, sequence, timestamp, 1, payload)


def number(of: RtpPacket) -> int:
    return (of.sequence - FIRST_SEQUENCE) & 0xFFFF


TOC = b"\xf8"
"""Of a payload with one frame of 20 ms."""
SILENT = TOC
"""What a sender with DTX says last."""

CONCEALED, RECOVERED = 2.0, 3.0
"""Levels no recording has."""


class PlainDecoder:
    """Takes payloads of `TOC` and 320 floats (16 kHz) as they are, and keeps no state."""

    rate = HEARING_RATE

    def __init__(self) -> None:
        self.resets = 0

    def decode(self, payload: bytes) -> Samples:
        if payload == SILENT:
            return np.zeros(320, np.float32)
        if len(payload) != 1 + 4 * 320:
            raise OpusError("not 20 ms")
        return np.frombuffer(payload[1:], np.float32)

    def recover(self, payload: bytes, samples: int) -> Samples:
        return np.full(samples, RECOVERED, np.float32)

    def conceal(self, samples: int) -> Samples:
        return np.full(samples, CONCEALED, np.float32)

    def reset(self) -> None:
        self.resets += 1


def plain(sound: Samples) -> bytes:
    """320 samples as a payload for `PlainDecoder`."""
    return TOC + sound.astype(np.float32).tobytes()


def plain_stream(sound: Samples, *, ssrc: int = 1) -> list[tuple[float, bytes]]:
    """Sound at 16 kHz as RTP packets of 20 ms with the instants at which they are sent."""
    return [
        (0.02 * n, build(packet(n, payload=plain(sound[at : at + 320]))._replace(ssrc=ssrc)))
        for n, at in enumerate(range(0, len(sound) - 319, 320))
    ]
