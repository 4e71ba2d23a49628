"""RTP packets as bytes and as values (RFC 3550 §5.1), and arithmetic on numbers that wrap around.

The first station of a caller's sound behind decryption. Any bytes give an `RtpPacket` or `BadPacket`.
"""

import struct
from typing import NamedTuple

_FIXED = struct.Struct("!BBHII")
_PLAIN = 0x80  # version 2, no padding, no extension, no CSRC
_PADDED, _EXTENDED, _SOURCES = 0x20, 0x10, 0x0F


class BadPacket(ValueError):
    """These bytes are no RTP packet: the sender's fault, or something else on its port."""


class RtpPacket(NamedTuple):
    """One packet, without what only routers and mixers read."""

    payload_type: int
    """0…127."""
    marker: bool
    """For sound: the first packet of a talkspurt (RFC 3551 §4.1)."""
    sequence: int
    """16 bits, one more with each packet."""
    timestamp: int
    """32 bits, samples of the sender's media clock (48 kHz for Opus whatever its bandwidth, RFC 7587 §4.1)."""
    ssrc: int
    """32 bits, which stream it is of."""
    payload: bytes


def parse(data: bytes) -> RtpPacket:
    """A decrypted packet; header extensions, contributing sources and padding are taken off."""
    if len(data) < _FIXED.size:
        raise BadPacket(f"an RTP packet has at least {_FIXED.size} bytes, this one {len(data)}")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    payload = data[_FIXED.size :] if first == _PLAIN else _payload(first, data)
    return RtpPacket(second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, payload)


def _payload(first: int, data: bytes) -> bytes:
    if first >> 6 != 2:
        raise BadPacket(f"RTP is version 2, this says {first >> 6}")
    start, end = _FIXED.size + 4 * (first & _SOURCES), len(data)
    if first & _EXTENDED:
        if end < start + 4:
            raise BadPacket("the packet ends inside its header extension")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    if start > end:
        raise BadPacket("the packet ends inside its header")
    if first & _PADDED:
        padding = data[-1] if end > start else 0
        if not 0 < padding <= end - start:
            raise BadPacket("the padding is longer than what it pads")
        end -= padding
    return data[start:end]


def build(packet: RtpPacket) -> bytes:
    """The bytes of an outgoing packet: 12 bytes of header, then the payload."""
    kind, marker, sequence, timestamp, ssrc, payload = packet
    return _FIXED.pack(_PLAIN, marker << 7 | kind, sequence, timestamp, ssrc) + payload


def sequences_ahead(sequence: int, of: int) -> int:
    """How far one sequence number is ahead of another, −32768…32767 (RFC 1982 with 16 bits)."""
    return ((sequence - of + 0x8000) & 0xFFFF) - 0x8000


def samples_ahead(timestamp: int, of: int) -> int:
    """How far one timestamp is ahead of another, −2³¹…2³¹−1 (RFC 1982 with 32 bits)."""
    return ((timestamp - of + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000
