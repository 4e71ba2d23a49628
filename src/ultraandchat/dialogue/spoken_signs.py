"""Addresses, abbreviations and signs of one language as words."""

import re
from collections.abc import Iterable
from functools import lru_cache

from ultraandchat.dialogue.spoken_units import UNITS
from ultraandchat.dialogue.wording import Wording

_SURE = "com|org|net|io|ai|dev|app|edu|gov|info|eu|de|uk|fr|us|ch|at|nl|pl|pt|se|dk|fi|ru|jp|br|cn|tv|wiki|cloud"
"""Ends of host names that no sentence goes on with where the space behind its stop is missing."""
_ANY = _SURE + "|it|es|no|be|me|co|in|is|to|so|kr|tr|gr|xyz|online|shop|tech|museum|local"
_HOST = r"(?P<host>(?:[\w-]{1,63}\.){1,8}"
_PATH = r"\b(?P<path>[:/?#][^\s)\]>\"']*)?"
_NAMED = re.compile(rf"(?:https?://|\bwww\.){_HOST}(?:{_ANY})){_PATH}")
_BARE = re.compile(rf"(?<![\w.@]){_HOST}(?:{_SURE})){_PATH}")
_MAIL = re.compile(rf"(?P<user>[\w.+-]{{1,64}})@(?P<host>(?:[\w-]{{1,63}}\.){{1,8}}(?:{_ANY}))\b")
_OTHER_URL = re.compile(r"\b(?:https?|ftp|file)://\S*[^\s.,!?;:]")
_FILE = re.compile(
    r"(?<=\w)\.(?=(?:py|js|ts|tsx|json|txt|md|html|css|toml|ya?ml|sh|cpp|rs|go|java|csv|pdf|png|jpe?g|zip|exe|docx?|xlsx?|gz|tar|rb|svg|mp3|mp4|wav|ini|cfg|lock|log)\b)"
)
_ISO = re.compile(r"(?<=\d{4}-\d\d-\d\d)T(?=\d\d:\d\d)|(?<=\d\d:\d\d)Z\b")
"""The letters of "2026-03-03T14:05:00Z"."""
_NAMES = re.compile(r"(?<=[A-Z])/(?=[A-Z])")
"""Of "TCP/IP" and its kind."""
_SLASH = re.compile(r"(?<=[^\W\d_])/(?=[^\W\d_])")


_HIDDEN = re.compile(r"(?<![\w.,!?;:)])\.(?=[^\W\d_])")
"""The dot of ".NET" and ".config"."""


