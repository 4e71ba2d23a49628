"""Noise of a position is the same whatever stretches it is asked for in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.engines.chatterbox.noise import Noise, generator


@given(
    seed=st.integers(), steps=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20)), max_size=9)
)
def test_a_row_is_the_same_in_every_stretch(seed: int, steps: list[tuple[int, int]]) -> None:
    whole = Noise(seed, 1, 7).rows(0, 200)
    noise, first = Noise(seed, 1, 7), 0
    for further, count in steps:
        first += further
        np.testing.assert_array_equal(noise.rows(first, count), whole[first : first + count])


def test_seeds_and_uses_differ() -> None:
    one = Noise(1, 0, 80).rows(0, 5)
    assert not np.array_equal(one, Noise(2, 0, 80).rows(0, 5))
    assert not np.array_equal(one, Noise(1, 1, 80).rows(0, 5))
    assert generator(-1, 0).random() == generator(2**64 - 1, 0).random()


def test_it_is_normal() -> None:
    drawn = Noise(3, 0, 80).rows(0, 2_000)
    assert drawn.dtype == np.float32
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.std() - 1) < 0.01


def test_what_was_let_go_is_not_to_be_had() -> None:
    noise = Noise(1, 0, 80)
    noise.rows(10, 5)
    with pytest.raises(ValueError, match="let go"):
        noise.rows(9, 5)
