"""Number words become figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from ultraandchat.engines.skills.numbers import to_digits


@pytest.mark.parametrize(
    ("said", "figures"),
    [
        ("ten meters", "10 meters"),
        ("twenty five", "25"),
        ("a hundred", "100"),
        ("one hundred and twenty seconds", "120 seconds"),
        ("two point five", "2.5"),
        ("a thousand two hundred", "1200"),
        ("one two three", "1 2 3"),
        ("twenty ten", "20 10"),
        ("a dog and one hundred and a cat", "a dog and 100 and a cat"),
        ("and", "and"),
        ("point five", "point 5"),
    ],
)
def test_words_become_figures(said: str, figures: str) -> None:
    assert to_digits(said.split()) == figures.split()


@given(st.integers(0, 999_999_999_999))
def test_every_number_is_read_back(number: int) -> None:
    words = num2words(number).replace("-", " ").replace(",", "").split()
    assert to_digits(words) == [str(number)]


@given(
    st.lists(
        st.sampled_from(
            ["a", "one", "twenty", "hundred", "thousand", "and", "point", "five", "cat"]
        )
    )
)
def test_no_order_of_words_is_too_much(words: list[str]) -> None:
    left = [word for word in to_digits(words) if not word[0].isdigit()]
    assert left.count("cat") == words.count("cat")