class Signs:
    """One language's; a sign without a word is left as it is, and is silent in the end."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._full = {
            form: words
            for short, words in wording.abbreviations.items()
            for form in (short, short[0].upper() + short[1:])
        }
        self._short = _any(self._full, r"(?!\w)")
        self._numbered = {
            form: words
            for short, words in wording.before_numbers.items()
            for form in (short, short[0].upper() + short[1:], short[0].lower() + short[1:])
        }
        self._before_number = _any(self._numbered, r"\s?(?=\d)")
        steps = (
            (r"(?<=\d)\s*×\s*(?=\d)|(?<=\d)\s?x(?=[\s.,!?]|$)(?!\s*[-+=*/^−×÷])", wording.times),
            (r"(?:#|\b[Nn]o\.\s?|№\s?)(?=\d)", wording.number),
            (r"(?<=[\w)])(?:\s+\+\s+|\+)(?=[\w(])|(?<=\d)\+(?=\s|$)", wording.plus),
            (r"(?<=[\w)])\s*=\s*(?=[\w(-])", wording.equals),
            (r"(?<=\d)\s*÷\s*(?=\d)", wording.divided),
            (r"(?<=\d)\s+[-−]\s+(?=\d)", wording.minus),
            (r"√\s?(?=[\w(])", wording.root),
            (r"\s*(?:!=|≠)\s*(?=[\w(-])", wording.unequal),
            (r"\s*(?:<=|≤)\s*(?=[\w(-])", _either(wording.less, wording.or_, wording.equals)),
            (r"\s*(?:>=|≥)\s*(?=[\w(-])", _either(wording.greater, wording.or_, wording.equals)),
            (r"(?<=[\w)])\s+<\s+(?=[\w(-])", wording.less),
            (r"(?<=[\w)])\s+>\s+(?=[\w(-])", wording.greater),
            (r"±\s*", _either(wording.plus, wording.or_, wording.minus)),
            (r"(?<=[\d€$£%])\s?/\s?(?=[^\W\d_]{2})", wording.per),
            (r"[≈~]\s*(?=\d)", wording.about),
            (r"\s*&\s*", wording.and_),
            (r"\s*(?:->|=>|→)\s*", wording.to),
            (r"\s@\s", wording.at),
        )
        self._steps = tuple((re.compile(one), f" {words} ") for one, words in steps if words)

    def spell(self, text: str) -> str:
        """`text` with them in words; figures stay."""
        text = _MAIL.sub(self._mail, text)
        text = _NAMED.sub(self._address, text)
        text = _BARE.sub(self._address, text)
        text = _ISO.sub(" ", text)
        text = _OTHER_URL.sub(self._wording.link, text)
        text = text.replace("C#", "C sharp") if self._wording.dot == "dot" else text
        text = re.sub(r"\bC\+\+", f"C {self._wording.plus} {self._wording.plus}", text)
        text = _FILE.sub(self._dot, text)
        text = _HIDDEN.sub(self._dot, text)
        if self._short is not None:
            text = self._short.sub(self._written_out, text)
        if self._before_number is not None:
            text = self._before_number.sub(lambda found: f"{self._numbered[found[1]]} ", text)
        for pattern, words in self._steps:
            text = pattern.sub(words, text)
        return text

    def spell_rest(self, text: str) -> str:
        """Slashes, which may be part of a unit or a date, once these are in words."""
        wording = self._wording
        if "/" in text and wording.or_:
            text = text.replace(f"{wording.and_}/{wording.or_}", f"{wording.and_} {wording.or_}")
            text = _NAMES.sub(" ", text)
            text = _SLASH.sub(f" {wording.or_} ", text)
        return text

    def _written_out(self, found: re.Match[str]) -> str:
        """An abbreviation; "min." behind a number is a unit, and is left to those who know units."""
        unit = found[0].rstrip(".") in UNITS or found[0] in self._wording.units
        counted = found.string[: found.start()].rstrip()[-1:].isdigit()
        return found[0] if unit and counted else self._full[found[0]]

    @property
    def _dot(self) -> str:
        return f" {self._wording.dot} " if self._wording.dot else "."

    def _mail(self, found: re.Match[str]) -> str:
        at = f" {self._wording.at} " if self._wording.at else ", "
        return self._host(found["user"]) + at + self._host(found["host"])

    def _address(self, found: re.Match[str]) -> str:
        path = found["path"] or ""
        end = path[-1] if path and path[-1] in ".,!?;:" else ""
        return self._host(found["host"]) + end

    def _host(self, host: str) -> str:
        wording = self._wording
        host = host.removeprefix("www.").replace(".", self._dot)
        return host.replace("-", f" {wording.dash} ").replace("_", f" {wording.underscore} ")


def _any(shorts: Iterable[str], end: str) -> re.Pattern[str] | None:
    """Any of these, as a word of its own."""
    longest_first = sorted(shorts, key=len, reverse=True)
    some = "|".join(re.escape(one) for one in longest_first)
    return re.compile(rf"(?<![\w.])({some}){end}") if some else None


def _either(one: str, or_: str, other: str) -> str:
    return f"{one} {or_} {other}" if one and or_ and other else ""


@lru_cache(maxsize=32)
def signs_of(wording: Wording) -> Signs:
    """Those of a language's words."""
    return Signs(wording)
