"""What the guard notices is not heard: cut, spoken again, or its rest is. The streams are made, not recorded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chatterbox_bench import SHORT, Bench, first_bad
from tests.support.chatterbox_roles import Script, audible, healthy
from tests.support.token_streams import TEXT, Stream, read
from ultraandchat.engines.chatterbox.pace import pace
from ultraandchat.engines.chatterbox.variants import (
    SILENCE_TOKEN,
    STOP_TOKEN,
)


def test_a_clause_of_nothing_but_silence_has_no_sound() -> None:
    def silent(text: str, time: int) -> Stream:
        stream = healthy(text, time, placed=False)
        stream.numbers[:-1] = [SILENCE_TOKEN] * (len(stream.numbers) - 1)
        return stream

    said = Bench(silent).say()
    assert said.blocks == []
    assert said.verdicts == ["silence"] * 3


def test_a_voice_that_is_known_is_sooner_known_to_run_away() -> None:
    def runs_away(text: str, time: int) -> Stream:
        return read("runaway_unplaced") if time > 8 else healthy(text, time, placed=False)

    known, stranger = Bench(runs_away), Bench(lambda text, time: read("runaway_unplaced"))
    for _ in range(8):
        assert known.say(seed=None).verdicts == []
    cut, late = known.say(seed=None), stranger.say(seed=None)
    assert cut.verdicts == late.verdicts == ["runaway"]
    assert cut.account["seconds"] < 0.85 * late.account["seconds"]


def stops_after(count: int, name: str) -> Script:
    """The first time a stored stream that stops after so many tokens."""

    def script(text: str, time: int) -> Stream:
        if time > 1:
            return healthy(text, time)
        stream = read(name)
        del stream.numbers[count:-1], stream.entropies[count:-1]
        return stream

    return script


@pytest.mark.parametrize(
    ("name", "script"),
    [  # the sound of the one waits for its end, the other ends before there is a block
        ("gibberish_hi_unplaced", first_bad("gibberish_hi_unplaced")),
        ("dropped_at_once_unplaced", stops_after(9, "dropped_at_once_unplaced")),
    ],
)
def test_what_was_not_heard_is_said_again_with_another_seed(name: str, script: Script) -> None:
    text = read(name).text
    bench = Bench(script)
    said = bench.say(text)
    assert said.verdicts == [read(name).fault]
    assert bench.writer.texts == [text, text]
    assert bench.writer.seeds[0] != bench.writer.seeds[1]
    assert said.account["attempts"] == 2
    heard = audible(healthy(text, 2))
    assert said.tokens == heard[: len(said.tokens)]
    assert len(said.tokens) >= len(heard) - 4


def test_it_is_said_again_twice_at_most_and_then_cut_to_a_usual_length() -> None:
    bench = Bench(first_bad("gibberish_hi_unplaced", 9))
    said = bench.say("Hi!")
    assert said.verdicts == ["gibberish"] * 3
    assert said.account["attempts"] == 3
    assert 0 < said.account["seconds"] < 1.0
    assert bench.sounder.opened[-1].cut is True


@pytest.mark.parametrize("name", ["tail", "tail_from_the_beginning", "tail_after_a_pause_unplaced"])
def test_a_bad_tail_is_cut_before_it_is_heard(name: str) -> None:
    bench = Bench(first_bad(name))
    said = bench.say()
    stream = read(name)
    assert said.verdicts == ["tail"]
    assert bench.writer.texts == [TEXT]
    whole = audible(stream)
    assert said.tokens == whole[: len(said.tokens)]
    assert stream.bad_from - 5 <= len(said.tokens) <= stream.bad_from + 20
    assert bench.sounder.opened[0].cut is True


def test_the_rest_is_said_where_words_were_left_out_of_what_was_heard() -> None:
    bench = Bench(first_bad("dropped_the_middle"))
    said = bench.say()
    assert said.verdicts == ["dropped"]
    first, rest = bench.writer.texts
    assert TEXT.endswith(rest)
    assert 0.2 < 1 - len(rest) / len(first) < 0.45
    stream = read("dropped_the_middle")
    heard = stream.numbers[3 : stream.bad_from]  # with two of its five tokens of silence
    assert said.tokens[: len(heard)] == heard
    assert said.tokens[len(heard) :] == audible(healthy(rest, 2))


def test_where_no_position_is_known_it_is_only_counted() -> None:
    bench = Bench(first_bad("loop_of_seven_unplaced"))
    said = bench.say()
    assert said.verdicts == ["loop"]
    assert bench.writer.texts == [TEXT]
    assert len(said.tokens) <= read("loop_of_seven_unplaced").bad_from + 15
    assert bench.sounder.opened[0].cut is True


def test_a_clause_that_stopped_too_early_is_not_faded_out() -> None:
    bench = Bench(first_bad("dropped_half"))
    said = bench.say()
    assert said.verdicts == ["dropped"]
    assert bench.sounder.opened[0].cut is False
    assert len(bench.writer.texts) == 2


def test_a_window_that_is_full_ends_the_clause() -> None:
    def without_end(text: str, time: int) -> Stream:
        stream = healthy(text, time, placed=False)
        del stream.numbers[-1], stream.entropies[-1]
        return stream

    bench = Bench(without_end)
    said = bench.say()
    assert said.verdicts == ["runaway"]
    assert bench.sounder.opened[0].cut is True


tokens_of_any_kind = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 6560), st.sampled_from([SILENCE_TOKEN, 5, 6])),
        st.floats(0, 9),
        st.one_of(st.none(), st.floats(0, 60)),
    ),
    max_size=120,
)


@given(
    st.sampled_from([TEXT, SHORT, "Hi!", "No, no, no.", "今天天气很好"]),
    st.lists(tokens_of_any_kind, min_size=1, max_size=3),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_what_is_heard_was_written_and_is_not_too_much(
    text: str, written: list[list[tuple[int, float, float | None]]], stops: bool
) -> None:
    def script(text: str, time: int) -> Stream:
        each = written[time % len(written)]
        stream = Stream("any", text, 0, "", 0, [], [], [])
        for number, entropy, position in each * (1 if stops else 20):
            stream.numbers.append(number)
            stream.entropies.append(entropy)
            stream.positions.append(0.0 if position is None else position)
        if stops:
            stream.numbers.append(STOP_TOKEN)
            stream.entropies.append(0.0)
            stream.positions.append(0.0)
        return stream

    bench = Bench(script)
    said = bench.say(text)
    assert bench.writer.open == 0
    assert said.account["attempts"] == len(bench.writer.texts) <= 3
    assert len(said.verdicts) <= 3
    spoken = [opened.fed for opened in bench.sounder.opened if opened.cut is not None]
    assert said.tokens == [token for fed in spoken for token in fed]
    for number, opened in enumerate(bench.sounder.opened, 1):
        whole = audible(script(text, number))
        assert opened.fed == whole[: len(opened.fed)]
        assert len(opened.fed) <= pace(text).most
