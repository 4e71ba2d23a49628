"""Text as it arrives becomes clauses; the laws hold for any text in any pieces."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.dialogue.clauses import ClauseSplitter

MAX = 60
FEWEST = st.integers(1, 5)
TEXTS = st.text(
    alphabet=st.sampled_from(list("ab CD12.,!?…;:\"'()*-—\n\t 。，！“”éß😀")), max_size=400
) | st.text(max_size=200)


def split(
    *pieces: str,
    first_min_chars: int = 12,
    max_chars: int = 200,
    fewest_words: int = 1,
    language: str = "en",
) -> list[str]:
    splitter = ClauseSplitter(
        first_min_chars=first_min_chars,
        max_chars=max_chars,
        fewest_words=fewest_words,
        language=language,
    )
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
        ["See p. 12 and Fig. 3 of it.", "Then go on."],
        ["Water boils at 100 °C.", "Ice melts."],
    ],
)
def test_clauses_end_with_their_sentences(clauses: list[str]) -> None:
    text = " ".join(clauses)
    assert split(text, first_min_chars=30 if "," not in text else 100) == clauses


@pytest.mark.parametrize(
    ("language", "clauses"),
    [
        ("de", ["Wir sehen uns am 3. November.", "Bis dann."]),
        ("de", ["Es gibt Obst, z. B. Äpfel und Birnen.", "Gut."]),
        ("de", ["Tee, Milch usw.", "Das ist alles."]),
        ("de-DE", ["Das kostet ca. 5 Euro bzw. Dollar.", "Gut."]),
        ("fr", ["Voici M. Dupont et Mme Durand.", "Bonjour."]),
        ("es", ["Hable con el Sr. López.", "Gracias."]),
        ("pl", ["Owoce, np. Jabłka.", "Tak."]),
        ("en", ["There are 3.", "Then I go."]),
    ],
)
def test_each_language_has_its_own_stops(language: str, clauses: list[str]) -> None:
    assert split(" ".join(clauses), first_min_chars=100, language=language) == clauses


def test_a_first_clause_may_end_at_a_comma() -> None:
    assert split("As far as I know, it rains, and it pours.") == [
        "As far as I know,",
        "it rains, and it pours.",
    ]


def test_a_first_clause_ends_in_no_date() -> None:
    assert split("It landed on July 20, 1969, I think.") == [
        "It landed on July 20, 1969,",
        "I think.",
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
        "You can write to anna.",
        "My e-mail is anna.",
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


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Hi! How are you today? Fine.", ["Hi! How are you today?", "Fine."]),
        ("Hi! As far as I know, it rains.", ["Hi! As far as I know,", "it rains."]),
        ("Yes. No. Maybe. I do not know it.", ["Yes. No. Maybe.", "I do not know it."]),
        ("It is raining. Take a coat. Bye!", ["It is raining.", "Take a coat. Bye!"]),
        ("It is raining. Go! Take a coat.", ["It is raining.", "Go! Take a coat."]),
        ("# List\n- milk\n- eggs\nThat is all.", ["# List\n- milk\n- eggs", "That is all."]),
        ("[laugh] Ha! I see, that is it.", ["[laugh] Ha! I see,", "that is it."]),
        (
            "Congratulations, my dear friend, you won.",
            ["Congratulations, my dear friend,", "you won."],
        ),
        ("好。你好，今天天气很好。", ["好。你好，今天天气很好。"]),
        ("Hi!", ["Hi!"]),
        ("😀", ["😀"]),
        ("", []),
    ],
)
def test_short_clauses_go_with_the_next(text: str, clauses: list[str]) -> None:
    assert split(text, fewest_words=3) == clauses


def test_a_short_first_clause_waits_for_no_more_than_it_lacks() -> None:
    splitter = ClauseSplitter(first_min_chars=12, max_chars=200, fewest_words=3)
    assert splitter.feed("Hi! I think") == []
    assert splitter.feed(",") == ["Hi! I think,"]


def test_a_later_clause_waits_until_the_next_can_stand_alone() -> None:
    splitter = ClauseSplitter(first_min_chars=12, max_chars=200, fewest_words=3)
    assert splitter.feed("It is raining. Take a coat. And") == ["It is raining."]
    assert splitter.feed(" take an ") == []
    assert splitter.feed("umbrella") == ["Take a coat."]


@given(TEXTS, FEWEST)
def test_joined_clauses_give_the_text_back(text: str, fewest_words: int) -> None:
    joined = "".join(split(text, max_chars=MAX, fewest_words=fewest_words))
    assert "".join(joined.split()) == "".join(text.split())


@given(TEXTS, st.lists(st.integers(0, 400), max_size=20), FEWEST)
def test_the_pieces_text_comes_in_never_change_the_clauses(
    text: str, cuts: list[int], fewest_words: int
) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places)]
    whole = split(text, max_chars=MAX, fewest_words=fewest_words)
    assert split(*pieces, max_chars=MAX, fewest_words=fewest_words) == whole


@given(TEXTS, FEWEST)
def test_clauses_are_never_empty_nor_too_long(text: str, fewest_words: int) -> None:
    clauses = split(text, max_chars=MAX, fewest_words=fewest_words)
    assert all(0 < len(clause.strip()) <= MAX for clause in clauses)


@given(TEXTS, st.integers(2, 6))
def test_only_the_last_clause_or_one_beside_a_long_one_has_too_few_words(
    text: str, fewest_words: int
) -> None:
    for one, following in pairwise(split(text, max_chars=MAX, fewest_words=fewest_words)):
        words = re.findall(r"[^\W_]+", one)
        assert len(words) >= fewest_words or len(one) + len(following) >= MAX // 3
