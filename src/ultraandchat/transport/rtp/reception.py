"""What a receiver tells its sender about the packets (RFC 3550 §6.4.1): loss and jitter of one stream."""

from typing import NamedTuple

from ultraandchat.transport.rtp.media_time import RTP_RATE
from ultraandchat.transport.rtp.packet import samples_ahead
from ultraandchat.transport.rtp.reorder import MAX_DROPOUT, MAX_MISORDER

CLOCK_JUMP = 5 * RTP_RATE
"""Two packets further apart in one clock than in the other by this are no jitter: the sender's clock
was set anew."""


class ReceptionReport(NamedTuple):
    """One block of a receiver report, without the two fields of the last sender report."""

    ssrc: int
    fraction_lost: int
    """Since the last report, in 256ths, 0…255."""
    lost: int
    """Since the beginning, −2²³…2²³−1; negative when packets came twice."""
    highest_sequence: int
    """The highest sequence number, with the count of its wrap-arounds above 16 bits; 32 bits."""
    jitter: int
    """Interarrival jitter in timestamp units (48 kHz), 32 bits."""


class Reception:
    """One stream's statistics, after the example code of RFC 3550 (A.1, A.3, A.8)."""

    def __init__(self, ssrc: int) -> None:
        self.ssrc = ssrc
        self.jitter = 0.0
        """Interarrival jitter now, in timestamp units."""
        self._base: int | None = None
        self._highest = 0
        self._received = 0
        self._reported_expected = 0
        self._reported_received = 0
        self._confirmed_by: int | None = None
        self._timestamp = 0
        self._arrived = 0.0

    def take(self, sequence: int, timestamp: int, now: float) -> None:
        """A packet, in order of arrival."""
        ahead = (sequence - self._highest) & 0xFFFF
        if self._base is None:
            self._begin(sequence)
        elif ahead < MAX_DROPOUT:
            self._highest += ahead
        elif ahead < 0x10000 - MAX_MISORDER:
            if sequence != self._confirmed_by:
                self._confirmed_by = (sequence + 1) & 0xFFFF
                return
            self._begin(sequence)
        else:
            self._received += 1
            return  # it came out of order: its age would count as jitter twice
        self._received += 1
        self._vary(timestamp, now)

    def report(self) -> ReceptionReport | None:
        """What happened since the last report; None before the first packet."""
        if self._base is None:
            return None
        expected = self._highest - self._base + 1
        lost = max(-0x800000, min(expected - self._received, 0x7FFFFF))
        expected_since = expected - self._reported_expected
        lost_since = expected_since - (self._received - self._reported_received)
        self._reported_expected, self._reported_received = expected, self._received
        fraction = min(256 * lost_since // expected_since, 255) if lost_since > 0 else 0
        highest = self._highest & 0xFFFF_FFFF
        return ReceptionReport(self.ssrc, fraction, lost, highest, int(self.jitter))

    def _begin(self, sequence: int) -> None:
        self._base = self._highest = sequence
        self._received = self._reported_expected = self._reported_received = 0
        self._confirmed_by = None
        self._arrived = -1.0

    def _vary(self, timestamp: int, now: float) -> None:
        if self._arrived >= 0:
            moved = (now - self._arrived) * RTP_RATE - samples_ahead(timestamp, self._timestamp)
            if abs(moved) < CLOCK_JUMP:
                self.jitter += (abs(moved) - self.jitter) / 16
        self._timestamp, self._arrived = timestamp, now
