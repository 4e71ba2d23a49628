"""How many tokens a text may take: real clips are within, whatever the script."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.engines.chatterbox.pace import LONGEST, pace

SPEECH = Path(__file__).parents[2] / "data" / "speech"
TRANSCRIPTS = json.loads((SPEECH / "transcripts.json").read_text())
BOUNDS = json.loads((SPEECH / "bounds.json").read_text())["clips"]


@pytest.mark.parametrize("file", sorted(TRANSCRIPTS))
def test_a_real_clip_is_within_what_its_text_may_take(file: str) -> None:
    bounds = BOUNDS[file.removesuffix(".wav")]
    expected = pace(TRANSCRIPTS[file]["transcript"])
    tokens = (bounds["end_s"] - bounds["start_s"]) * 25
    assert 1.3 * expected.least <= tokens <= 0.7 * expected.most
    assert 0.55 * expected.usual <= tokens <= 1.3 * expected.usual


@pytest.mark.parametrize(
    ("text", "seconds"),
    [  # as they were timed by their syllables: five to eight in a second
        ("今天天气很好，我们一起去公园散步吧。", 3.6),
        ("今日はとてもいい天気ですね。", 2.2),
        ("오늘은 날씨가 정말 좋네요.", 2.0),
        ("Сегодня очень хорошая погода.", 2.0),
        ("आज मौसम बहुत अच्छा है।", 1.8),
        ("الطقس جميل جدا اليوم", 1.7),
        ("Donaudampfschifffahrtsgesellschaft", 2.3),
    ],
)
def test_other_scripts_are_counted_by_what_they_sound_like(text: str, seconds: float) -> None:
    expected = pace(text)
    assert expected.least < seconds * 25 < expected.most
    assert 0.6 < expected.usual / (seconds * 25) < 1.6


def test_numbers_and_abbreviations_may_be_short_words_or_long_ones() -> None:
    assert pace("1,000,000").least < 0.7 * 25 < 1.0 * 25 < pace("1,000,000").most
    assert pace("USA").most > 1.5 * 25 > pace("NASA").least


def test_a_tag_takes_time_and_may_repeat_itself() -> None:
    assert pace("[laugh] Oh no.").most >= pace("Oh no.").most + 60
    assert pace("[laugh] Oh no.").least == pace("Oh no.").least
    assert pace("[laugh] Oh no.").repeats > 1
    assert not pace("[laugh]").short


def test_a_text_that_repeats_is_known_to() -> None:
    assert pace("No, no, no, no!").repeats == 4
    assert pace("Nooo way").repeats > 1
    assert pace("The day after the day").repeats == 1


def test_only_marks_within_are_pauses() -> None:
    assert pace("One.").pauses == 0
    assert pace("One, two. Three!").pauses == 2


@given(st.text(max_size=400))
def test_the_bounds_are_in_order_for_any_text(text: str) -> None:
    expected = pace(text)
    assert 0 <= expected.least <= expected.usual <= expected.most <= LONGEST


@given(st.text(max_size=100), st.text(max_size=100))
def test_more_text_never_takes_less(one: str, more: str) -> None:
    assert pace(one + " " + more).most + 1 >= min(pace(one.strip()).usual, LONGEST)
