"""Text as it arrives becomes clauses; the laws hold for any text in any pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.dialogue.clauses import ClauseSplitter

MAX = 60
TEXTS = st.text(
    alphabet=st.sampled_from(list("ab CD12.,!?…;:\"'()*-—\n\t 。，！“”éß😀")), max_size=400
) | st.text(max_size=200)


def split(*pieces: str, first_min_chars: int = 12, max_chars: int = 200) -> list[str]:
    splitter = ClauseSplitter(first_min_chars=first_min_chars, max_chars=max_chars)
    return [clause for piece in pieces for clause in splitter.feed(piece)] + splitter.flush()


@pytest.mark.parametrize(
    "clauses",
    [
        ["Yes.", "It is raining."],
        ["Going forward.", "Turning left!", "Are you sure?", "Good."],
        ["It costs 3.5 dollars.", "That is cheap."],
        ["Ask Dr. Smith about it.", "He knows."],
        ["Ask me about fruit.", "Apples, e.g. red ones."],
        ["We meet at 5 p.m. on Monday.", "Then we eat."],
        ["We meet at 5 p.m.", "Then we eat."],
        ["Look at https://example.com/a.b?c=1 for more.", "Bye."],
        ["J. R. R. Tolkien wrote it.", "So do I.", "Then we wait."],
        ["Let me see…", "Here it is."],
        ["Hmm... maybe so.", "Or not."],
        ['She said "stop."', "Then he stopped."],
        ["(It is small.)", "Now go."],
        ["1. First this.", "2. Then that."],
        ["你好，我是一个小助手，很高兴。", "今天天气很好！", "再见。"],
        ["Version 1.2.3 is out.", "Take it."],
        ["What?!", "No."],
    ],
)
def test_clauses_end_with_their_sentences(clauses: list[str]) -> None:
    text = " ".join(clauses)
    assert split(text, first_min_chars=30 if "," not in text else 100) == clauses


def test_a_first_clause_may_end_at_a_comma() -> None:
    assert split("As far as I know, it rains, and it pours.") == [
        "As far as I know,",
        "it rains, and it pours.",
    ]


def test_a_short_first_clause_does_not_end_at_a_comma() -> None:
    assert split("Well, it rains. So stay.") == ["Well, it rains.", "So stay."]


@pytest.mark.parametrize("text", ["It is raining today.", "Is it raining?", "As I said before,"])
def test_the_first_clause_is_there_with_its_mark(text: str) -> None:
    splitter = ClauseSplitter(first_min_chars=12, max_chars=200)
    assert splitter.feed(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "It costs about 3.",
        "You should ask Dr.",
        "Apples, pears etc.",
        'She said "wait.',
        "So it costs 1,",
    ],
)
def test_a_doubtful_mark_waits_for_the_next_word(text: str) -> None:
    splitter = ClauseSplitter(first_min_chars=12, max_chars=200)
    assert splitter.feed(text) == []


def test_lines_are_clauses() -> None:
    assert split("# Shopping\n- milk\n- two eggs\n\nThat is all") == [
        "# Shopping",
        "- milk",
        "- two eggs",
        "That is all",
    ]


def test_a_long_sentence_is_split_after_a_comma() -> None:
    text = "there is a very long sentence here, which never seems to come to its end at all"
    assert split(text, first_min_chars=50, max_chars=50)[0] == "there is a very long sentence here,"


def test_a_long_word_is_split_somewhere() -> None:
    assert split("a" * 130, max_chars=60) == ["a" * 60, "a" * 60, "a" * 10]


def test_after_flush_a_text_begins_anew() -> None:
    splitter = ClauseSplitter(first_min_chars=5, max_chars=50)
    splitter.feed("Hello there, you.")
    splitter.flush()
    assert splitter.feed("Once more, please") == ["Once more,"]


def test_impossible_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="first_min_chars"):
        ClauseSplitter(first_min_chars=0, max_chars=10)


@given(TEXTS)
def test_joined_clauses_give_the_text_back(text: str) -> None:
    joined = "".join(split(text, max_chars=MAX))
    assert "".join(joined.split()) == "".join(text.split())


@given(TEXTS, st.lists(st.integers(0, 400), max_size=20))
def test_the_pieces_text_comes_in_never_change_the_clauses(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places)]
    assert split(*pieces, max_chars=MAX) == split(text, max_chars=MAX)


@given(TEXTS)
def test_clauses_are_never_empty_nor_too_long(text: str) -> None:
    assert all(0 < len(clause.strip()) <= MAX for clause in split(text, max_chars=MAX))
