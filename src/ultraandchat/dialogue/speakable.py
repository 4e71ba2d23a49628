"""A clause as a voice should read it: no markup, no emoji, addresses, signs and figures as words.

Only the synthesizer gets this text, which may be empty; captions and history keep the clause as it was
written. English figures are put into words by `spoken_numbers`, those of other languages by what CLDR
and num2words know of them (`spoken_figures`), signs and abbreviations by the language's own file
(`wording`). Where nobody knows a language's numbers, figures stay, and its voice reads them.
"""

import html
import re
import unicodedata
from collections.abc import Set

from ultraandchat.dialogue.markup import Code, unmarked
from ultraandchat.dialogue.spoken_figures import figures_of
from ultraandchat.dialogue.spoken_numbers import spell_figures
from ultraandchat.dialogue.spoken_signs import signs_of
from ultraandchat.dialogue.tags import replace_tags
from ultraandchat.dialogue.wording import wording

LONGEST = 1_000
"""Characters read of one text: clauses are far shorter, so more is no clause of ours."""

_TAG_SIGNS = 0xE000
_OWN = re.compile("[\ue000-\uf8ff]")
"""Signs for private use: ours stand for tags, while a text is made speakable."""
_BEFORE = str.maketrans(
    {"™": " ", "®": " ", "©": " ", "²": "^2", "³": "^3", "º": "\uf8f0", "ª": "\uf8f1"}
)
_AFTER = str.maketrans({"\u2044": "/", "\u2010": "-", "\u2011": "-", "\uf8f0": "º", "\uf8f1": "ª"})
"""What Unicode's compatibility form would make figures and letters of."""
_MIXED_FRACTION = re.compile(r"(?<=\d)\s?(?=[½¼¾⅓⅔])")
_GOES_ON = re.compile(r"[,;:，；：、][*_`\"'”’)\]\s]*$")
"""How a clause ends that is the first part of a sentence."""
_BRACKETS = re.compile(r"\s*[()\[\]{}|]+\s*")
_SPOKEN_SIGNS = frozenset(".,!?;:'-¿¡。、।؟،؛׳״")
"""Marks that tell a voice something."""


class Aloud:
    """One reply, read aloud clause by clause: it remembers whether it is inside a block of code."""

    def __init__(self, language: str = "en", tags: Set[str] = frozenset()) -> None:
        self._english = language.replace("_", "-").split("-")[0].lower() == "en"
        self._language = language
        self._wording = wording(language)
        self._signs = signs_of(self._wording)
        self._tags = {name: chr(_TAG_SIGNS + index) for index, name in enumerate(sorted(tags))}
        self._code = Code()

    def clause(self, text: str) -> str:
        """What to hand to the synthesizer; empty where there is nothing to say. Never raises."""
        goes_on = _GOES_ON.search(text) is not None
        text = self._code.left_out(text[:LONGEST], f" {self._wording.code}. ")
        text = replace_tags(_OWN.sub(" ", text), lambda name: f" {self._tags.get(name, '')} ")
        text = _tidy(self._spelled(unmarked(self._plain(text))))
        for name, sign in self._tags.items():
            text = text.replace(sign, f"[{name}]")
        # A voice lets its pitch fall where a clause has no mark at its end.
        return f"{text}," if goes_on and text[-1:].isalnum() else text

    def _plain(self, text: str) -> str:
        and_ = f" {self._wording.and_} " if self._wording.and_ else " "
        text = _MIXED_FRACTION.sub(and_, html.unescape(text)).translate(_BEFORE)
        return unicodedata.normalize("NFKC", text).translate(_AFTER)

    def _spelled(self, text: str) -> str:
        text = self._signs.spell(text)
        if self._english:
            text = spell_figures(text)
        elif (figures := figures_of(self._language)) is not None:
            text = figures.spell(text)
        return self._signs.spell_rest(text)


def speakable(text: str, language: str = "en", tags: Set[str] = frozenset()) -> str:
    """A text that stands alone, as `Aloud` reads it.

    "[laugh]" and its kind stay where `tags` names them ("laugh"), and are left out where it does not.
    """
    return Aloud(language, tags).clause(text)


def _tidy(text: str) -> str:
    """Only words and the marks a voice pauses at, single spaces; empty where no word is left."""
    text = _BRACKETS.sub(", ", text)
    text = "".join(_said(character) for character in text)
    text = re.sub(r"(?<=[.!?:;。])[\s,]*\n[\s,]*", " ", text.strip())
    text = re.sub(r"[\s,]*\n[\s,]*", ", ", text)
    text = re.sub(r"(?<!\w)['-]+|['-]+(?!\w)", " ", text)
    text = re.sub(r"\s+(?=[.,!?;:])", "", " ".join(text.split()))
    text = re.sub(r"[,;:]+(?=[,.!?;:])", "", text)
    text = text.lstrip(".,!?;: ").rstrip(",;: ")
    return text if any(map(str.isalnum, text)) or _OWN.search(text) else ""


def _said(character: str) -> str:
    if character in _SPOKEN_SIGNS or character.isspace():
        return character
    if character in "’‘":
        return "'"
    if character in "–—":
        return ", "
    kind = unicodedata.category(character)
    if kind == "Co":
        return character  # a tag that stays
    if kind == "Cf" or character in "\ufe0e\ufe0f\u20e3":
        return ""  # joiners and variants that emoji leave behind
    return character if kind[0] in "LMN" else " "
