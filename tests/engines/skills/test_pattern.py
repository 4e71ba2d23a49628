"""The notation of phrases."""

import re

import pytest

from ultraandchat.engines.skills.pattern import Word, expand, parse, regex


def test_a_pattern_lists_what_it_allows() -> None:
    allowed = {" ".join(words) for words in expand(parse("go [very] (far | near)"), lambda _: None)}
    assert allowed == {"go far", "go near", "go very far", "go very near"}


def test_a_rule_is_filled_in_or_left_as_a_slot() -> None:
    assert list(expand(parse("<n> feet"), lambda _: Word("two"))) == [("two", "feet")]
    assert list(expand(parse("<n> feet"), lambda _: None)) == [("<n>", "feet")]


def test_a_pattern_is_a_regular_expression_over_words() -> None:
    whole = re.compile(regex(parse("turn [to the] (left | right)"), str))
    assert whole.fullmatch("turn to the left ")
    assert not whole.fullmatch("turn to the ")


@pytest.mark.parametrize("wrong", ["go (left", "go left)", "go [left)", "go | (", "go !", "]"])
def test_wrong_notation_is_an_error(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(wrong)
