"""Dates, years and times of day in an English text as words."""

import re

from babel import Locale

from ultraandchat.dialogue.english_count import YEAR, Step, cardinal, ordinal, step, year

_MONTHS = {n: str(name) for n, name in Locale("en").months["format"]["wide"].items()}
_SHORT_MONTHS = {
    str(name).lower(): n for n, name in Locale("en").months["format"]["abbreviated"].items()
}
_MONTH = (
    "(?P<month>" + "|".join(_MONTHS.values()) + "|(?:" + "|".join(_SHORT_MONTHS) + r"|sept)\b\.?)"
)
_TH = "(?:st|nd|rd|th)?"
_HALF = r"(?P<half>[ap])(?:\.m\.|m\b)"
_ANY_HALF = r"(?:\s?[ap](?:\.m\.|m\b| m\b))"


def _date(month: int, day: str, of: str | None) -> str:
    said = f"{_MONTHS[month]} {ordinal(day)}"
    return f"{said}, {year(of)}" if of else said


def _iso_date(found: re.Match[str]) -> str:
    of, month, day = found.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return found[0]
    return _date(int(month), day, of)


def _slash_date(found: re.Match[str]) -> str:
    first, second, of = found.groups()
    month, day = (first, second) if int(first) <= 12 else (second, first)
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return found[0]
    return _date(int(month), day, of)


def _month_date(found: re.Match[str]) -> str:
    month = _month(found)
    if not month or not 1 <= int(found["day"]) <= 31:
        return found[0]
    return _date(month, found["day"], found["year"])


def _month_year(found: re.Match[str]) -> str:
    month = _month(found)
    return f"{_MONTHS[month]} {year(found['year'])}" if month else found[0]


def _month(found: re.Match[str]) -> int:
    month: int = _SHORT_MONTHS.get(found["month"].lower().rstrip(".")[:3], 0)
    return month


def _clock_time(found: re.Match[str]) -> str:
    hour, minute, second, half = found["hour"], found["minute"], found["second"], found["half"]
    if int(hour) > 23 or int(minute) > 59:
        return found[0]
    said = cardinal(str(int(hour)))
    if int(minute):
        said += " " + ("oh " if int(minute) < 10 else "") + cardinal(str(int(minute)))
    elif not half:
        said += " o'clock"
    if int(second or 0):
        said += f" and {cardinal(str(int(second)))} second" + ("" if int(second) == 1 else "s")
    return said + (f" {half[0].upper()} M" if half else "")


def _full_hour(found: re.Match[str]) -> str:
    return f"{cardinal(str(int(found['hour'])))} {found['half'].upper()} M"


def _decade(found: re.Match[str]) -> str:
    return year(found[1]).removesuffix("y") + "ies"


DATE_STEPS: tuple[Step, ...] = (
    step(r"\b(\d{4})[-/](\d{1,2})[-/](\d{1,2})\b", _iso_date),
    step(r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b", _slash_date),
    step(rf"\b{_MONTH} (?P<day>\d{{1,2}}){_TH}\b(?:,? (?P<year>\d{{4}})\b)?", _month_date),
    step(rf"\b(?P<day>\d{{1,2}}){_TH}\.? (?:of )?{_MONTH}(?:,? (?P<year>\d{{4}})\b)?", _month_date),
    step(rf"\b{_MONTH} (?P<year>{YEAR})\b", _month_year),
    step(
        rf"\b(\d{{1,2}}(?::\d\d)?{_ANY_HALF}?)\s?[-–—]\s?(?=\d{{1,2}}(?::\d\d|{_ANY_HALF}))",
        lambda found: f"{found[1]} to ",
    ),
    step(
        rf"\b(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?!\d)(?:\s?{_HALF})?",
        _clock_time,
    ),
    step(rf"\b(?P<hour>\d{{1,2}})\s?{_HALF}", _full_hour),
)
"""Before anything else: what is part of a date is no number."""

YEAR_STEPS: tuple[Step, ...] = (
    step(
        rf"\b({YEAR})\s?(?:[-–—]|to)\s?({YEAR})\b",
        lambda found: f"{year(found[1])} to {year(found[2])}",
    ),
    step(
        rf"\bbetween ({YEAR}) and ({YEAR})\b",
        lambda found: f"between {year(found[1])} and {year(found[2])}",
    ),
    step(rf"\(({YEAR})\)", lambda found: f"({year(found[1])})"),
)

NEAR_YEAR_STEPS: tuple[Step, ...] = (
    step(r"\b(1\d|20)00s\b", lambda found: year(f"{found[1]}00") + "s"),
    step(r"\b(\d{0,2}[1-9]0)s\b", _decade),
    step(
        r"\b(in|since|by|of|from|until|to|year|before|after|during|early|late|through)"
        rf" ({YEAR})\b(?![.,]\d)",
        lambda found: f"{found[1]} {year(found[2])}",
    ),
)
"""After units: "to 1500 m" has no year."""
