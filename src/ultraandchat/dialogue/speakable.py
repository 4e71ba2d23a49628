"""A clause as a voice should read it: no markup, no emoji, addresses and figures as words.

Captions and history keep the clause as it was written; only the synthesizer gets this text, which
may be empty. Figures and abbreviations are put into words for English; other languages are cleaned of
markup, and their voices read figures themselves.
"""

import html
import re
import unicodedata

from ultraandchat.dialogue.spoken_numbers import spell_figures

LONGEST = 2_000
"""Characters read of one text: clauses are far shorter, so more is no clause of ours."""

_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"```[\w+-]*\n.*?(?:```|$)", re.DOTALL), " some code. "),
    (re.compile(r"```[\w+-]*"), " "),
    (re.compile(r"!?\[([^\]\[]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s[^()]*)?\)"), r"\1"),
    (re.compile(r"<(https?://[^<>\s]+)>"), r"\1"),
    (re.compile(r"</?[a-zA-Z][^<>]*>"), " "),
    (re.compile(r"^\s*(?:[-*_=]\s*){3,}$", re.MULTILINE), " "),
    (re.compile(r"^\s*(?:#{1,6}\s+|>+\s*|[-*+•]\s+)+", re.MULTILINE), ""),
    (re.compile(r"^\s*(\d{1,3})[.)]\s+", re.MULTILINE), r"\1, "),
    (re.compile(r"(?<=\d)\s?[*×]\s?(?=\d)"), " times "),
    (re.compile(r"\*\*|__|~~|(?<!\w)[*_]+(?=\w)|(?<=[\w.,!?;:])[*_]+(?!\w)|`"), ""),
)
_ADDRESSES = re.compile(
    r"(?P<scheme>https?://)?(?P<user>[\w.+-]{1,64}@)?(?P<host>(?:[\w-]{1,63}\.){1,8}"
    r"(?:com|org|net|io|ai|dev|app|edu|gov|info|eu|de|uk|fr|us|ch|at))\b(?P<path>[:/?#][^\s)\]>\"']*)?"
)
_OTHER_URL = re.compile(r"\b(?:https?|ftp|file)://\S+")
_ABBREVIATIONS = {
    "Dr.": "Doctor", "Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miss", "Prof.": "Professor",
    "e.g.": "for example", "i.e.": "that is", "etc.": "et cetera", "vs.": "versus",
    "approx.": "approximately", "a.m.": "A M", "p.m.": "P M",
}  # fmt: skip
_ABBREVIATION = re.compile(
    r"(?<![\w.])(?:" + "|".join(re.escape(short) for short in _ABBREVIATIONS) + r")(?!\w)",
    re.IGNORECASE,
)
_LOWER_ABBREVIATIONS = {short.lower(): words for short, words in _ABBREVIATIONS.items()}
_SIGNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:#|\bNo\.\s?|№\s?)(?=\d)"), " number "),
    (re.compile(r"\bC#"), "C sharp"),
    (re.compile(r"\bC\+\+"), "C plus plus"),
    (re.compile(r"(?<=[\w)])\s*\+\s*(?=[\w(])"), " plus "),
    (re.compile(r"(?<=[\w)])\s*=\s*(?=[\w(-])"), " equals "),
    (re.compile(r"(?<=\d)\s*÷\s*(?=\d)"), " divided by "),
    (re.compile(r"(?<=\d)\s+[-−]\s+(?=\d)"), " minus "),
    (re.compile(r"±\s*"), " plus or minus "),
    (re.compile(r"[≈~]\s*(?=\d)"), " about "),
    (re.compile(r"\s*&\s*"), " and "),
    (re.compile(r"\s*(?:->|=>|→)\s*"), " to "),
    (re.compile(r"\s@\s"), " at "),
)
_SLASH = re.compile(r"(?<=[^\W\d_])/(?=[^\W\d_])")
_MIXED_FRACTION = re.compile(r"(?<=\d)\s?(?=[½¼¾⅓⅔])")
_BRACKETS = re.compile(r"\s*[()\[\]{}|]+\s*")
_SPOKEN_SIGNS = frozenset(".,!?;:'-")
"""Marks that tell a voice something."""


def speakable(text: str, language: str = "en") -> str:
    """What to hand to the synthesizer for `text`; empty where there is nothing to say. Never raises."""
    text = _MIXED_FRACTION.sub(" and ", html.unescape(text[:LONGEST]))
    text = unicodedata.normalize("NFKC", text).translate({0x2044: "/", 0x2010: "-"})
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    if language.split("-")[0].lower() == "en":
        text = _english(text)
    return _tidy(text)


def _english(text: str) -> str:
    text = _ADDRESSES.sub(_address, text)
    text = _OTHER_URL.sub("a link", text)
    text = _ABBREVIATION.sub(lambda found: _full(found[0]), text)
    for pattern, words in _SIGNS:
        text = pattern.sub(words, text)
    return _SLASH.sub(" or ", spell_figures(text).replace("and/or", "and or"))


def _address(found: re.Match[str]) -> str:
    host = found["host"].removeprefix("www.").replace("-", " dash ").replace(".", " dot ")
    user = (found["user"] or "").rstrip("@")
    if user:
        return f"{user.replace('.', ' dot ').replace('_', ' underscore ')} at {host}"
    path = found["path"] or ""
    end = path[-1] if path and path[-1] in ".,!?;:" else ""
    return host + end


def _full(short: str) -> str:
    return _LOWER_ABBREVIATIONS[short.lower()]


def _tidy(text: str) -> str:
    """Only words and the marks a voice pauses at, single spaces; empty where no word is left."""
    text = _BRACKETS.sub(", ", text)
    text = "".join(_said(character) for character in text)
    text = re.sub(r"[\s,]*\n[\s,]*", ", ", text.strip())
    text = re.sub(r"(?<!\w)['-]+|['-]+(?!\w)", " ", text)
    text = re.sub(r"\s+(?=[.,!?;:])", "", " ".join(text.split()))
    text = re.sub(r"[,;:]+(?=[,.!?;:])", "", text)
    text = text.lstrip(".,!?;: ").rstrip(",;: ")
    return text if any(map(str.isalnum, text)) else ""


def _said(character: str) -> str:
    if character in _SPOKEN_SIGNS or character.isspace():
        return character
    if character in "’‘":
        return "'"
    if character in "–—":
        return ", "
    kind = unicodedata.category(character)
    if kind == "Cf" or character in "\ufe0e\ufe0f\u20e3":
        return ""  # joiners and variants that emoji leave behind
    return character if kind[0] in "LMN" else " "
