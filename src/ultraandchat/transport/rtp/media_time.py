"""Where packets stand in media time: how much sound is missing in front of one, and why.

Voice activity runs on media time, so what is missing has to be counted: what was lost, and what a
sender with discontinuous transmission (DTX) left out because it was silent. Told the time.
"""

from typing import NamedTuple

from ultraandchat.transport.rtp.packet import samples_ahead

RTP_RATE = 48_000
"""Hz of every Opus stream's timestamps (RFC 7587 §4.1)."""

LONGEST_GAP_S = 2.0
"""No gap is longer: so much silence ends any usual turn, and more would only be work for the detectors.
It is also five of the 400 ms after which a silent sender of Opus gives a sign of life (RFC 7587 §3.1.3):
when DTX was followed by nothing for so long, the network stands still and media time with it."""

JUMP_S = 1.0
"""Timestamps may run ahead of the time that passed by this much (a burst after a stall holds silences
of 400 ms); further, and the sender has begun to count anew."""

STEP_S = 0.020
"""Silence is told in steps of a usual packet."""

DTX_BYTES = 2
"""A payload of at most so many bytes says that nothing follows until there is something to hear
(RFC 6716 §2.1.9: a TOC byte and no frame, or one of a byte)."""

_MASK = 0xFFFF_FFFF


class Gap(NamedTuple):
    """Media time for which no packet came; behind a lost one stands the packet that follows it."""

    samples: int
    """At 48 kHz."""
    lost: bool
    """The sender had sound there. Otherwise it was silent and sent nothing."""


class MediaTime:
    """The timestamps of one stream, in the order of its packets."""

    def __init__(self) -> None:
        self._expected: int | None = None  # timestamp of what follows the last packet
        self._filled = 0  # samples of silence already told behind it
        self._arrived = 0.0
        self._duration = 0
        self._silent = False  # the last packet announced that nothing follows

    def place(
        self, timestamp: int, duration: int, *, silent: bool, missing: int, arrived: float
    ) -> list[Gap]:
        """The next packet: `duration` samples at 48 kHz, of which a DTX sender made the last if `silent`,
        `missing` packets given up in front of it. What is missing in front of its sound."""
        gaps = [] if timestamp == self._expected else self._gaps(timestamp, missing, arrived)
        self._expected = (timestamp + duration) & _MASK
        self._filled = 0
        self._arrived = max(arrived, self._arrived)
        self._duration = duration
        self._silent = silent
        return gaps

    def silence(self, now: float, patience: float) -> Gap | None:
        """What has become silence by `now`, as the last packet announced: a step of 20 ms is told when no
        packet came for it within `patience` seconds (a packet's length at least)."""
        if not self._silent:
            return None
        grace = max(patience, self._duration / RTP_RATE)
        since = min(now - self._arrived - grace, LONGEST_GAP_S)
        due = int(since / STEP_S) * int(STEP_S * RTP_RATE)
        if due <= self._filled:
            return None
        gap = Gap(due - self._filled, lost=False)
        self._filled = due
        return gap

    def _gaps(self, timestamp: int, missing: int, arrived: float) -> list[Gap]:
        if self._expected is None:
            return []
        ahead = samples_ahead(timestamp, self._expected)
        passed = int((arrived - self._arrived + JUMP_S) * RTP_RATE)
        if ahead > max(passed, missing * self._duration):
            return []
        samples = min(ahead - self._filled, int(LONGEST_GAP_S * RTP_RATE))
        if samples <= 0:  # it was told as silence before; or the sender's packets overlap
            return []
        lost = min(samples, missing * self._duration)
        quiet = samples - lost
        return [gap for gap in (Gap(quiet, lost=False), Gap(lost, lost=True)) if gap.samples]
