"""Counts of one language as words: num2words', with what it lacks."""

import re
from functools import lru_cache

from babel import Locale
from num2words import num2words

from ultraandchat.dialogue.wording import Wording, changed, pick

LARGEST = 12
"""Digits of a number that is said as one; longer ones are said digit by digit."""
_SPACES = "\u00a0\u202f"


class Count:
    """Figures as one locale writes them, as words; as they are where its numbers are not known."""

    def __init__(self, locale: Locale, wording: Wording) -> None:
        symbols = locale.number_symbols["latn"]
        self.decimal = str(symbols["decimal"])
        group = str(symbols["group"])
        self._group = " " if group in _SPACES else group
        self._wording = wording
        self.known = bool(wording.numbers)
        d, g = re.escape(self.decimal), re.escape(self._group)
        self.pattern = rf"(?:[1-9]\d{{0,2}}(?:{g}\d{{3}})+(?!\d)(?:{d}\d+)?|\d+(?:{d}\d+)?)"
        """Of a number without a sign; it has no groups of its own."""
        unspaced = locale.language in ("ja", "ko", "zh")
        self.begin = r"(?<![A-Za-z\d.,])" if unspaced else r"(?<![\w.,])"
        self.end = r"(?![A-Za-z\d])" if unspaced else r"(?!\w)"
        """Where figures may stand: not within a word, in scripts that put spaces between words."""

    def plain(self, figures: str) -> str:
        """ "1.234,5" of a German text is "1234.5"."""
        return figures.replace(self._group, "").replace(self.decimal, ".")

    def cardinal(self, figures: str, noun: str = "") -> str:
        """In words, as before `noun`; digit by digit where it begins with 0 or is very long."""
        if not self.known:
            return figures
        whole, _, rest = self.plain(figures).partition(".")
        if len(whole) > LARGEST or (len(whole) > 1 and whole[0] == "0"):
            said = self.digits(whole)
        elif rest and self._wording.decimals == "library" and len(rest) <= 3:
            return self._words(whole, "decimal", rest)
        else:
            said = self._number(whole)
            change = None if rest else pick(self._wording.agree, before=noun)
            said = changed(said, change, whole_last=True) if change and noun else said
        return f"{said} {self._wording.point} {self._decimals(rest)}" if rest else said

    def ordinal(self, figures: str, change: dict[str, str] | None = None) -> str:
        """In words, each with its ending changed."""
        if not self.known or len(figures) > LARGEST:
            return self.digits(figures)
        said = self._words(figures, "ordinal") or self._number(figures)  # 0 has none in Portuguese
        return changed(said, change or {})

    def year(self, figures: str) -> str:
        """Four figures as the year they are."""
        kind, number = self._wording.year, int(figures)
        if not self.known or not 1100 <= number <= 1999:
            return self.cardinal(figures)
        if kind == "library":
            return self._words(figures, "year")
        if kind == "century":
            rest = self._number(str(number % 100)) if number % 100 else ""
            return self._number(str(number // 100)) + self._wording.hundred + rest
        return self.cardinal(figures)

    def digits(self, figures: str) -> str:
        """One by one."""
        if not self.known:
            return figures
        return " ".join(self._number(figure) for figure in figures)

    def _decimals(self, figures: str) -> str:
        if self._wording.decimals == "digits" or len(figures) > 2 or figures[0] == "0":
            return self.digits(figures)
        return self._number(figures)

    def _number(self, figures: str) -> str:
        return self._words(figures, "cardinal")

    def repaired(self, said: str) -> str:
        """What the libraries say, with their faults mended."""
        for wrong, right in self._wording.repair.items():
            said = said.replace(wrong, right)
        return said

    def _words(self, figures: str, kind: str, decimals: str = "") -> str:
        return self.repaired(_num2words(self._wording.numbers, int(figures), kind, decimals))


@lru_cache(maxsize=4096)
def _num2words(language: str, number: int, kind: str, decimals: str) -> str:
    if decimals:
        return str(num2words(f"{number}.{decimals}", lang=language))
    return str(num2words(number, lang=language, to=kind))
