"""A place in the text from positions of which some are wrong."""

import random

from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.engines.chatterbox.track import CONFIRMED, EARLY, Track


def started(letters: float = 100, tokens: int = 50) -> Track:
    track = Track(tokens, letters)
    for at in range(EARLY + 5):
        track.saw(at / 5, silent=False)
    return track


def test_it_follows_small_steps_and_never_goes_back_for_them() -> None:
    track = started()
    for position, place in ((3, 3), (4, 4), (3, 4), (6, 6), (None, 6), (5, 6), (9, 9)):
        assert track.saw(position, silent=False) == 0.0
        assert track.place == place


def test_before_the_first_word_and_in_silence_positions_mean_nothing() -> None:
    track = Track(50, 100)
    for _ in range(EARLY):
        track.saw(49, silent=False)
    assert track.place is None
    track.saw(0, silent=False)
    for _ in range(60):
        assert track.saw(49, silent=True) == 0.0
    assert track.place == 0


def test_a_position_astray_is_passed_over() -> None:
    track = started()
    for position in (40, 0, 30):
        assert track.saw(position, silent=False) == 0.0
    assert track.saw(3, silent=False) == 0.0
    assert track.place == 3


def test_many_that_agree_are_a_jump_from_where_they_began() -> None:
    track = started()
    jumps = [track.saw(30 + at / 5, silent=False) for at in range(CONFIRMED)]
    assert jumps[:-1] == [0.0] * (CONFIRMED - 1)
    assert jumps[-1] > 20
    assert track.since == EARLY + 5
    assert track.place is not None
    assert track.place > 30


def test_a_jump_back_is_one_too() -> None:
    track = Track(50, 100)
    for at in range(100):
        track.saw(at / 2, silent=False)
    jumps = [track.saw(3.0, silent=False) for _ in range(CONFIRMED)]
    assert jumps[-1] < -40


def test_positions_that_are_mostly_wrong_are_not_believed_any_more() -> None:
    draw = random.Random(1)
    track = started()
    for _ in range(60):
        assert track.saw(draw.randrange(50), silent=False) == 0.0
    assert track.place is None
    assert track.saw(5, silent=False) == 0.0
    assert track.place is None


@given(st.lists(st.one_of(st.none(), st.floats()), max_size=200), st.integers(0, 60))
def test_any_positions_are_borne(positions: list[float | None], tokens: int) -> None:
    track = Track(tokens, 2.0 * tokens)
    for count, position in enumerate(positions, 1):
        track.saw(position, silent=False)
        assert 0 <= track.sure <= count
