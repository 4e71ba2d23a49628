"""English numbers as words, and how steps that find them are written."""

import re
from collections.abc import Callable

from num2words import num2words

LARGEST = 15
"""Digits of a number that is said as one; longer ones are said digit by digit."""
NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
YEAR = r"(?:1[1-9]|20)\d\d"
"""One that may be meant where four figures stand."""
TELEPHONE = (
    r"(?<![\w.,])(?:(?:\+\d|0\d)(?:[ /()-]{0,3}\d){5,14}|\(\d{2,4}\) ?\d{3,5}[- ]\d{4})(?!\w)"
)
"""Of any language, where it is told by how it is written: with a country, a trunk prefix or an area in brackets."""

Say = Callable[[re.Match[str]], str]
Step = tuple[re.Pattern[str], Say]


def step(pattern: str, say: Say) -> Step:
    """Letters large or small."""
    return re.compile(pattern, re.IGNORECASE), say


def exact(pattern: str, say: Say) -> Step:
    """Letters as they are written: "m" is a meter and "M" is not."""
    return re.compile(pattern), say


def cardinal(figures: str) -> str:
    """ "1,234.5" in words; digit by digit where it begins with 0 or is very long."""
    whole, _, decimals = figures.replace(",", "").partition(".")
    if len(whole) > LARGEST or (len(whole) > 1 and whole[0] == "0"):
        said = digits(whole)
    else:
        said = str(num2words(int(whole)))
    return f"{said} point {digits(decimals)}" if decimals else said


def digits(figures: str) -> str:
    """One by one."""
    return " ".join(str(num2words(int(figure))) for figure in figures)


def groups(figures: str) -> str:
    """Telephone numbers and the like: one by one, with a pause between groups."""
    plus = "plus " if figures[0] == "+" else ""
    return plus + ", ".join(map(digits, re.findall(r"\d+", figures)))


def year(figures: str) -> str:
    """1999 is nineteen ninety-nine."""
    return str(num2words(int(figures), to="year"))


def ordinal(figures: str) -> str:
    """3 is third."""
    if len(figures) > LARGEST:
        return digits(figures)
    return str(num2words(int(figures), to="ordinal"))
