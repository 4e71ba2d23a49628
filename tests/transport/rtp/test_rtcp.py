"""Reports: what is said of sent and heard packets, the round trip from it, and any junk for one."""

import random

import pytest
from aiortc.rtp import (
    RtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
)
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.transport.rtp.reception import ReceptionReport
from ultraandchat.transport.rtp.rtcp import LONGEST_ROUND_TRIP_S, Reports

OURS, THEIRS = 0x1234, 0x5678


class End:
    """One end of a path whose clock begins at `clock`; instants are those of the world."""

    def __init__(self, ssrc: int, clock: float = 0.0) -> None:
        self._clock = clock
        self.reports = Reports(ssrc, "name", clock)

    def made(self, at: float, reception: ReceptionReport | None = None) -> bytes:
        return self.reports.made(
            self._clock + at, timestamp=960, packets=50, octets=4_000, reception=reception
        )

    def told(self, data: bytes, at: float) -> tuple[float, float | None] | None:
        told = self.reports.take(data, self._clock + at)
        return None if told is None else (told.loss, told.rtt_s)


def heard(ssrc: int, *, fraction_lost: int = 0, lost: int = 0) -> ReceptionReport:
    return ReceptionReport(ssrc, fraction_lost, lost, highest_sequence=70_000, jitter=48)


def answer(ssrc: int = OURS, *, lsr: int = 0, dlsr: int = 0, fraction_lost: int = 0) -> bytes:
    """A receiver report that says so of one stream."""
    info = RtcpReceiverInfo(ssrc, fraction_lost, 0, 0, 0, lsr, dlsr)
    return bytes(RtcpRrPacket(ssrc=THEIRS, reports=[info]))


def middle(report: bytes) -> int:
    """Of the NTP time in a sender report, as it comes back."""
    sender, _ = RtcpPacket.parse(report)
    assert isinstance(sender, RtcpSrPacket)
    return sender.sender_info.ntp_timestamp >> 16 & 0xFFFF_FFFF


def test_a_report_is_a_sender_report_and_a_name() -> None:
    sender, name = RtcpPacket.parse(End(OURS).made(5.0))
    assert isinstance(sender, RtcpSrPacket)
    assert isinstance(name, RtcpSdesPacket)
    assert (sender.ssrc, sender.reports) == (OURS, [])
    info = sender.sender_info
    assert (info.rtp_timestamp, info.packet_count, info.octet_count) == (960, 50, 4_000)
    assert name.chunks[0].items == [(1, b"name")]


def test_counters_beyond_32_bits_wrap() -> None:
    data = Reports(OURS, "x", 0.0).made(
        1.0, timestamp=2**32 - 1, packets=2**32 + 7, octets=2**32 + 8, reception=None
    )
    sender, _ = RtcpPacket.parse(data)
    assert isinstance(sender, RtcpSrPacket)
    assert (sender.sender_info.packet_count, sender.sender_info.octet_count) == (7, 8)


def test_two_reports_are_as_far_apart_as_they_were_made() -> None:
    end = End(OURS)
    first, second = (RtcpPacket.parse(end.made(at))[0] for at in (1.0, 2.5))
    assert isinstance(first, RtcpSrPacket)
    assert isinstance(second, RtcpSrPacket)
    apart = second.sender_info.ntp_timestamp - first.sender_info.ntp_timestamp
    assert apart / 2**32 == pytest.approx(1.5, abs=1e-5)


def test_what_came_is_told_with_how_it_fared() -> None:
    sender, _ = RtcpPacket.parse(End(OURS).made(5.0, heard(THEIRS, fraction_lost=64, lost=9)))
    assert isinstance(sender, RtcpSrPacket)
    (about,) = sender.reports
    assert (about.ssrc, about.fraction_lost, about.packets_lost) == (THEIRS, 64, 9)
    assert (about.highest_sequence, about.jitter) == (70_000, 48)
    assert (about.lsr, about.dlsr) == (0, 0)  # nothing came of theirs that could be answered


@pytest.mark.parametrize(("lost", "told"), [(2**40, 2**23 - 1), (-(2**40), -(2**23))])
def test_more_loss_than_fits_is_held_at_what_fits(lost: int, told: int) -> None:
    sender, _ = RtcpPacket.parse(End(OURS).made(5.0, heard(THEIRS, lost=lost)))
    assert isinstance(sender, RtcpSrPacket)
    assert sender.reports[0].packets_lost == told


@given(
    there=st.floats(0, 2),
    waits=st.floats(0, 30),
    back=st.floats(0, 2),
    clocks=st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)),
)
def test_the_round_trip_is_the_way_there_and_back_however_the_clocks_stand(
    there: float, waits: float, back: float, clocks: tuple[float, float]
) -> None:
    ours, theirs = End(OURS, clocks[0]), End(THEIRS, clocks[1])
    asked = ours.made(1.0)
    assert theirs.told(asked, 1.0 + there) is None
    answered = theirs.made(1.0 + there + waits, heard(OURS, fraction_lost=128))
    told = ours.told(answered, 1.0 + there + waits + back)
    assert told is not None
    loss, rtt_s = told
    assert loss == 0.5
    assert rtt_s == pytest.approx(there + back, abs=1e-3)


def test_an_answer_to_no_report_of_ours_tells_the_loss_only() -> None:
    ours = End(OURS)
    ours.made(1.0)
    assert ours.told(answer(lsr=0, fraction_lost=64), 1.1) == (0.25, None)
    assert ours.told(answer(lsr=12_345, fraction_lost=64), 1.1) == (0.25, None)


def test_an_answer_to_a_report_long_ago_tells_no_round_trip() -> None:
    ours = End(OURS)
    long_ago = middle(ours.made(0.0))
    for second in range(1, 20):
        ours.made(float(second))
    told = ours.told(answer(lsr=long_ago), 20.0)
    assert told == (0.0, None)


@pytest.mark.parametrize("dlsr_s", [65.0, 2.0])
def test_a_round_trip_that_cannot_be_is_none(dlsr_s: float) -> None:
    ours = End(OURS)
    asked = middle(ours.made(1.0))
    assert ours.told(answer(lsr=asked, dlsr=int(dlsr_s * 65_536)), 1.5) == (0.0, None)
    assert ours.told(answer(lsr=asked), 2.0 + LONGEST_ROUND_TRIP_S) == (0.0, None)


def test_a_round_trip_of_less_than_nothing_by_a_rounding_is_nothing() -> None:
    ours = End(OURS)
    asked = middle(ours.made(1.0))
    assert ours.told(answer(lsr=asked, dlsr=66), 1.0) == (0.0, 0.0)


def test_what_is_said_of_other_streams_is_not_ours() -> None:
    ours = End(OURS)
    ours.made(1.0)
    assert ours.told(answer(THEIRS, fraction_lost=255), 1.1) is None


@given(st.binary(max_size=200))
def test_any_junk_is_taken(data: bytes) -> None:
    End(OURS).told(data, 1.0)


@given(st.randoms(use_true_random=False))
def test_any_change_of_a_real_report_is_taken(chance: random.Random) -> None:
    ours, theirs = End(OURS), End(THEIRS)
    theirs.told(ours.made(1.0), 1.0)
    data = bytearray(theirs.made(1.5, heard(OURS)) + bytes(chance.randrange(40)))
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    data[1] = chance.choice([200, 201, 202, 203, 204, 205, 206, data[1]])
    told = ours.told(bytes(data[: chance.randint(0, len(data))]), 2.0)
    assert told is None or 0.0 <= told[0] <= 1.0
