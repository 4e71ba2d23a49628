"""What a voice's pace is learned from, and what is expected then."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.engines.chatterbox.habit import FEWEST, Habit, Habits
from ultraandchat.engines.chatterbox.pace import Pace, pace

SPEECH = Path(__file__).parents[2] / "data" / "speech"
TEXT = "The weather will be fine tomorrow, and the day after that it may rain."


def habit(ratio: float, count: int = FEWEST) -> Habit:
    one = Habit()
    for _ in range(count):
        one.learn(pace(TEXT), round(pace(TEXT).usual * ratio))
    return one


def test_of_a_stranger_nothing_is_expected() -> None:
    assert habit(0.8, FEWEST - 1).expect(pace(TEXT)) == pace(TEXT)


def test_of_a_known_voice_the_length_is_known_better() -> None:
    plain, known = pace(TEXT), habit(0.8).expect(pace(TEXT))
    assert known.usual == round(0.8 * plain.usual)
    assert 1.5 * known.usual < known.most < 0.75 * plain.most
    assert known.least == plain.least


def test_the_same_readers_clauses_are_within_what_is_learned_from_each() -> None:
    transcripts = json.loads((SPEECH / "transcripts.json").read_text())
    bounds = json.loads((SPEECH / "bounds.json").read_text())["clips"]
    clips = ["lj001_0001", "lj001_0002", "lj001_0004", "lj001_0008"]
    for learned in clips:
        text = transcripts[f"{learned}.wav"]["transcript"]
        one = Habit()
        for _ in range(FEWEST):
            tokens = 25 * (bounds[learned]["end_s"] - bounds[learned]["start_s"])
            one.learn(pace(text), round(tokens))
        for clip in clips:
            known = one.expect(pace(transcripts[f"{clip}.wav"]["transcript"]))
            tokens = 25 * (bounds[clip]["end_s"] - bounds[clip]["start_s"])
            assert 0.8 <= tokens / known.usual <= 1.2
            assert tokens < 0.75 * known.most


def test_short_clauses_and_laughs_teach_nothing() -> None:
    one = Habit()
    for _ in range(20):
        one.learn(pace("Oh, yes."), 50)
        one.learn(pace("[laugh] That was really very funny."), 200)
    assert one.expect(pace(TEXT)) == pace(TEXT)


def test_a_few_bad_ones_do_not_change_it() -> None:
    one = habit(0.8, 10)
    for _ in range(4):
        one.learn(pace(TEXT), 2 * pace(TEXT).usual)
    assert one.expect(pace(TEXT)).usual == round(0.8 * pace(TEXT).usual)


@given(st.lists(st.integers(0, 2000), max_size=50), st.text(max_size=100))
def test_whatever_is_learned_the_bounds_stay_in_order(lengths: list[int], text: str) -> None:
    one, plain = Habit(), pace(text)
    for length in lengths:
        one.learn(pace(TEXT), length)
    known: Pace = one.expect(plain)
    assert plain.least == known.least <= known.usual <= known.most <= plain.most


def test_voices_are_known_apart_and_not_without_end() -> None:
    habits = Habits()
    first = habits.of("first")
    for number in range(Habits.MOST - 1):
        habits.of(str(number))
    assert habits.of("first") is first
    for number in range(Habits.MOST):
        habits.of(str(number))
    assert habits.of("first") is not first
