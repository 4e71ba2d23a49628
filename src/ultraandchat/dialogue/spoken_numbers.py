"""Figures in an English text as the words a person would say: dates, times, money, units, counts."""

import re
from collections.abc import Callable

from babel import Locale
from num2words import num2words

_MONTHS = {n: str(name) for n, name in Locale("en").months["format"]["wide"].items()}
_SHORT_MONTHS = {
    str(name).lower(): n for n, name in Locale("en").months["format"]["abbreviated"].items()
}
_MONTH = (
    "(?P<month>" + "|".join(_MONTHS.values()) + "|(?:" + "|".join(_SHORT_MONTHS) + r"|sept)\b\.?)"
)
_TH = "(?:st|nd|rd|th)?"
_MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"),
}
_UNITS = {
    "km/h": "kilometer per hour", "m/s": "meter per second", "mph": "mile per hour",
    "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "m": "meter", "mi": "mile",
    "ft": "foot", "kg": "kilogram", "mg": "milligram", "g": "gram", "lb": "pound", "lbs": "pound",
    "oz": "ounce", "ml": "milliliter", "l": "liter", "L": "liter", "ms": "millisecond",
    "sec": "second", "min": "minute", "h": "hour", "hr": "hour", "kW": "kilowatt",
    "W": "watt", "V": "volt", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz",
    "GHz": "gigahertz", "KB": "kilobyte", "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte",
    "TB": "terabyte", "°C": "degree Celsius", "°F": "degree Fahrenheit", "°": "degree",
    "%": "percent",
}  # fmt: skip
_FRACTIONS = {
    "1/2": "one half",
    "1/3": "one third",
    "2/3": "two thirds",
    "1/4": "one quarter",
    "3/4": "three quarters",
}
_LARGEST = 15
"""Digits of a number that is said as one; longer ones are said digit by digit."""
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SIGN = r"(?<![\w.])(?P<sign>[-−])?"

Say = Callable[[re.Match[str]], str]


def spell_figures(text: str) -> str:
    """`text` with every figure in words. Never raises; what is no valid date is said as numbers."""
    for pattern, say in _STEPS:
        text = pattern.sub(say, text)
    return text


def cardinal(figures: str) -> str:
    """ "1,234.5" in words; digit by digit where it begins with 0 or is very long."""
    whole, _, decimals = figures.replace(",", "").partition(".")
    if len(whole) > _LARGEST or (len(whole) > 1 and whole[0] == "0"):
        said = _digits(whole)
    else:
        said = str(num2words(int(whole)))
    return f"{said} point {_digits(decimals)}" if decimals else said


def _digits(figures: str) -> str:
    return " ".join(str(num2words(int(figure))) for figure in figures)


def _year(figures: str) -> str:
    return str(num2words(int(figures), to="year"))


def _ordinal(figures: str) -> str:
    if len(figures) > _LARGEST:
        return _digits(figures)
    return str(num2words(int(figures), to="ordinal"))


def _date(month: int, day: str, year: str | None) -> str:
    said = f"{_MONTHS[month]} {_ordinal(day)}"
    return f"{said}, {_year(year)}" if year else said


def _iso_date(found: re.Match[str]) -> str:
    year, month, day = found.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return found[0]
    return _date(int(month), day, year)


def _slash_date(found: re.Match[str]) -> str:
    first, second, year = found.groups()
    month, day = (first, second) if int(first) <= 12 else (second, first)
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return found[0]
    return _date(int(month), day, year)


def _month_date(found: re.Match[str]) -> str:
    name = found["month"].lower().rstrip(".")
    month = _SHORT_MONTHS.get(name[:3], 0)
    if not month or not 1 <= int(found["day"]) <= 31:
        return found[0]
    return _date(month, found["day"], found["year"])


def _clock_time(found: re.Match[str]) -> str:
    hour, minute, second, half = found["hour"], found["minute"], found["second"], found["half"]
    if int(hour) > 23 or int(minute) > 59:
        return found[0]
    said = cardinal(str(int(hour)))
    if int(minute):
        said += " " + ("oh " if int(minute) < 10 else "") + cardinal(str(int(minute)))
    elif not half:
        said += " o'clock"
    if second:
        said += f" and {cardinal(str(int(second)))} second" + ("" if int(second) == 1 else "s")
    return said + (f" {half[0].upper()} M" if half else "")


def _full_hour(found: re.Match[str]) -> str:
    return f"{cardinal(str(int(found['hour'])))} {found['half'].upper()} M"


