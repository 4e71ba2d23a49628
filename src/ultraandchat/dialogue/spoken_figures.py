"""Figures in a text of any language but English as words, as far as num2words and CLDR know them."""

import re
from functools import lru_cache, partial

from babel import Locale, UnknownLocaleError

from ultraandchat.dialogue.english_count import TELEPHONE, Step, exact, step
from ultraandchat.dialogue.spoken_count import Count
from ultraandchat.dialogue.spoken_dates import Dates, words_before
from ultraandchat.dialogue.spoken_units import Units
from ultraandchat.dialogue.wording import Wording, changed, pick, wording


@lru_cache(maxsize=32)
def figures_of(language: str) -> "Figures | None":
    """Those of a tag such as "de" or "pt-PT"; none where CLDR does not know it. Takes some 50 ms the first time."""
    tag = language.replace("_", "-").split("-")
    for name in ("-".join(tag[:2]), tag[0]):
        try:
            locale = Locale.parse({"no": "nb"}.get(name, name), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
        return Figures(locale, wording(language))
    return None


class Figures:
    """One language's. Never raises; what is no valid date is said as numbers."""

    def __init__(self, locale: Locale, wording: Wording) -> None:
        self._wording = wording
        self._count = Count(locale, wording)
        self._units = Units(locale, wording, self._count)
        self._dates = Dates(locale, wording, self._count, self._units)
        self._number = re.compile(self._count.pattern)
        self._steps = self._all_steps()

    def spell(self, text: str) -> str:
        """`text` with its figures in words; without them, where the language's numbers are not known, its signs."""
        if not any(map(str.isdigit, text)):
            return text
        for pattern, say in self._steps:
            text = pattern.sub(say, text)
        return text

    def _all_steps(self) -> tuple[Step, ...]:
        """In this order: what a figure means is settled by the longest thing around it first."""
        if not self._count.known:
            return (*self._range_steps(), *self._measure_steps())
        return (
            *self._date_steps(),
            *self._range_steps(),
            *self._measure_steps(),
            *self._ordinal_steps(),
            *self._number_steps(),
        )

    def _date_steps(self) -> list[Step]:
        to = f" {self._wording.to} " if self._wording.to else ", "
        return [
            step(
                r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b",
                lambda f: self._date(f, f[1], f[2], f[3]),
            ),
            step(
                r"\b(\d{1,2})([-/.]) ?(\d{1,2})\2 ?(\d{4})\b",
                lambda f: self._date(f, f[4], f[3], f[1]),
            ),
            *self._stopped_steps(),
            (self._dates.written, self._dates.say_written),
            step(r"\b(\d{1,2}:\d\d) ?[-–] ?(?=\d{1,2}:\d\d)", lambda f: f[1] + to),
            (self._dates.clock, self._dates.say_clock),
            step(TELEPHONE, self._telephone),
        ]

    def _stopped_steps(self) -> list[Step]:
        """Days without a year, and from one to another, where a stop makes an ordinal."""
        if not self._wording.stop_ordinals:
            return []
        to = self._wording.to
        return [
            step(
                r"(?<![\w.,])(\d{1,2})\.(\d{1,2})\.(?!\d)", lambda f: self._date(f, "", f[2], f[1])
            ),
            step(
                r"(?<![\w.,])(\d{1,2}\.) ?[-–] ?(?=\d{1,2}\.)",
                lambda f: f"{f[1]} {to} " if to else f[0],
            ),
        ]

    def _range_steps(self) -> list[Step]:
        to = self._wording.to
        if not to:
            return []
        count = self._count
        return [
            step(rf"{count.begin}({count.pattern})\s?[-–—]\s?(?=\d)", lambda f: f"{f[1]} {to} "),
            step(
                r"(?<=[€$£%°])\s?[-–—]\s?(?=[€$£]?\d)|(?<=\d)\s?[-–—]\s?(?=[€$£]\s?\d)",
                lambda _: f" {to} ",
            ),
        ]

    def _measure_steps(self) -> list[Step]:
        """Money, units, percent and powers; "m" is a meter and "M" is not."""
        begin, number, end = self._count.begin, self._count.pattern, self._count.end
        words, units, money = self._wording, self._units.pattern, self._units.money_pattern
        scale = rf"(?:\s(?P<scale>{words.scales})\b)?" if words.scales else "(?P<scale>(?!))?"
        return [
            *self._short_money_steps(),
            step(rf"(?P<sign>{money})\s?(?P<n>{number}){scale}{end}", self._money),
            step(rf"{begin}(?P<n>{number}){scale}\s?(?P<sign>{money})", self._money),
            step(rf"(?<!\w)%(?P<n>{number})", lambda f: self._units.measure(f["n"], "%")),
            exact(rf"(?<![\d/.,])(?P<n>[1-3]/[2-4])\s?(?P<unit>{units})(?!/){end}", self._part),
            exact(
                rf"{begin}(?P<minus>[-−])?(?P<n>{number})\s?(?P<unit>{units})(?!/){end}",
                self._measure,
            ),
            step(r"\^\s?2(?!\d)", lambda _: f" {words.squared} "),
            step(r"\^\s?3(?!\d)", lambda _: f" {words.cubed} "),
            step(r"(?<![\w.,)])[-−](?=\d)", lambda f: f"{words.minus} " if words.minus else f[0]),
        ]

    def _short_money_steps(self) -> list[Step]:
        """ "1,5 M€", and "19,- €"."""
        shorts, begin = self._wording.short_scales, self._count.begin
        steps = [step(r"(?<=\d),[-–—]+(?=\s?€)", lambda _: "")]
        if shorts:
            some = "|".join(sorted(shorts, key=len, reverse=True))
            steps.append(
                exact(
                    rf"{begin}({self._count.pattern})\s?({some})\s?€",
                    lambda f: self._units.money(f[1], "€", shorts[f[2]]),
                )
            )
        return steps

    def _ordinal_steps(self) -> list[Step]:
        """What a part of a number, an ordinal or a year is."""
        words, count, begin = self._wording, self._count, r"(?<![\w.,])"
        steps = [
            step(r"(?<![\d/.,])([1-3]/[2-4])(?![\d/])(?= (?P<noun>\w+))?", self._fraction),
        ]
        if words.suffixes:
            steps.append(step(rf"{begin}(\d+)({words.suffixes})(?!\w)", self._written_on))
        for one in words.ordinals:
            say = partial(_ordinal, count, one.change)
            steps.append(step(rf"{begin}(\d{{1,3}})(?:{one.suffix})(?!\w)", say))
        if words.stop_ordinals:
            steps.append(step(rf"{begin}(\d{{1,3}})\.(?=\s(?P<next>\w))", self._stopped))
        if words.year_endings:
            steps.append(step(rf"{begin}([12]\d{{3}})(?= (?P<noun>\w+\.?))", self._ordinal_year))
        if words.year in ("library", "century"):
            steps.append(step(rf"{begin}1[1-9]\d\d(?!\w|[.,]\d)", lambda f: count.year(f[0])))
        return steps

    def _number_steps(self) -> list[Step]:
        count = self._count
        return [
            step(r"(?<!\d)\d+(?:\.\d+)+", self._dotted),
            step(r"(?<=\d)[:/](?=\d)", lambda _: " "),
            step(
                rf"{count.begin}({count.pattern}){count.end}(?= (?P<noun>[^\W\d_]+))?",
                self._counted,
            ),
            step(r"(\d+)", self._apart),
        ]

    def _date(self, found: re.Match[str], year: str, month: str, day: str) -> str:
        return self._dates.numeric(year, month, day, words_before(found)) or found[0]

    def _money(self, found: re.Match[str]) -> str:
        sign = next(one for one in self._units.signs if one.lower() == found["sign"].lower())
        return self._units.money(found["n"], sign, found["scale"] or "")

    def _measure(self, found: re.Match[str]) -> str:
        minus = f"{self._wording.minus} " if found["minus"] else ""
        return minus + self._units.measure(found["n"], found["unit"])

    def _part(self, found: re.Match[str]) -> str:
        known = found["n"] in self._wording.fractions
        return self._units.part(found["n"], found["unit"]) if known else found[0]

    def _fraction(self, found: re.Match[str]) -> str:
        said = self._wording.fractions.get(found[1], found[1])
        alone = not words_before(found).endswith(self._wording.and_ or " ")
        half = found[1] == "1/2" and found["noun"] and alone
        change = pick(self._wording.halves, before=found["noun"]) if half else None
        return changed(said, change) if change else said

    def _written_on(self, found: re.Match[str]) -> str:
        is_year = len(found[1]) == 4
        said = self._count.year(found[1]) if is_year else self._count.cardinal(found[1])
        return said + found[2]

    def _stopped(self, found: re.Match[str]) -> str:
        change = pick(self._wording.ordinal_endings, after=words_before(found))
        if change is None and not found["next"].islower():
            return found[0]
        return self._count.ordinal(found[1], change)

    def _ordinal_year(self, found: re.Match[str]) -> str:
        change = pick(self._wording.year_endings, after=words_before(found), before=found["noun"])
        return found[0] if change is None else self._count.ordinal(found[1], change)

    def _telephone(self, found: re.Match[str]) -> str:
        groups = re.findall(r"\d+", found[0])
        plus = f"{self._wording.plus} " if found[0][0] == "+" else ""
        if self._wording.pairs:
            return plus + ", ".join(map(self._count.cardinal, groups))
        return plus + ", ".join(map(self._count.digits, groups))

    def _dotted(self, found: re.Match[str]) -> str:
        """ "1.2.3", and "3.14" where that is no number of the language."""
        if self._number.fullmatch(found[0]):
            return self._count.cardinal(found[0])
        return f" {self._wording.dot} ".join(map(self._count.cardinal, found[0].split(".")))

    def _counted(self, found: re.Match[str]) -> str:
        return self._count.cardinal(found[1], found["noun"] or "")

    def _apart(self, found: re.Match[str]) -> str:
        """Figures with letters beside them: "MP3" is "MP drei"."""
        before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
        left, right = " " if _spaced(before) else "", " " if _spaced(after) else ""
        return left + self._count.cardinal(found[0]) + right


def _ordinal(count: Count, change: dict[str, str], found: re.Match[str]) -> str:
    return count.ordinal(found[1], change)


def _spaced(letter: str) -> bool:
    """A letter of a script that puts spaces between words, or of Korean's, which need none here."""
    return letter.isalpha() and letter < "\u2e80"
