"""What a voice gets to read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.dialogue.speakable import LONGEST, Aloud, speakable
from ultraandchat.dialogue.wording import wording
from ultraandchat.engines.chatterbox.variants import LANGUAGES, TAGS

KNOWN = [one for one in LANGUAGES if wording(one).numbers or one == "en"]


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
        ("One.\nTwo.", "One. Two."),
        ("| a | b |", "a, b"),
        ("|---|:-:|", ""),
        ("- [x] done", "done"),
        ("A fact[1], and one more.[^2]", "A fact, and one more."),
        ("See [the docs][ref].", "See the docs."),
        ("snake\\_case", "snake case"),
        ("$x^2$ and x² and 5 m²", "x squared and x squared and five square meters"),
        ("E = mc², √2 ≠ π", "E equals mc squared, the square root of two is not pi"),
        ("a -> b, a <= b, 2x + 1", "a to b, a is less than or equals b, two x plus one"),
        ("2.5x as much", "two point five times as much"),
        ("£5/month", "five pounds per month"),
        ("TCP/IP w/o config.json", "TCP IP without config dot json"),
        ("See p. 12, Fig. 3", "See page twelve, figure three"),
        ("2026-03-03T14:05:00Z", "March third, twenty twenty-six fourteen oh five"),
        ("10 a.m.-5 p.m.", "ten A M to five P M"),
        ("Acme™ 1️⃣", "Acme one"),
        ("As far as I know,", "As far as I know,"),
        ("**Ingredients:**", "Ingredients,"),
        ("(a | b)", "a, b"),
        ("my-mail_1@example.co.uk", "my dash mail underscore one at example dot co dot uk"),
        ("https://localhost:8000/x", "a link"),
        ("Henry VIII, Chapter IV", "Henry VIII, Chapter IV"),
    ],
)
def test_markup_and_signs_are_not_read_aloud(written: str, said: str) -> None:
    assert speakable(written) == said


def test_where_nobody_knows_a_languages_numbers_figures_are_left_to_the_voice() -> None:
    assert speakable("**Saa** 14:05 😀, 5 km", "sw") == "Saa 14:05, kilomita 5"
    assert speakable("**Es ist** 14:05 😀", "tlh") == "Es ist 14:05"


def test_code_is_left_out_from_clause_to_clause() -> None:
    aloud = Aloud()
    clauses = ["Like this:", "```python", "print(1)", "x = 3", "```", "That is all."]
    said = ["Like this,", "some code.", "", "", "", "That is all."]
    assert [aloud.clause(clause) for clause in clauses] == said


def test_a_mark_of_code_within_a_line_silences_nothing() -> None:
    aloud = Aloud()
    assert aloud.clause("Put ``` before it, or ```x```.") == "Put before it, or x."
    assert aloud.clause("And then go on.") == "And then go on."


ANY = st.text(max_size=300) | st.text(
    alphabet=st.sampled_from(list("aB1 .,:*_`[]()<>#-/&@+=%$°\n😀é")), max_size=200
)


TAGGED = ["en", "de-DE", "pt-PT", "zh-CN", "", "xx", "../en", "e", *LANGUAGES]
FIGURES = st.text(alphabet=st.sampled_from(list("0123456789.,:/-−%$€° apmkhºª^½")), max_size=60)


@pytest.mark.parametrize("language", TAGGED)
def test_odd_texts_have_an_answer_in_every_language(language: str) -> None:
    assert speakable("", language) == speakable("😀👍🏽🏳️‍🌈", language) == ""
    assert speakable("...?!—(*)", language) == speakable("。、", language) == ""
    assert speakable("a", language) == "a"
    mixed = speakable("Hello 你好 Привет مرحبا 😀 ok", language)
    assert mixed == "Hello 你好 Привет مرحبا ok"


@given(ANY | FIGURES, st.sampled_from(TAGGED))
def test_any_text_is_taken_and_the_answer_is_clean(text: str, language: str) -> None:
    said = speakable(text, language)
    assert said == said.strip()
    assert not re.search(r"[*_`#\[\]<>|\n]", said)
    assert said == "" or any(map(str.isalnum, said))


@given(st.lists(ANY, max_size=5), st.sampled_from(TAGGED))
def test_a_reply_is_taken_clause_by_clause(clauses: list[str], language: str) -> None:
    aloud = Aloud(language, frozenset(TAGS))
    for clause in clauses:
        said = aloud.clause(clause)
        assert not re.search(r"[*_`#<>|\n]", said)
        assert set(re.findall(r"\[(.*?)\]", said)) <= set(TAGS)
        assert said.count("[") == said.count("]") == len(re.findall(r"\[[a-z ]+\]", said))


@given(ANY | FIGURES, st.sampled_from(KNOWN))
def test_no_figure_is_left_where_a_languages_numbers_are_known(text: str, language: str) -> None:
    assert not re.search(r"[0-9]", speakable(text, language))


@given(ANY)
def test_what_is_speakable_stays_as_it_is(text: str) -> None:
    once = speakable(text)
    assert speakable(once) == once


@given(
    st.lists(st.text("abcdefgmnopstxyzAKM", min_size=2), min_size=1).map(" ".join),
    st.sampled_from(TAGGED),
)
def test_plain_words_stay_as_they_are(text: str, language: str) -> None:
    if not abbreviated(text, language):
        assert speakable(text, language) == text


def abbreviated(text: str, language: str) -> bool:
    return any(
        re.search(rf"\b{short}\b", text, re.IGNORECASE) for short in wording(language).abbreviations
    )


@pytest.mark.parametrize(
    "unit", ["9", "a", "(", "[", "*", "a.", "1/", "<", "`", "- ", "1,", "é😀", "&"]
)
def test_a_long_text_is_bounded(unit: str) -> None:
    assert len(speakable(unit * 20_000)) < 20 * LONGEST
