"""Figures in an English text as the words a person would say: dates, times, money, units, counts."""

import re

from ultraandchat.dialogue.english_amounts import AMOUNT_STEPS, FRACTIONS
from ultraandchat.dialogue.english_count import (
    NUMBER,
    TELEPHONE,
    Step,
    cardinal,
    groups,
    ordinal,
    step,
)
from ultraandchat.dialogue.english_dates import DATE_STEPS, NEAR_YEAR_STEPS, YEAR_STEPS


def spell_figures(text: str) -> str:
    """`text` with every figure in words. Never raises; what is no valid date is said as numbers."""
    if not any(map(str.isdigit, text)):
        return text
    for pattern, say in _STEPS:
        text = pattern.sub(say, text)
    return text


def _signed(found: re.Match[str]) -> str:
    return ("minus " if found["sign"] else "") + cardinal(found["number"])


def _apart(found: re.Match[str]) -> str:
    """Figures with letters beside them: "MP3" is "MP three"."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    left, right = " " if before.isalpha() else "", " " if after.isalpha() else ""
    return left + cardinal(found[0]) + right


_STEPS: tuple[Step, ...] = (
    *DATE_STEPS,
    step(TELEPHONE, lambda found: groups(found[0])),
    step(r"\b\d{3}(?:-\d{3,4})+\b|\b\d{3}\.\d{3}\.\d{4}\b", lambda found: groups(found[0])),
    step(r"\b\d+(?:-\d+){3,}\b", lambda found: groups(found[0])),
    *YEAR_STEPS,
    step(r"\b(\d{1,2})' ?(\d{1,2})(?:\"|'')", lambda found: f"{found[1]} foot {found[2]}"),
    step(rf"(?<![\w.])({NUMBER})\s?[-–—]\s?(?=\d)", lambda found: f"{found[1]} to "),
    *AMOUNT_STEPS,
    *NEAR_YEAR_STEPS,
    step(r"\b(\d+)(?:st|nd|rd|th)\b", lambda found: ordinal(found[1])),
    step(r"(?<![\d/])[1-3]/[2-4](?![\d/])", lambda found: FRACTIONS.get(found[0], found[0])),
    step(r"(?<=\d)[:/](?=\d)", lambda _: " "),
    step(
        r"(?<!\d)\d+(?:\.\d+){2,}", lambda found: " point ".join(map(cardinal, found[0].split(".")))
    ),
    step(rf"(?<![\w.])(?P<sign>[-−])?(?P<number>{NUMBER})(?!\w)", _signed),
    step(r"(?<!\d)\.(?=\d)", lambda _: " point "),
    step(NUMBER, _apart),
)
"""In this order: what a figure means is settled by the longest thing around it first."""
