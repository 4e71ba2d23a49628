"""What the model is given of a text, however long it is and whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chatterbox_roles import tokenize
from ultraandchat.engines.chatterbox.pace import pace
from ultraandchat.engines.chatterbox.pieces import MOST_LETTERS, pieces, rest_of


def count(text: str) -> int:
    return len(tokenize(text, "en"))


def test_a_clause_is_one_piece() -> None:
    assert pieces(" It is\nhalf past\tthree. ") == ["It is half past three."]


def test_a_long_text_is_cut_after_sentences() -> None:
    sentence = "This one has some forty letters, or more."
    parts = pieces(" ".join([sentence] * 20))
    assert all(part.endswith("or more.") for part in parts)
    assert len(parts) == 3


def test_a_script_that_says_more_with_a_character_is_cut_earlier() -> None:
    parts = pieces("今天天气很好，我们一起去公园散步吧。" * 20)
    assert all(len(part) <= 110 for part in parts)
    assert all(part.endswith("。") for part in parts)


@pytest.mark.parametrize("text", ["", "…", "🎉", "\x00", "?! …"])
def test_what_cannot_be_said_is_no_piece(text: str) -> None:
    assert pieces(text) == []


@given(st.text(max_size=2000))
def test_any_text_is_cut_into_what_can_be_said(text: str) -> None:
    for piece in pieces(text):
        assert piece == piece.strip()
        assert any(one.isalnum() for one in piece)
        assert len(piece) <= 2 * MOST_LETTERS


@given(st.lists(st.text("abcdefghij", min_size=1, max_size=12), min_size=1, max_size=400))
def test_no_word_is_lost(words: list[str]) -> None:
    text = " ".join(words)
    parts = pieces(text)
    assert " ".join(parts) == text
    assert all(pace(part).letters <= MOST_LETTERS for part in parts)


def test_the_rest_begins_with_the_word_that_was_not_finished() -> None:
    text = "one two three four"

    def letters(part: str) -> int:
        return len(part)

    for place, rest in ((0, text), (1, text), (2, "two three four"), (5, "two three four")):
        assert rest_of(text, place, letters) == rest
    for place, rest in ((6, "three four"), (12, "four"), (16, "four"), (99, "four")):
        assert rest_of(text, place, letters) == rest


def test_a_tokenizer_that_ends_sentences_does_not_move_the_place() -> None:
    def words(part: str) -> int:
        """One token a word and one a mark, a full stop where there is none, as the package cleans it."""
        marked = part if part[-1] in ".!?," else f"{part}."
        return sum(1 + word.endswith((",", ".")) for word in marked.split())

    assert rest_of("one two three four.", 1.0, words) == "three four."
    assert rest_of("one, two three four.", 1.0, words) == "two three four."


def test_where_there_are_no_spaces_a_character_is_a_word() -> None:
    assert rest_of("今天天气很好", 2.0, len) == "气很好"
    assert rest_of("今天天气很好", 5.0, len) == ""


@given(st.text(max_size=60), st.floats(-1, 80))
def test_the_rest_is_always_an_end_of_the_text(text: str, place: float) -> None:
    assert text.endswith(rest_of(text, place, len))
