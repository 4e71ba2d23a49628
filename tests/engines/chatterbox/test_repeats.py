"""Circles of tokens, nearly circles, and what is none."""

import random

import pytest

from ultraandchat.engines.chatterbox.repeats import Repeats
from ultraandchat.engines.chatterbox.variants import SILENCE_TOKEN, SPEECH_TOKENS


def first_circle(tokens: list[int], times: int = 1) -> int | None:
    repeats = Repeats(times=times)
    for count, token in enumerate(tokens, 1):
        if repeats.saw(token)[0]:
            return count
    return None


@pytest.mark.parametrize(("period", "most"), [(1, 20), (2, 12), (7, 17), (20, 40), (30, 60)])
def test_a_circle_is_known_after_a_second_or_two(period: int, most: int) -> None:
    found = first_circle([at % period for at in range(100)])
    assert found is not None
    assert found <= most


def test_silence_is_none_however_long() -> None:
    assert first_circle([1, 2, 3] + [SILENCE_TOKEN] * 500) is None


def test_a_vowel_that_is_held_is_none() -> None:
    assert first_circle([1, 2, *[3] * 15, 4, 5, *[6] * 15]) is None


def test_pauses_between_different_words_are_none() -> None:
    draw = random.Random(2)
    tokens = []
    for _ in range(20):
        tokens += [draw.randrange(SPEECH_TOKENS) for _ in range(6)] + [SILENCE_TOKEN] * 10
    assert first_circle(tokens) is None


def test_what_the_text_repeats_itself_is_allowed_for() -> None:
    word = [1, 2, 3, 4, 5, 6, 7, 8, SILENCE_TOKEN, SILENCE_TOKEN]
    assert first_circle(word * 4) is not None
    assert first_circle(word * 4, times=4) is None
    assert first_circle(word * 9, times=4) is not None


def test_doubt_begins_with_the_circle_and_ends_with_it() -> None:
    repeats = Repeats(times=1)
    for token in [50, 51, 52, 53, 54, 1, 2, 3, 4, 5]:
        assert repeats.saw(token)[1] == len(repeats._tokens)
    for token in (1, 2, 3, 4, 5):
        circle, surely = repeats.saw(token)
    assert (circle, surely) == (False, 10)
    for token in (90, 91, 92, 93, 94, 95):
        circle, surely = repeats.saw(token)
    assert (circle, surely) == (False, 21)
