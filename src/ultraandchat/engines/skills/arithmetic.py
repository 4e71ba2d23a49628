"""Sums: exact fractions, multiplication before addition, and a bound on everything.

No `eval`: the words are read one after the other, and what is not a sum is not answered as one.
"""

import re
from collections.abc import Sequence
from fractions import Fraction

LARGEST = Fraction(10) ** 15
"""Beyond it nobody follows a spoken number."""
LONGEST = 40
"""Words of one sum."""

_OPENINGS = ("what is", "how much is", "calculate", "compute", "what does", "what do", "tell me")
_TOO_BIG = "That number is too big for me."
_BY_ZERO = "Nothing can be divided by zero."
_SECOND_WORD = {"multiplied": "by", "divided": "by", "percent": "of"}
_LOOSE = {"plus": 1, "minus": -1}
_TIGHT = frozenset({"times", "multiplied", "divided", "over", "percent"})
_FIGURES = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?")


class NotASum(ValueError):
    """The words are no sum."""


def answer(words: Sequence[str]) -> str | None:
    """What a sum comes to, as a sentence; None where the words are no sum with an operator in it."""
    sum_words = _without_opening(words)
    if not 3 <= len(sum_words) <= LONGEST:
        return None
    try:
        result = _sum(list(sum_words))
    except NotASum:
        return None
    except ZeroDivisionError:
        return _BY_ZERO
    if abs(result) > LARGEST:
        return _TOO_BIG
    return f"{_spoken(sum_words)} is {_figures(result)}."


def _without_opening(words: Sequence[str]) -> Sequence[str]:
    line = " ".join(words)
    for opening in _OPENINGS:
        if line.startswith(opening + " "):
            words = words[len(opening.split()) :]
            break
    if words and words[-1] in ("make", "equal", "equals"):
        words = words[:-1]
    return words


def _sum(words: list[str]) -> Fraction:
    total = _product(words)
    while words:
        sign = _LOOSE.get(words.pop(0))
        if sign is None:
            raise NotASum
        total += sign * _product(words)
    return total


def _product(words: list[str]) -> Fraction:
    value = _value(words)
    while words and words[0] in _TIGHT:
        operator = words.pop(0)
        second = _SECOND_WORD.get(operator)
        if second is not None and (not words or words.pop(0) != second):
            raise NotASum
        right = _value(words)
        if operator in ("divided", "over"):
            value = value / right
        else:
            value = value * right / (100 if operator == "percent" else 1)
    return value


def _value(words: list[str]) -> Fraction:
    sign = 1
    if words and words[0] == "minus":
        del words[0]
        sign = -1
    if not words or not _FIGURES.fullmatch(words[0]):
        raise NotASum
    return sign * Fraction(words.pop(0))


def _spoken(words: Sequence[str]) -> str:
    line = " ".join(words)
    return line[:1].upper() + line[1:]


def _figures(value: Fraction) -> str:
    """Exact where four decimals suffice, else "about"."""
    if value.denominator == 1:
        return str(value.numerator)
    rounded = round(value, 4)
    text = f"{float(rounded):.4f}".rstrip("0").rstrip(".")
    return text if rounded == value else f"about {text}"
