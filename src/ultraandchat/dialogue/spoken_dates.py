"""Dates and times of day of one language as words: CLDR's months and order, the language's own way of telling hours."""

import re

from babel import Locale

from ultraandchat.dialogue.spoken_count import Count
from ultraandchat.dialogue.spoken_units import Units
from ultraandchat.dialogue.wording import Wording, changed, pick


class Dates:
    """One locale's. A date that cannot be stays as it is, and its figures are said as numbers."""

    def __init__(self, locale: Locale, wording: Wording, count: Count, units: Units) -> None:
        self._wording = wording
        self._count = count
        self._units = units
        self._order = str(locale.date_formats["long"].pattern)
        self._months = {n: str(name) for n, name in locale.months["format"]["wide"].items()}
        self._names = _month_names(locale)
        names = sorted(self._names, key=len, reverse=True)
        month = "|".join(re.escape(name) for name in names) or r"(?!)"
        day = r"(?<![\w.,])(?P<day>\d{1,2})"
        mark = r"(?P<mark>\.|er|\.?o|:?e)?"
        year = rf"(?P<gap>\.? (?:{wording.of_year}))(?P<year>\d{{4}})\b"
        self.written = re.compile(
            rf"{day}{mark}(?P<of>\s(?:de |of )?)(?P<month>{month})\b(?:{year}|\.(?=\s\w))?",
            re.IGNORECASE,
        )
        colon = f"(?::|{wording.hour_mark})" if wording.hour_mark else ":"
        marks = f"(?:{wording.time_marks})?" if wording.time_marks else ""
        colon = rf"(?:{colon}|\.(?=\d\d{wording.time_marks}))" if wording.time_marks else colon
        self.clock = re.compile(
            rf"{count.begin}(?P<hour>\d{{1,2}}){colon}(?P<minute>\d\d)(?::(?P<second>\d\d))?{count.end}{marks}"
        )

    def numeric(self, year: str, month: str, day: str, after: str) -> str | None:
        """Figures alone, as "3.11.2024"; none where they are no date."""
        if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
            return None
        parts = {
            "d": self._day(str(int(day)), after),
            "M": self._count.cardinal(str(int(month))),
            "MMMM": self._months[int(month)],
            "y": self._year(year) if year else "",
        }
        order = re.sub(r"(?<=d)\.", "", self._order)
        tokens = re.findall(r"'([^']*)'|(d+|M+|y+)|([^'dMy]+)", order)
        said = "".join(quoted or parts.get("MMMM" if len(token) > 2 else token[:1], other) or other
                       for quoted, token, other in tokens)  # fmt: skip
        return (
            said.replace("г.", "года").strip()
            if year
            else re.sub(r"\W*(?:г\.|de|del)?\s*$", "", said)
        )

    def say_written(self, found: re.Match[str]) -> str:
        """A match of `written`."""
        if not 1 <= int(found["day"]) <= 31:
            return found[0]
        month = self._months.get(self._names[found["month"].lower()], found["month"])
        if len(found["month"]) > 4:
            month = found["month"]
        said = self._day(found["day"], words_before(found)) + found["of"] + month
        if found["year"]:
            said += found["gap"].replace(".", "") + self._year(found["year"])
        return said

    def say_clock(self, found: re.Match[str]) -> str:
        """A match of `clock`."""
        hour, minute, second = found["hour"], found["minute"], found["second"]
        if int(hour) > 23 or int(minute) > 59:
            return found[0]
        wording = self._wording
        if wording.hours:
            change = pick(wording.hour_endings, after=words_before(found)) or {}
            h = changed(wording.hours[int(hour)], change)
        else:
            h = self._count.cardinal(str(int(hour)), wording.hour_noun)
        parts = {
            "h": h,
            "hours": self._units.named(str(int(hour)), "duration-hour")
            if "{hours}" in wording.time
            else h,
        }
        if not int(minute) and not int(second or 0):
            return wording.hour.format(**parts)
        m = self._count.cardinal(str(int(minute)))
        said = wording.time.format(
            **parts, m=wording.minute_below_ten.format(m=m) if int(minute) < 10 else m
        )
        if int(second or 0):
            said += ", " + self._units.named(str(int(second)), "duration-second")
        return said

    def _day(self, figures: str, after: str) -> str:
        if self._wording.day == "ordinal":
            return self._count.ordinal(figures, pick(self._wording.day_endings, after=after))
        if int(figures) == 1 and self._wording.first:
            return self._wording.first
        return self._count.cardinal(str(int(figures)))

    def _year(self, figures: str) -> str:
        if self._wording.year == "ordinal":
            return self._count.ordinal(figures, pick(self._wording.day_endings))
        return self._count.year(figures)


def words_before(found: re.Match[str]) -> str:
    """The two words in front of a match."""
    return " ".join(found.string[: found.start()].lower().rsplit(None, 2)[-2:])


def _month_names(locale: Locale) -> dict[str, int]:
    """Every name of a month that has no figure, lower-case, without its stop."""
    names: dict[str, int] = {}
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in locale.months[context][width].items():
                plain = str(name).lower().rstrip(".")
                if len(plain) >= 3 and not any(map(str.isdigit, plain)):
                    names.setdefault(plain, number)
    return names
