"""The reordering buffer as stories on instants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rtp import FRAME, number, packet
from ultraandchat.transport.rtp.media_time import Gap
from ultraandchat.transport.rtp.packet import RtpPacket
from ultraandchat.transport.rtp.reorder import (
    LEAST_WAIT_S,
    MARGIN_S,
    MOST_HELD,
    MOST_WAIT_S,
    Placed,
    Reordering,
    WaitBound,
)


class Story:
    """Puts packets by number at instants in ms; answers with numbers and gaps in ms of media time."""

    def __init__(self) -> None:
        self.buffer = Reordering()

    def put(self, at_ms: float, sent: int | RtpPacket) -> list[int | str]:
        given = packet(sent) if isinstance(sent, int) else sent
        return _told(self.buffer.put(given, FRAME, at_ms / 1000))

    def due(self, at_ms: float) -> list[int | str]:
        return _told(self.buffer.due(at_ms / 1000))


def _told(placed: list[Placed]) -> list[int | str]:
    return [
        f"{'lost' if item.lost else 'silent'} {item.samples // 48}"
        if isinstance(item, Gap)
        else number(item)
        for item in placed
    ]


def test_a_packet_in_order_comes_out_at_once() -> None:
    story = Story()
    assert [story.put(20 * n, n) for n in range(20)] == [[n] for n in range(20)]


def test_a_pair_that_changed_places_comes_out_in_order_when_the_missing_one_comes() -> None:
    story = Story()
    assert story.put(0, 0) == [0]
    assert story.put(40, 2) == []
    assert story.put(45, 1) == [1, 2]
    assert story.put(60, 3) == [3]


def test_a_lost_packet_is_given_up_when_its_wait_is_over() -> None:
    story = Story()
    story.put(0, 0)
    assert story.put(40, 2) == []
    assert story.due(59) == []
    assert story.due(61) == ["lost 20", 2]
    assert story.put(62, 3) == [3]
    assert story.buffer.lost == 1


def test_the_next_packet_ends_an_overdue_wait_without_a_tick() -> None:
    story = Story()
    story.put(0, 0)
    story.put(40, 2)
    assert story.put(61, 3) == ["lost 20", 2, 3]


def test_a_missing_packet_that_comes_before_it_was_given_up_is_heard_however_late() -> None:
    story = Story()
    story.put(0, 0)
    story.put(40, 2)
    assert story.put(65, 1) == [1, 2]


def test_each_gap_is_waited_for_from_its_own_notice() -> None:
    story = Story()
    story.put(0, 0)
    assert story.put(40, 2) == []
    assert story.put(55, 4) == []
    assert story.due(61) == ["lost 20", 2]
    assert story.due(74) == []
    assert story.due(76) == ["lost 20", 4]


def test_packets_lost_in_a_row_are_one_gap_of_their_length() -> None:
    story = Story()
    story.put(0, 0)
    story.put(120, 6)
    assert story.due(141) == ["lost 100", 6]


def test_a_packet_that_comes_after_it_was_given_up_is_dropped_and_counted() -> None:
    story = Story()
    story.put(0, 0)
    story.put(40, 2)
    story.due(61)
    assert story.put(62, 1) == []
    assert story.buffer.late == 1


def test_a_packet_that_comes_twice_is_heard_once() -> None:
    story = Story()
    story.put(0, 0)
    story.put(40, 2)
    assert story.put(41, 2) == []
    assert story.put(42, 0) == []
    assert story.put(43, 1) == [1, 2]
    assert story.put(44, 1) == []
    assert story.buffer.late == 3


def test_in_a_burst_the_number_of_packets_ends_the_wait() -> None:
    story = Story()
    story.put(0, 0)
    waiting = [story.put(40, n) for n in range(2, 2 + MOST_HELD)]
    assert waiting == [[]] * MOST_HELD
    assert story.put(40, 2 + MOST_HELD) == ["lost 20", *range(2, 3 + MOST_HELD)]


def test_a_burst_after_a_stall_comes_out_in_order_and_without_a_gap() -> None:
    story = Story()
    story.put(0, 0)
    assert [story.due(ms) for ms in range(20, 4000, 20)] == [[]] * 199
    assert [story.put(4000, n) for n in range(1, 200)] == [[n] for n in range(1, 200)]


def test_what_is_missing_after_a_stall_is_a_gap_of_its_length() -> None:
    story = Story()
    story.put(0, 0)
    assert story.put(1000, 50) == []
    assert story.due(1021) == ["lost 980", 50]


def test_a_packet_without_sound_keeps_its_place_and_does_not_come_out() -> None:
    story = Story()
    story.put(0, 0)
    assert story.buffer.put(packet(1, payload=b""), 0, 0.020) == []
    assert story.put(40, packet(2, shift=-FRAME)) == [2]


# --- jumps of the sequence -----------------------------------------------------------------------


def test_a_jump_of_the_sequence_is_believed_when_the_next_packet_confirms_it() -> None:
    story = Story()
    story.put(0, 0)
    assert story.put(20, packet(30_000, shift=77)) == []
    assert story.put(40, packet(30_001, shift=77)) == [30_000, 30_001]
    assert story.put(60, packet(30_002, shift=77)) == [30_002]


def test_one_packet_from_nowhere_changes_nothing() -> None:
    story = Story()
    story.put(0, 0)
    assert story.put(10, 30_000) == []
    assert story.put(20, 1) == [1]
    assert story.buffer.strayed == 1
    assert story.put(30, 30_001) == []
    assert story.put(35, 50_000) == []
    assert story.put(40, 2) == [2]
    assert story.buffer.strayed == 3


def test_what_waits_when_the_sequence_jumps_is_heard_first() -> None:
    story = Story()
    story.put(0, 0)
    story.put(40, 2)
    story.put(45, 20_000)
    assert story.put(46, 20_001) == ["lost 20", 2, 20_000, 20_001]


def test_a_sender_that_begins_again_a_little_earlier_is_heard_again() -> None:
    story = Story()
    for n in range(3_000, 3_200):
        story.put(20 * n, n)
    story.put(0, 100)
    assert story.put(20, 101) == [100, 101]


# --- the silence of senders with DTX ---------------------------------------------------------------


def test_silence_is_told_as_it_passes_once_a_sender_announced_it() -> None:
    story = Story()
    story.put(0, packet(0, payload=b"\xf8"))
    told = [story.due(ms) for ms in range(21, 130, 20)]
    assert told == [[], ["silent 20"], ["silent 20"], ["silent 20"], ["silent 20"], ["silent 20"]]


def test_ticks_that_came_late_tell_all_of_the_silence_at_once() -> None:
    story = Story()
    story.put(0, packet(0, payload=b"\xf8"))
    assert story.due(141) == ["silent 120"]


def test_the_packet_after_a_silence_adds_what_was_not_told_of_it() -> None:
    story = Story()
    story.put(0, packet(0, payload=b"\xf8"))
    story.due(101)
    assert story.put(110, packet(1, shift=5 * FRAME)) == ["silent 20", 1]


def test_the_packet_after_a_silence_that_was_told_too_long_follows_at_once() -> None:
    story = Story()
    story.put(0, packet(0, payload=b"\xf8"))
    assert story.due(81) == ["silent 60"]
    assert story.put(82, 1) == [1]
    assert story.put(102, 2) == [2]


def test_silence_without_any_tick_is_told_by_the_timestamps() -> None:
    story = Story()
    story.put(0, packet(0, payload=b"\xf8"))
    assert story.put(400, packet(1, shift=19 * FRAME)) == ["silent 380", 1]


def test_nothing_is_told_when_the_network_stalls_behind_an_ordinary_packet() -> None:
    story = Story()
    story.put(0, 0)
    assert [story.due(ms) for ms in range(20, 10_000, 20)] == [[]] * 499


def test_a_silence_that_never_ends_is_a_dead_network_after_two_seconds() -> None:
    story = Story()
    story.put(0, packet(0, payload=b"\xf8"))
    told = [item for ms in range(20, 10_000, 20) for item in story.due(ms)]
    assert sum(int(str(item).removeprefix("silent ")) for item in told) == 2_000


def test_a_packet_lost_after_a_silence_is_told_apart_from_it() -> None:
    story = Story()
    story.put(0, packet(0, payload=b"\xf8"))
    assert story.put(400, packet(2, shift=18 * FRAME)) == []
    assert story.due(421) == ["silent 360", "lost 20", 2]


# --- timestamps that jump ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jump_ms", "after_ms", "told"),
    [
        (900, 20, ["silent 900"]),  # a silence in a burst
        (1_100, 20, []),  # further than time could have passed
        (3_600_000, 20, []),
        (-3_600_000, 20, []),
        (-10, 20, []),
        (5_000, 5_000, ["silent 2000"]),  # a microphone put away for 5 s
    ],
)
def test_a_jump_of_timestamps(jump_ms: int, after_ms: int, told: list[str]) -> None:
    story = Story()
    story.put(0, 0)
    assert story.put(after_ms, packet(1, shift=48 * jump_ms)) == [*told, 1]
    assert story.put(after_ms + 20, packet(2, shift=48 * jump_ms)) == [2]


def test_no_gap_is_longer_than_two_seconds() -> None:
    story = Story()
    story.put(0, 0)
    story.put(10_000, 500)
    assert story.due(10_021) == ["lost 2000", 500]


# --- how long is waited -----------------------------------------------------------------------------


def test_the_wait_grows_at_once_to_what_came_late_and_a_margin() -> None:
    bound = WaitBound()
    assert bound.at(0) == LEAST_WAIT_S
    bound.came(0.050, 1.0)
    assert bound.at(1.0) == pytest.approx(0.050 + MARGIN_S)


def test_the_wait_shrinks_by_eight_ms_a_second_and_is_short_again_after_ten() -> None:
    bound = WaitBound()
    bound.came(MOST_WAIT_S, 0)
    told = [round(1000 * bound.at(now)) for now in (0, 1, 5, 9.9, 10, 60)]
    assert told == [100, 92, 60, 21, 20, 20]


def test_less_lateness_does_not_stop_the_wait_from_shrinking() -> None:
    bound = WaitBound()
    bound.came(0.090, 0)
    bound.came(0.010, 5)
    assert bound.at(5) == pytest.approx(0.060)


def test_a_packet_that_could_not_have_been_waited_for_changes_nothing() -> None:
    bound = WaitBound()
    bound.came(MOST_WAIT_S + 0.001, 0)
    assert bound.at(0) == LEAST_WAIT_S


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 30)), max_size=30))
def test_the_wait_stays_between_its_bounds(came: list[tuple[float, float]]) -> None:
    bound, now = WaitBound(), 0.0
    for lateness, passed in came:
        now += passed
        before = bound.at(now)
        bound.came(lateness, now)
        assert LEAST_WAIT_S <= before <= bound.at(now) <= MOST_WAIT_S


def test_a_packet_that_was_too_late_makes_the_next_be_waited_for() -> None:
    story = Story()
    story.put(0, 0)
    story.put(40, 2)
    story.due(61)
    story.put(90, 1)  # 50 ms after it was missed
    story.put(120, 4)
    assert story.due(178) == []
    assert story.put(179, 3) == [3, 4]
