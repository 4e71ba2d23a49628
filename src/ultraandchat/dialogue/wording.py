"""What a language's spoken text needs beyond CLDR and num2words: a small file each in `languages/`.

Babel (CLDR) knows separators, months, units and currencies, num2words the numbers. Neither knows how "+"
is read, that "z. B." is "zum Beispiel", or that a German hour is "ein Uhr fünf". A language without a
file is read with what those two know; signs it has no word for are left out.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Literal

import msgspec


@dataclass(frozen=True, slots=True)
class Ending:
    """How a word changes where it is said."""

    change: dict[str, str]
    """An ending of each word, and what stands in its place; of several the longest. "" is any, "^one" a whole word."""
    after: str = ""
    """Only after one of these words, or two (a pattern); empty: anywhere. The first that fits counts."""
    before: str = ""
    """Only before a noun like this (a pattern, searched)."""


@dataclass(frozen=True, slots=True)
class Ordinal:
    """How an ordinal is written in figures."""

    suffix: str
    """Behind the figures (a pattern)."""
    change: dict[str, str] = field(default_factory=dict)
    """Endings, as in `Ending`: "a" for "o" makes "tercera" of "tercero"."""


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """The words of one language; empty: there is none."""

    numbers: str = ""
    """num2words' name of it; empty: figures are left to the voice."""
    repair: dict[str, str] = field(default_factory=dict)
    """What num2words gets wrong, and how it is right."""
    decimals: Literal["digits", "number", "library"] = "digits"
    """ "digits": one by one; "number": two of them as a number; "library": as num2words has it."""
    point: str = ""
    agree: tuple[Ending, ...] = ()
    """A number's words before a noun, a whole word only where it is the last: "ein Meter" for "eins"."""
    suffixes: str = ""
    """What is written on to a number, and stays there in words (a pattern): "90er"."""

    dot: str = ""
    dash: str = ""
    underscore: str = ""
    """Of addresses."""
    at: str = ""
    plus: str = ""
    minus: str = ""
    equals: str = ""
    times: str = ""
    divided: str = ""
    less: str = ""
    greater: str = ""
    unequal: str = ""
    root: str = ""
    per: str = ""
    """For "€5/month"."""
    about: str = ""
    and_: str = ""
    or_: str = ""
    to: str = ""
    """Between the ends of a range."""
    number: str = ""
    """For "#5" and the like."""
    code: str = ""
    """What is said in place of a block of code."""
    link: str = ""
    squared: str = ""
    cubed: str = ""
    percent: str = ""
    """Where CLDR has the sign only: "{0} 퍼센트"."""
    fractions: dict[str, str] = field(default_factory=dict)
    halves: tuple[Ending, ...] = ()
    """How a half agrees with its noun."""
    part_of: str = "1"
    """The number that has the form of a noun that stands behind a fraction."""
    abbreviations: dict[str, str] = field(default_factory=dict)
    before_numbers: dict[str, str] = field(default_factory=dict)
    """Abbreviations that are ones before a number only: "p. 12"."""
    may_end: tuple[str, ...] = ()
    """Those that may end a sentence."""
    units: dict[str, str] = field(default_factory=dict)
    """More signs of units, with those of `spoken_units.UNITS`."""

    time: str = "{h} {m}"
    hour: str = "{h}"
    """A full hour."""
    hours: tuple[str, ...] = ()
    """The names of the 24, where they are no cardinals."""
    hour_noun: str = ""
    """What the hour's number agrees with."""
    minute_below_ten: str = "{m}"
    time_marks: str = ""
    """Words behind a time that are said with it (a pattern): " Uhr"."""
    hour_mark: str = ""
    """What stands for ":" beside it (a pattern): " ?h ?"."""
    hour_endings: tuple[Ending, ...] = ()

    ordinals: tuple[Ordinal, ...] = ()
    stop_ordinals: bool = False
    """ "3." is an ordinal before a month, and after the words that `ordinal_endings` name."""
    ordinal_endings: tuple[Ending, ...] = ()
    day: Literal["cardinal", "ordinal"] = "cardinal"
    day_endings: tuple[Ending, ...] = ()
    first: str = ""
    """Of a month, where it is none of its cardinals."""
    year: Literal["cardinal", "century", "library", "ordinal"] = "cardinal"
    """1999: "century" is nineteen hundred ninety-nine with `hundred`, "library" as num2words has it."""
    year_endings: tuple[Ending, ...] = ()
    """Of a year that stands before such a word, and is an ordinal there."""
    hundred: str = ""
    of_year: str = ""
    """Pattern of what may stand between month and year."""

    money: str = "{money} {cents}"
    cents: tuple[str, ...] = ()
    """Of the euro and the dollar: one, and several."""
    currencies: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By code, one and several, where people say less than CLDR does."""
    signs: dict[str, str] = field(default_factory=dict)
    """More signs of money, with their codes."""
    short_scales: dict[str, str] = field(default_factory=dict)
    """What may stand between a number and the sign of money: "M€"."""
    scales: str = ""
    """Pattern: "Millionen|Milliarden"."""
    of: str = ""
    """Between a scale and its money: "de"."""
    pairs: bool = False
    """Telephone numbers are read in pairs."""


NOTHING = Wording()


@lru_cache(maxsize=64)
def wording(language: str) -> Wording:
    """Of a tag such as "de" or "pt-PT", its region's file before its language's; `NOTHING` where there is none."""
    parts = language.replace("_", "-").lower().split("-")
    for name in ("-".join(parts[:2]), parts[0]):
        if name.replace("-", "").isalpha() and name.isascii():
            file = resources.files(__package__) / "languages" / f"{name}.toml"
            if file.is_file():
                return msgspec.toml.decode(file.read_bytes(), type=Wording)
    return NOTHING


def pick(
    endings: tuple[Ending, ...], *, after: str = "", before: str = ""
) -> dict[str, str] | None:
    """The change that fits between these words; none where no rule does."""
    for one in endings:
        if one.after and not re.fullmatch(rf"(?:\S+ )?(?:{one.after})", after, re.IGNORECASE):
            continue
        if one.before and not re.search(one.before, before):
            continue
        return one.change
    return None


def changed(words: str, change: dict[str, str], *, whole_last: bool = False) -> str:
    """Each word with the longest ending of `change` that it has put right; "^one" is a whole word (only the last
    where that is asked for)."""
    many = words.split(" ")
    for index in range(len(many)):
        for ending in sorted(change, key=len, reverse=True):
            if ending[:1] == "^":
                if many[index] == ending[1:] and (index == len(many) - 1 or not whole_last):
                    many[index] = change[ending]
                    break
            elif many[index].endswith(ending):
                many[index] = many[index].removesuffix(ending) + change[ending]
                break
    return " ".join(many)
