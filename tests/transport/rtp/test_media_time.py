"""Media time by timestamps alone. Its stories together with the sequence are in test_reorder.py."""

from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.transport.rtp.media_time import Gap, MediaTime


def test_the_first_packet_has_nothing_in_front_of_it() -> None:
    media = MediaTime()
    assert media.place(4_000_000_000, 960, silent=False, missing=3, arrived=0) == []


def test_silence_is_not_told_within_the_patience_or_the_packets_own_length() -> None:
    media = MediaTime()
    media.place(0, 960, silent=True, missing=0, arrived=0)
    assert media.silence(0.119, patience=0.1) is None
    assert media.silence(0.121, patience=0.1) == Gap(960, lost=False)
    longer = MediaTime()
    longer.place(0, 2_880, silent=True, missing=0, arrived=0)
    assert longer.silence(0.079, patience=0.02) is None
    assert longer.silence(0.081, patience=0.02) == Gap(960, lost=False)


def test_no_more_than_the_missing_packets_could_hold_is_called_lost() -> None:
    media = MediaTime()
    media.place(0, 960, silent=False, missing=0, arrived=0)
    gaps = media.place(960 * 10, 960, silent=False, missing=2, arrived=0.2)
    assert gaps == [Gap(960 * 7, lost=False), Gap(960 * 2, lost=True)]


def test_in_a_burst_lost_packets_are_believed_beyond_the_time_that_passed() -> None:
    media = MediaTime()
    media.place(0, 960, silent=False, missing=0, arrived=0)
    gaps = media.place(960 * 91, 960, silent=False, missing=90, arrived=0)
    assert gaps == [Gap(960 * 90, lost=True)]


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(0, 20), st.floats(0, 0.5)), max_size=40),
)
def test_what_a_silent_sender_leaves_out_is_told_once(
    start: int, silences: list[tuple[int, float]]
) -> None:
    """Silence told as it passed and silence told by timestamps together are what was left out."""
    media, timestamp, now, told = MediaTime(), start, 0.0, 0
    for steps, ticked in silences:
        media.place(timestamp, 960, silent=True, missing=0, arrived=now)
        part = media.silence(now + min(ticked, 0.02 * steps), patience=0.02)
        now += 0.02 * (steps + 1)
        timestamp = (timestamp + 960 * (steps + 1)) & 0xFFFF_FFFF
        gaps = media.place(timestamp, 0, silent=True, missing=0, arrived=now)
        told = sum(gap.samples for gap in [*([part] if part else []), *gaps])
        assert told == 960 * steps
