"""Figures become the words a person would say."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.dialogue.spoken_numbers import spell_figures


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("3.14", "three point one four"),
        ("1,234", "one thousand, two hundred and thirty-four"),
        ("-5", "minus five"),
        ("007", "zero zero seven"),
        (
            "12345678901234567",
            "one two three four five six seven eight nine zero one two three four five six seven",
        ),
        ("1.2.3", "one point two point three"),
        ("12.5%", "twelve point five percent"),
        ("$3.50", "three dollars and fifty cents"),
        ("$1", "one dollar"),
        ("£2.01", "two pounds and one penny"),
        ("€5 million", "five million euros"),
        ("2026-11-23", "November twenty-third, twenty twenty-six"),
        ("2026-13-45", "two thousand and twenty-six to thirteen to forty-five"),
        ("11/23/2026", "November twenty-third, twenty twenty-six"),
        ("November 23, 2026", "November twenty-third, twenty twenty-six"),
        ("3rd of Nov. 2024", "November third, twenty twenty-four"),
        ("14:05", "fourteen oh five"),
        ("14:00", "fourteen o'clock"),
        ("1:05 PM.", "one oh five P M."),
        ("9 a.m.", "nine A M"),
        ("12:00:01", "twelve o'clock and one second"),
        ("10:61", "ten sixty-one"),
        ("7:30-8:15", "seven thirty to eight fifteen"),
        ("5°C", "five degrees Celsius"),
        ("-3 °C", "minus three degrees Celsius"),
        ("10 km", "ten kilometers"),
        ("1 km", "one kilometer"),
        ("90 km/h", "ninety kilometers per hour"),
        ("2 ft", "two feet"),
        ("22nd", "twenty-second"),
        ("the 1990s", "the nineteen nineties"),
        ("in 1999", "in nineteen ninety-nine"),
        ("1/2 cup", "one half cup"),
        ("5-10 people", "five to ten people"),
        ("555-1234", "five five five, one two three four"),
        ("MP3", "MP three"),
        ("a 3-day trip", "a three-day trip"),
        ("7:00pm–9:30pm", "seven P M to nine thirty P M"),
        ("10 am-5 pm", "ten A M to five P M"),
        ("June 2026", "June twenty twenty-six"),
        ("2026/03/03", "March third, twenty twenty-six"),
        ("(1930–2012)", "(nineteen thirty to twenty twelve)"),
        ("between 1990 and 2020", "between nineteen ninety and twenty twenty"),
        ("the 1900s", "the nineteen hundreds"),
        ("$0.99", "ninety-nine cents"),
        ("$1.5bn", "one point five billion dollars"),
        ("$5M", "five million dollars"),
        ("€1.234,56", "one thousand, two hundred and thirty-four euros and fifty-six cents"),
        ("20 USD", "twenty dollars"),
        ("20 €", "twenty euros"),
        ("$5-$10", "five dollars to ten dollars"),
        ("3k a day", "three thousand a day"),
        ("105 km^2", "one hundred and five square kilometers"),
        ("1 km/s", "one kilometer per second"),
        ("1/4 tsp", "one quarter teaspoon"),
        ("10^6", "ten to the power of six"),
        ("9.58s", "nine point five eight seconds"),
        ("5'11\"", "five foot eleven"),
        ("+1 (212) 555-7890", "plus one, two one two, five five five, seven eight nine zero"),
        ("0800 123 4567", "zero eight zero zero, one two three, four five six seven"),
        (
            "978-3-16-148410-0",
            "nine seven eight, three, one six, one four eight four one zero, zero",
        ),
        (
            "192.168.0.1:80",
            "one hundred and ninety-two point one hundred and sixty-eight point zero point one eighty",
        ),
        ("v2.0", "v two point zero"),
    ],
)
def test_figures_are_said(written: str, said: str) -> None:
    assert spell_figures(written) == said


FIGURES = st.text(alphabet=st.sampled_from(list("0123456789.,:/-−%$€° apmkhstndr½")), max_size=60)


@given(FIGURES | st.text(max_size=100))
def test_no_figure_is_left_and_nothing_is_raised(text: str) -> None:
    assert not re.search(r"[0-9]", spell_figures(text))


@given(st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1), min_size=1).map(" ".join))
def test_words_stay_as_they_are(text: str) -> None:
    assert spell_figures(text) == text
