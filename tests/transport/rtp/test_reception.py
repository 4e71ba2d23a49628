"""Loss and jitter of a stream as its sender is told them (RFC 3550 A.1, A.3, A.8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.transport.rtp.reception import Reception, ReceptionReport


def after(numbers: list[int]) -> ReceptionReport:
    reception = Reception(7)
    for n in numbers:
        reception.take(n & 0xFFFF, 960 * n & 0xFFFF_FFFF, 0.02 * n)
    report = reception.report()
    assert report is not None
    return report


def test_there_is_no_report_before_the_first_packet() -> None:
    assert Reception(7).report() is None


def test_a_stream_without_loss_and_jitter() -> None:
    report = after(list(range(100, 200)))
    assert report == ReceptionReport(7, 0, 0, 199, 0)


def test_one_packet_of_four_lost_is_a_quarter_of_256() -> None:
    report = after([n for n in range(400) if n % 4 != 2])
    assert (report.fraction_lost, report.lost) == (64, 100)


def test_the_fraction_is_of_the_time_since_the_last_report() -> None:
    reception = Reception(7)
    for n in range(0, 100, 2):
        reception.take(n, 960 * n, 0.02 * n)
    first = reception.report()
    for n in range(99, 199):
        reception.take(n, 960 * n, 0.02 * n)
    second = reception.report()
    assert first is not None
    assert second is not None
    assert first.fraction_lost == 256 * 49 // 99
    assert (second.fraction_lost, second.lost) == (0, 49)


def test_a_packet_that_comes_twice_counts_against_a_lost_one() -> None:
    assert after([0, 1, 1, 1, 2]).lost == -2
    assert after([0, 1, 1, 1, 2]).fraction_lost == 0


def test_wrap_arounds_are_counted_above_the_sequence_number() -> None:
    report = after(list(range(65_000, 65_536 + 70)))
    assert (report.highest_sequence, report.lost) == (65_536 + 69, 0)


def test_packets_out_of_order_are_no_loss() -> None:
    assert after([0, 2, 1, 4, 3, 5]).lost == 0


def test_a_new_run_begins_a_new_account_when_it_is_confirmed() -> None:
    report = after([0, 2, 30_000, 30_001, 30_002])
    assert (report.highest_sequence, report.lost) == (30_002, 0)


def test_one_stray_sequence_number_is_ignored() -> None:
    assert after([0, 1, 30_000, 2]) == ReceptionReport(7, 0, 0, 2, 0)


def test_jitter_settles_at_the_mean_difference_of_transit_times() -> None:
    reception = Reception(7)
    for n in range(400):
        reception.take(n, 960 * n, 0.02 * n + (0.010 if n % 2 else 0.0))
    report = reception.report()
    assert report is not None
    assert report.jitter == pytest.approx(480, abs=1)  # 10 ms at 48 kHz


def test_a_clock_set_anew_is_no_jitter() -> None:
    reception = Reception(7)
    reception.take(0, 0, 0.0)
    reception.take(1, 1_000_000_000, 0.02)
    reception.take(2, 1_000_000_960, 0.04)
    assert reception.jitter == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), st.floats(0, 1)), max_size=60
    )
)
def test_every_field_fits_its_bits_whatever_comes(junk: list[tuple[int, int, float]]) -> None:
    reception, now = Reception(7), 0.0
    for sequence, timestamp, passed in junk:
        now += passed
        reception.take(sequence, timestamp, now)
        report = reception.report()
        assert report is not None
        assert 0 <= report.fraction_lost <= 255
        assert -(2**23) <= report.lost < 2**23
        assert 0 <= report.highest_sequence < 2**32
        assert 0 <= report.jitter < 2**32
