"""What a caller may send, second by second."""

from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.transport.limits import Allowance, Bucket, Limits


def test_a_burst_is_granted_and_the_next_one_is_not() -> None:
    bucket = Bucket(rate=2.0, burst=3.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]


def test_what_was_taken_comes_back_with_time() -> None:
    bucket = Bucket(rate=2.0, burst=1.0)
    bucket.take(0.0)
    assert not bucket.take(0.4)
    assert bucket.take(0.5)


def test_rest_never_saves_more_than_a_burst() -> None:
    bucket = Bucket(rate=100.0, burst=2.0)
    bucket.take(0.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]


def test_a_clock_that_stands_still_grants_nothing_new() -> None:
    bucket = Bucket(rate=1.0, burst=1.0)
    assert bucket.take(5.0)
    assert not bucket.take(4.0)


@given(
    st.floats(0.1, 100),
    st.floats(1, 100),
    st.lists(st.tuples(st.floats(0, 10), st.floats(0, 5)), max_size=100),
)
def test_no_stream_gets_more_than_the_burst_and_the_rate(
    rate: float, burst: float, wishes: list[tuple[float, float]]
) -> None:
    bucket = Bucket(rate, burst)
    now = granted = 0.0
    for pause, cost in wishes:
        now += pause
        granted += cost if bucket.take(now, cost) else 0.0
        assert granted <= burst + rate * now + 1e-6


def test_sound_in_real_time_is_never_too_much() -> None:
    allowance = Allowance(Limits(sound_speed=1.0))
    assert all(allowance.sound(n * 0.02, 320) for n in range(50_000))


def test_a_stall_of_four_seconds_may_arrive_at_once() -> None:
    allowance = Allowance(Limits())
    assert all(allowance.sound(0.0, 320) for _ in range(200))


def test_a_stream_of_tiny_frames_is_a_flood() -> None:
    allowance = Allowance(Limits())
    assert not all(allowance.sound(0.0, 1) for _ in range(2_000))
