"""What a voice gets to read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.dialogue.speakable import LONGEST, speakable


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("**Hello** _world_, this is *nice*.", "Hello world, this is nice."),
        ("## Heading", "Heading"),
        ("- item", "item"),
        ("1. First", "one, First"),
        ("> quoted", "quoted"),
        ("See [the docs](https://example.com/a_(b)) now.", "See the docs now."),
        ("![a cat](cat.png)", "a cat"),
        ("Visit https://www.example.com/path?x=1.", "Visit example dot com."),
        ("Mail anna.b@example.org", "Mail anna dot b at example dot org"),
        ("Use `sort` here", "Use sort here"),
        ("```python\nprint(1)\n```", "some code."),
        ("<b>bold</b> &amp; more", "bold and more"),
        ("---", ""),
        ("Great 😀👍🏽!", "Great!"),
        ("👩‍👩‍👧", ""),
        ("...", ""),
        ("", ""),
        ("(about 5 km)", "about five kilometers"),
        ("Dr. Smith, e.g. Mr. X", "Doctor Smith, for example Mister X"),
        ("tea, milk, etc.", "tea, milk, et cetera"),
        ("C++ and C#", "C plus plus and C sharp"),
        ("2 + 3 = 5", "two plus three equals five"),
        ("2 * 3", "two times three"),
        ("#5", "number five"),
        ("AT&T", "AT and T"),
        ("he/she and/or", "he or she and or"),
        ("1½ cups", "one and one half cups"),
        ("“Yes” – he said", "Yes, he said"),
        ("naïve café", "naïve café"),
        ("one\ntwo", "one, two"),
    ],
)
def test_markup_and_signs_are_not_read_aloud(written: str, said: str) -> None:
    assert speakable(written) == said


def test_other_languages_are_cleaned_and_keep_their_figures() -> None:
    assert speakable("**Es ist** 14:05 😀", "de-DE") == "Es ist 14:05"


ANY = st.text(max_size=300) | st.text(
    alphabet=st.sampled_from(list("aB1 .,:*_`[]()<>#-/&@+=%$°\n😀é")), max_size=200
)


@given(ANY, st.sampled_from(["en", "de", "", "zh-CN"]))
def test_any_text_is_taken_and_the_answer_is_clean(text: str, language: str) -> None:
    said = speakable(text, language)
    assert said == said.strip()
    assert not re.search(r"[*_`#\[\]<>|\n]", said)
    assert said == "" or any(map(str.isalnum, said))


@given(ANY)
def test_what_is_speakable_stays_as_it_is(text: str) -> None:
    once = speakable(text)
    assert speakable(once) == once


@given(st.lists(st.text("abcdefgmnopstxyzAKM", min_size=2), min_size=1).map(" ".join))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert speakable(text) == text


@pytest.mark.parametrize(
    "unit", ["9", "a", "(", "[", "*", "a.", "1/", "<", "`", "- ", "1,", "é😀", "&"]
)
def test_a_long_text_is_bounded(unit: str) -> None:
    assert len(speakable(unit * 20_000)) < 20 * LONGEST
