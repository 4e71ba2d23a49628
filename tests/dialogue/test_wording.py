"""Each language's file says what it means."""

import re
from pathlib import Path

import pytest

import ultraandchat.dialogue.wording as module
from ultraandchat.dialogue.spoken_units import UNITS
from ultraandchat.dialogue.wording import NOTHING, Ending, changed, pick, wording
from ultraandchat.engines.chatterbox.variants import LANGUAGES

FILES = sorted((Path(module.__file__).parent / "languages").glob("*.toml"))
NAMES = [file.stem for file in FILES]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_can_be_used(name: str) -> None:
    words = wording(name)
    assert words is not NOTHING
    endings = (*words.agree, *words.ordinal_endings, *words.day_endings, *words.year_endings)
    for ending in (*endings, *words.hour_endings):
        re.compile(ending.after)
        re.compile(ending.before)
    for short, long in (words.abbreviations | words.before_numbers).items():
        assert short.strip() == short != ""
        assert long.strip()
    assert set(words.may_end) <= set(words.abbreviations) | {"kr."}
    assert set(words.units.values()) <= set(UNITS)
    assert len(words.hours) in (0, 24)
    assert len(words.cents) in (0, 2)
    assert bool(words.numbers) <= bool(words.point)


def test_most_languages_of_chatterbox_have_a_file() -> None:
    assert set(LANGUAGES) - set(NAMES) == {"hi", "ms", "sw"}


def test_a_region_has_its_languages_words_unless_it_has_its_own() -> None:
    assert wording("de-AT") is not NOTHING
    assert wording("de_AT").dot == wording("de").dot
    assert wording("pt-PT").cents != wording("pt").cents
    for tag in ("", "xx", "../de", "d", "de/../fr"):
        assert wording(tag) is NOTHING


def test_the_longest_ending_is_changed_in_every_word_or_the_last() -> None:
    assert changed("dwudziesty trzeci", {"y": "ego", "i": "iego"}) == "dwudziestego trzeciego"
    assert changed("eins eins", {"^eins": "ein"}, whole_last=True) == "eins ein"
    assert changed("zweieins", {"^eins": "ein"}) == "zweieins"
    assert changed("dritte", {"": "n"}) == "dritten"


def test_the_first_ending_that_fits_its_neighbours_is_picked() -> None:
    some = (Ending({"a": "b"}, after="am|im"), Ending({"a": "c"}, before="e$"))
    assert pick(some, after="Am") == {"a": "b"}
    assert pick(some, before="Tasse") == {"a": "c"}
    assert pick(some, after="der") is None
