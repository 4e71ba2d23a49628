"""What of a long history is kept: within the limit, newest first, and seldom changed."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.engines.ultravox.window import Weight, marks

exchanges = st.lists(
    st.builds(
        lambda sound, other, number: Weight(sound + other, sound // 2 + other, number),
        st.integers(0, 250),
        st.integers(1, 200),
        st.integers(0, 2**32 - 1),
    ),
    max_size=80,
)


def total(history: list[Weight], left_out: int, in_words: int) -> int:
    kept = list(enumerate(history))[left_out:]
    return sum(weight.words if at < in_words else weight.sound for at, weight in kept)


def talk(turns: int, seed: int = 1) -> list[Weight]:
    """A conversation of turns as they are: two to six seconds of sound, a sentence or two in answer."""
    chance = random.Random(seed)
    found = []
    for _ in range(turns):
        sound, reply = chance.randint(12, 40), chance.randint(20, 80)
        found.append(Weight(sound + reply, sound // 2 + reply, chance.getrandbits(32)))
    return found


@given(exchanges, st.integers(0, 4000))
def test_what_is_kept_fits(history: list[Weight], limit: int) -> None:
    left_out, in_words = marks(history, limit)
    assert 0 <= left_out <= max(left_out, in_words) <= len(history)
    assert total(history, left_out, in_words) <= limit


@given(exchanges, st.integers(0, 4000))
def test_nothing_is_let_go_while_all_fits(history: list[Weight], limit: int) -> None:
    if sum(weight.sound for weight in history) <= limit:
        assert marks(history, limit) == (0, 0)


@given(exchanges, st.integers(0, 4000))
def test_words_go_before_exchanges_do(history: list[Weight], limit: int) -> None:
    left_out, in_words = marks(history, limit)
    assert left_out == 0 or in_words > 0


def test_a_good_part_of_the_window_stays_in_use() -> None:
    history = talk(200)
    for turns in range(1, 200):
        left_out, in_words = marks(history[:turns], 3000)
        if left_out:
            assert total(history[:turns], left_out, in_words) >= 0.5 * 3000


def changes(seen: list[tuple[int, int]]) -> int:
    return sum(now != before for before, now in pairwise(seen))


def test_the_marks_stay_for_many_turns() -> None:
    for seed in range(5):
        history = talk(400, seed)
        seen = [marks(history[:turns], 3000) for turns in range(100, 400)]
        assert changes(seen) < 300 / 4


def test_the_marks_stay_though_the_caller_forgets_the_oldest_turn_each_time() -> None:
    for seed in range(5):
        history = talk(400, seed)
        seen = []
        for turns in range(100, 400):
            left_out, in_words = marks(history[turns - 64 : turns], 2000)
            seen.append((turns - 64 + left_out, turns - 64 + in_words))
        assert changes(seen) < 300 / 3


def test_one_enormous_exchange_is_left_out_alone() -> None:
    history = [Weight(10, 10, 1), Weight(5000, 5000, 2), Weight(10, 10, 3)]
    assert marks(history, 1000) == (2, 2)
