"""Whether an Opus payload repeats the end of the one before it (in-band error correction).

Decoders use what is there and conceal where nothing is, without a word; this tells which it was.
"""

_SILK_FRAMES = (1, 1, 2, 3)
"""Of 20 ms or less in one SILK frame of 10, 20, 40, 60 ms (RFC 6716 §4.2.2)."""


def carries_correction(payload: bytes) -> bool:
    """By the LBRR flags that follow the flags of voice activity (RFC 6716 §4.2.3 and §4.2.4).

    Packets of an arbitrary number of frames (code 3) are not looked into: no browser sends them.
    """
    toc = payload[0] if payload else 0xFF
    configuration, stereo, code = toc >> 3, toc & 0x04, toc & 0x03
    if configuration >= 16 or code == 3:  # CELT has no error correction
        return False
    start = 1
    if code == 2:  # the first frame's length stands before it, in one byte or two (§3.2.1)
        start = 2 if len(payload) > 1 and payload[1] < 252 else 3
    if len(payload) <= start + 1:  # a frame of no or one byte is silence
        return False
    activity = _SILK_FRAMES[configuration & 3] if configuration < 12 else 1
    flags = payload[start]
    # Per channel: a flag of voice activity for each 20 ms, then the flag that is looked for.
    middle = flags >> (7 - activity) & 1
    side = flags >> (6 - 2 * activity) & 1 if stereo else 0
    return bool(middle or side)
