"""Whether an Opus payload repeats the end of the one before it (in-band error correction).

Decoders use what is there and conceal where nothing is, without a word; this tells which it was.
"""

_SILK_FRAMES = (1, 1, 2, 3)
"""Of 20 ms or less in one SILK frame of 10, 20, 40, 60 ms (RFC 6716 §4.2.2)."""


def carries_correction(payload: bytes) -> bool:
    """By the LBRR flags that follow the flags of voice activity in the first frame (RFC 6716 §4.2.3 and
    §4.2.4). Of a packet of several frames it repeats the last frame before it."""
    toc = payload[0] if payload else 0xFF
    configuration, stereo = toc >> 3, toc & 0x04
    start = _first_frame(payload)
    if configuration >= 16 or len(payload) <= start + 1:
        return False  # CELT has no error correction; a frame of no or one byte is silence
    activity = _SILK_FRAMES[configuration & 3] if configuration < 12 else 1
    flags = payload[start]
    # Per channel: a flag of voice activity for each 20 ms, then the flag that is looked for.
    middle = flags >> (7 - activity) & 1
    side = flags >> (6 - 2 * activity) & 1 if stereo else 0
    return bool(middle or side)


def _first_frame(payload: bytes) -> int:
    """Where it begins, behind lengths and counts (RFC 6716 §3.2); beyond the end if it does not fit."""
    code = payload[0] & 0x03 if payload else 0
    if code < 2:
        return 1
    if code == 2:
        return 1 + _length_bytes(payload, 1)
    if len(payload) < 2:
        return 2
    frames, padded, uneven = payload[1] & 0x3F, payload[1] & 0x40, payload[1] & 0x80
    start = 2
    while padded and start < len(payload):
        start += 1
        padded = payload[start - 1] == 255  # a count of 255 goes on in the next byte
    for _ in range(frames - 1 if uneven else 0):
        start += _length_bytes(payload, start)
    return start


def _length_bytes(payload: bytes, at: int) -> int:
    """A frame's length takes one byte or two (§3.2.1)."""
    return 1 if at < len(payload) and payload[at] < 252 else 2