def _money(found: re.Match[str]) -> str:
    one, many, cent, cents = _MONEY[found["sign"]]
    amount, scale = found["amount"], found["scale"]
    if scale:
        return f"{cardinal(amount)} {scale} {many}"
    whole, _, rest = amount.replace(",", "").partition(".")
    if rest and len(rest) != 2:
        return f"{cardinal(amount)} {many}"
    said = f"{cardinal(whole)} {one if whole == '1' else many}"
    if int(rest or 0):
        said += f" and {cardinal(str(int(rest)))} {cent if int(rest) == 1 else cents}"
    return said


def _unit(found: re.Match[str]) -> str:
    unit = _UNITS[found["unit"]]
    first, *per = unit.split(" ")
    if found["number"] != "1" and first not in (
        "percent",
        "hertz",
        "kilohertz",
        "megahertz",
        "gigahertz",
    ):
        first = "feet" if first == "foot" else first + "s"
    sign = "minus " if found["sign"] else ""
    return " ".join([sign + cardinal(found["number"]), first, *per])


def _signed(found: re.Match[str]) -> str:
    return ("minus " if found["sign"] else "") + cardinal(found["number"])


def _digit_by_digit(found: re.Match[str]) -> str:
    return ", ".join(_digits(group) for group in found[0].split("-"))


def _apart(found: re.Match[str]) -> str:
    """Figures with letters beside them: "MP3" is "MP three"."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    left, right = " " if before.isalpha() else "", " " if after.isalpha() else ""
    return left + cardinal(found[0]) + right


def _steps(*steps: tuple[str, Say]) -> tuple[tuple[re.Pattern[str], Say], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), say) for pattern, say in steps)


_HALF = r"(?P<half>[ap])(?:\.m\.|m\b)"
_UNIT = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))

_STEPS = (
    *_steps(
        (r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", _iso_date),
        (r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b", _slash_date),
        (rf"\b{_MONTH} (?P<day>\d{{1,2}}){_TH}\b(?:,? (?P<year>\d{{4}})\b)?", _month_date),
        (rf"\b(?P<day>\d{{1,2}}){_TH}\.? (?:of )?{_MONTH}(?:,? (?P<year>\d{{4}})\b)?", _month_date),
        (r"\b(\d{1,2}:\d\d)\s?[-–]\s?(?=\d{1,2}:\d\d\b)", lambda found: f"{found[1]} to "),
        (
            rf"\b(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?::(?P<second>\d\d))?\b(?:\s?{_HALF})?",
            _clock_time,
        ),
        (rf"\b(?P<hour>\d{{1,2}})\s?{_HALF}", _full_hour),
        (r"\b\d{3}(?:-\d{3,4})+\b", _digit_by_digit),
        (rf"(?<![\w.])({_NUMBER})\s?[-–—]\s?(?=\d)", lambda found: f"{found[1]} to "),
        (
            rf"(?P<sign>[$€£¥])\s?(?P<amount>{_NUMBER})"
            r"(?:\s(?P<scale>thousand|million|billion|trillion)\b)?",
            _money,
        ),
    ),
    # Units as they are written: "m" is a meter and "M" is not.
    (re.compile(rf"{_SIGN}(?P<number>{_NUMBER})\s?(?P<unit>{_UNIT})(?!\w)"), _unit),
    *_steps(
        (r"\b(\d{0,2}[1-9]0)s\b", lambda found: _year(found[1]).removesuffix("y") + "ies"),
        (r"\b(\d+)(?:st|nd|rd|th)\b", lambda found: _ordinal(found[1])),
        (r"(?<![\d/])[1-3]/[2-4](?![\d/])", lambda found: _FRACTIONS.get(found[0], found[0])),
        (
            r"\b(in|since|by|of|from|until|to|year) ((?:1[1-9]|20)\d\d)\b(?![.,]\d)",
            lambda found: f"{found[1]} {_year(found[2])}",
        ),
        (r"\d+(?:\.\d+){2,}", lambda found: " point ".join(map(cardinal, found[0].split(".")))),
        (r"(?<=\d)[:/](?=\d)", lambda _: " "),
        (rf"{_SIGN}(?P<number>{_NUMBER})(?!\w)", _signed),
        (r"(?<!\d)\.(?=\d)", lambda _: " point "),
        (r"\d+", _apart),
    ),
)
"""In this order: what a figure means is settled by the longest thing around it first."""
