"""What an Opus payload says of itself before anything decodes it: how much sound it holds.

The first byte, the TOC, names mode, bandwidth and frame length (RFC 6716 section 3.1); with code 3 the
second says how many frames there are (section 3.2). Pure: the reordering buffer asks for every packet.
"""

OPUS_RATE = 48_000
"""Hz. RTP timestamps of Opus count at it whatever the sender recorded at (RFC 7587 section 4.1)."""

LONGEST = OPUS_RATE * 120 // 1000
"""Samples at 48 kHz: no payload may hold more than 120 ms (RFC 6716 section 3.2.5, R5)."""


class OpusError(ValueError):
    """A payload that is no Opus: the peer's fault."""


def _frame(toc: int) -> int:
    """Samples at 48 kHz of one frame, from the configuration in the upper five bits."""
    configuration = toc >> 3
    if configuration < 12:  # SILK only: 10, 20, 40, 60 ms
        return (480, 960, 1920, 2880)[configuration & 3]
    if configuration < 16:  # hybrid: 10, 20 ms
        return (480, 960)[configuration & 1]
    return (120, 240, 480, 960)[configuration & 3]  # CELT only: 2.5, 5, 10, 20 ms


_FRAME = tuple(_frame(toc) for toc in range(256))
_WHOLE = tuple((_frame(toc), 2 * _frame(toc), 2 * _frame(toc), 0)[toc & 3] for toc in range(256))
"""Samples of the whole payload by its TOC; 0 where the second byte has the count."""


def duration(payload: bytes, rate: int) -> int:
    """Samples per channel at `rate` (8, 12, 16, 24 or 48 kHz) that `payload` holds.

    Raises `OpusError` for what no encoder makes: nothing at all, no frames, more than 120 ms.
    """
    if not payload:
        raise OpusError("the Opus payload is empty")
    whole = _WHOLE[payload[0]]
    if not whole:
        if len(payload) < 2:
            raise OpusError("the Opus payload ends before its number of frames")
        whole = _FRAME[payload[0]] * (payload[1] & 0x3F)
        if not 0 < whole <= LONGEST:
            raise OpusError(f"the Opus payload claims {whole * 1000 // OPUS_RATE} ms of sound")
    return whole * rate // OPUS_RATE
