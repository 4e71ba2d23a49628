"""The guard on made streams of each fault, on healthy ones, and on whatever comes.

The streams are made, not recorded (tests/data/tokens/README.md).
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.token_streams import TEXT, Stream, as_text, made, read, spoken, stored
from ultraandchat.engines.chatterbox.guard import GO, Do, Guard, Verdict
from ultraandchat.engines.chatterbox.pace import pace
from ultraandchat.engines.chatterbox.roles import Token
from ultraandchat.engines.chatterbox.variants import SILENCE_TOKEN, SPEECH_TOKENS, STOP_TOKEN

HEALTHY = [name for name in stored() if name.startswith("healthy_")]
FAULTY = [name for name in stored() if not name.startswith("healthy_")]

MOST_HEARD = {
    "runaway_unplaced": 165,
    "loop_nearly_unplaced": 45,
    "tail_of_high_entropy_unplaced": 35,
}
"""Tokens of a fault that are heard at most, where that is more than 30 (1.2 s): without a position a runaway that
sounds like speech is only known by its length, here for 6.6 s."""


def judged(stream: Stream) -> tuple[Guard, Verdict, int]:
    """The guard after its verdict, the verdict, and with which token it came."""
    guard, count = Guard(stream.text, stream.text_tokens), 0
    for token in stream.tokens():
        count += 1
        verdict = guard.saw(token)
        if verdict is not GO:
            return guard, verdict, count
    return guard, GO, count


def test_the_stored_streams_are_those_that_are_made() -> None:
    assert {stream.name: as_text(stream) for stream in made()} == {
        name: as_text(read(name)) for name in stored()
    }


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_stream_passes_to_its_last_word(name: str) -> None:
    stream = read(name)
    guard, verdict, count = judged(stream)
    assert verdict is GO
    assert count == len(stream.numbers)
    # All but the end of its silence.
    assert guard.cleared >= stream.bad_from - 4
    assert all(number == SILENCE_TOKEN for number in stream.numbers[guard.cleared : -1])


@pytest.mark.parametrize("name", FAULTY)
def test_a_fault_is_known_by_its_name_and_hardly_heard(name: str) -> None:
    stream = read(name)
    guard, verdict, _ = judged(stream)
    assert verdict.reason == stream.fault
    assert verdict.keep >= guard.cleared
    if verdict.reason != "gibberish":  # of which nothing is heard but with the last try
        assert verdict.keep - stream.bad_from <= MOST_HEARD.get(name, 30)


@pytest.mark.parametrize("name", FAULTY)
def test_only_a_text_that_was_said_is_ended(name: str) -> None:
    _, verdict, _ = judged(read(name))
    said = name.startswith(("runaway", "tail"))
    assert verdict.do is (Do.END if said else Do.RESPEAK)


def test_the_place_is_told_where_the_rest_can_be_said() -> None:
    for name in (
        "loop_says_a_part_again",
        "dropped_half",
        "dropped_the_middle",
        "loop_of_seven",
        "silence",
    ):
        stream = read(name)
        _, verdict, _ = judged(stream)
        assert verdict.place is not None
        assert 0.2 < verdict.place / stream.text_tokens < 0.65


def test_nothing_is_heard_of_a_clause_that_begins_at_its_end() -> None:
    guard, verdict, _ = judged(read("dropped_begins_at_the_end"))
    assert verdict.place == 0
    assert guard.cleared < 13  # that the first block needs


def test_a_short_text_is_cleared_when_it_has_ended_well() -> None:
    guard = Guard("Hi!", 2)
    for number in range(15):
        assert guard.saw(Token(number, 3.0, None)) is GO
        assert guard.cleared == 0
    assert guard.saw(Token(STOP_TOKEN, 1.0, None)) is GO
    assert guard.cleared == 15


def test_a_long_silence_before_the_end_is_not_heard() -> None:
    guard = Guard(TEXT, 40)
    for number in range(150):
        guard.saw(Token(number, 3.0, None))
    for _ in range(15):
        guard.saw(Token(SILENCE_TOKEN, 0.3, None))
    cleared = guard.cleared
    assert guard.saw(Token(STOP_TOKEN, 1.0, None)) is GO
    assert guard.cleared == max(cleared, 153)


def test_a_writer_without_an_end_is_a_runaway() -> None:
    guard = Guard(TEXT, 40)
    for number in range(200):
        guard.saw(Token(number, 3.0, None))
    assert guard.ran_out().reason == "runaway"


def test_an_entropy_that_is_no_number_does_no_harm() -> None:
    guard = Guard(TEXT, 40)
    for number in range(160):
        assert guard.saw(Token(number, float("nan"), float("nan"))) is GO


numbers = st.one_of(st.integers(0, SPEECH_TOKENS - 1), st.sampled_from([SILENCE_TOKEN, 7, 8]))
entropies = st.floats(0, 9)
positions = st.one_of(st.none(), st.floats(-5, 70))
texts = st.one_of(
    st.just(TEXT), st.text(max_size=80), st.sampled_from(["Hi!", "", "No, no, no.", "今天天气"])
)


@given(
    texts,
    st.integers(0, 60),
    st.lists(st.tuples(numbers, entropies, positions), max_size=60),
    st.lists(st.tuples(numbers, entropies, positions), min_size=1, max_size=40),
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_it_ends_in_time_and_takes_nothing_back(
    text: str,
    text_tokens: int,
    first: list[tuple[int, float, float]],
    then: list[tuple[int, float, float]],
) -> None:
    guard, expected, cleared = Guard(text, text_tokens), pace(text), 0
    for count in range(1, expected.most + 2):
        token = Token(*(first[count - 1] if count <= len(first) else then[count % len(then)]))
        verdict = guard.saw(token)
        assert cleared <= guard.cleared <= count
        cleared = guard.cleared
        if verdict is not GO:
            break
    assert verdict is not GO, "more than the most that the text may take"
    assert verdict.reason
    assert cleared <= verdict.keep
    if verdict.do is Do.END:
        assert expected.least <= verdict.keep <= count


@given(texts, st.integers(0, 60), st.lists(st.tuples(numbers, entropies, positions), max_size=80))
def test_a_clause_that_stops_too_early_is_never_taken_for_whole(
    text: str, text_tokens: int, written: list[tuple[int, float, float]]
) -> None:
    guard = Guard(text, text_tokens)
    for each in written:
        if guard.saw(Token(*each)) is not GO:
            return
    if len(written) < pace(text).least:
        assert guard.saw(Token(STOP_TOKEN, 0.5, None)).do is Do.RESPEAK


@given(
    name=st.text("abcdefgh", min_size=8, max_size=8),
    rate=st.floats(10.5, 22),
    placed=st.booleans(),
    text=st.sampled_from(
        [
            TEXT,
            "It is half past three.",
            "Well, I would not do that, but you may try if you like.",
            "A sentence without any mark that goes on for quite some time until its end is reached",
            "First one. Then another one! And at last, would you believe it, a third?",
        ]
    ),
)
@settings(max_examples=150, deadline=None)
def test_a_monotone_healthy_stream_passes_whatever_its_seed(
    name: str, rate: float, placed: bool, text: str
) -> None:
    stream = spoken(name, text, len(text) / rate, placed=placed)
    _, verdict, _ = judged(stream)
    assert verdict is GO
