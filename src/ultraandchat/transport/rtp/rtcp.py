"""RTCP of one stream each way: what we sent, how what came fared, and what the peer says of ours.

Parsing and packing are aiortc's; this is the arithmetic of RFC 3550 §6.4. It is told the time.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from aiortc.rtp import (
    RtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
)

from ultraandchat.transport.rtp.reception import ReceptionReport

NTP_SECONDS = 2_208_988_800
"""Between the epochs of NTP (1900) and Unix (1970), RFC 5905 §6."""
LONGEST_ROUND_TRIP_S = 60.0
"""Of a report that says more, the sender's clock is wrong or it is made up."""
CNAME = 1
"""Item of a source description, RFC 3550 §6.5.1."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the peer said of our packets."""

    loss: float
    """Share lost since its last report, 0…1."""
    rtt_s: float | None
    """Round trip, where the report lets us tell."""


class Reports:
    """The reports of one path: `made` once a second, `take` for each that comes."""

    def __init__(self, ssrc: int, cname: str, now: float) -> None:
        self._ssrc = ssrc
        self._cname = cname.encode()
        self._ntp_at_zero = datetime.now(UTC).timestamp() + NTP_SECONDS - now
        self._theirs: tuple[int, float] | None = None  # middle of their NTP time, when it came
        self._sent: dict[int, float] = {}  # middle of our NTP times, the last few; see `made`

    def made(
        self,
        now: float,
        *,
        timestamp: int,
        packets: int,
        octets: int,
        reception: ReceptionReport | None,
    ) -> bytes:
        """A compound packet: sender's report and description (RFC 3550 §6.1)."""
        ntp = int((now + self._ntp_at_zero) * 2**32)
        middle = ntp >> 16 & 0xFFFFFFFF
        self._sent[middle] = now
        while len(self._sent) > 8:  # answers to older ones tell nothing new
            del self._sent[next(iter(self._sent))]
        info = RtcpSenderInfo(ntp, timestamp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
        about = [] if reception is None else [self._about(reception, now)]
        name = RtcpSourceInfo(ssrc=self._ssrc, items=[(CNAME, self._cname)])
        report = RtcpSrPacket(ssrc=self._ssrc, sender_info=info, reports=about)
        return bytes(report) + bytes(RtcpSdesPacket(chunks=[name]))

    def take(self, data: bytes, now: float) -> Told | None:
        """A compound packet of the peer's; what it says of ours. What cannot be read says nothing."""
        told = None
        try:
            packets = RtcpPacket.parse(data)
        except (ValueError, LookupError, TypeError, struct.error):
            return None
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                self._theirs = (packet.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF, now)
            if isinstance(packet, (RtcpSrPacket, RtcpRrPacket)):
                for report in packet.reports:
                    if report.ssrc == self._ssrc:
                        told = Told(report.fraction_lost / 256, self._round_trip(report, now))
        return told

    def _about(self, reception: ReceptionReport, now: float) -> RtcpReceiverInfo:
        theirs, came = self._theirs or (0, now)
        return RtcpReceiverInfo(
            ssrc=reception.ssrc,
            fraction_lost=reception.fraction_lost,
            packets_lost=max(min(reception.lost, 2**23 - 1), -(2**23)),
            highest_sequence=reception.highest_sequence,
            jitter=reception.jitter,
            lsr=theirs,
            dlsr=min(int((now - came) * 65_536), 0xFFFFFFFF) if theirs else 0,
        )

    def _round_trip(self, report: RtcpReceiverInfo, now: float) -> float | None:
        sent = self._sent.get(report.lsr)
        if sent is None:
            return None
        rtt = now - sent - report.dlsr / 65_536
        return max(rtt, 0.0) if -0.1 < rtt < LONGEST_ROUND_TRIP_S else None
