"""A reply's text, as it is written, into clauses that can be spoken on their own.

The earlier the first clause ends, the earlier the reply sounds: it may end at a comma, and where its
end mark leaves no doubt it is cut on the mark itself, without waiting for the next word. Later
clauses end with their sentence; sound is ahead of the listener by then. The text is read character
by character, so how it was cut into pieces on its way here can never change the clauses.

A voice that wants a few words at once does not get "Yes." alone. A first clause that is too short waits
for no more than it lacks. Later clauses are held back until the next has words enough to stand alone,
so that a reply's short end ("Bye!") goes with what was before it.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from ultraandchat.dialogue.wording import wording

_ENDS = ".!?…"
_CJK_ENDS = "。！？｡"
_CJK_COMMAS = "，、；："
_COMMAS = ",;:"
_CLOSERS = "\"'”’)]}*_`»」』）"
_NEVER_LAST = frozenset(
    re.findall(r"\S+", "dr mr mrs ms prof st vs e.g i.e cf approx fig dept est gen sen rep mt")
)
"""Abbreviations that are followed by more of their sentence."""
_MAYBE_LAST = frozenset(re.findall(r"\S+", "etc a.m p.m inc ltd co corp jr sr al"))
"""Abbreviations that end a sentence where a capital follows."""
_DAY = re.compile(r"[^\W\d_]{3,}\.? \d{1,2}(?:st|nd|rd|th)?,$")
_ORDINAL = re.compile(r"(?<![\w:.,])\d{1,2}$")
_LEADS_TO_ADDRESS = re.compile(
    r"mail|site|web|link|add?ress|seite|correo|página|pagina|strona"
    r"|(?:^|\W)(?:to|at|visit|see|à|unter)\s\w+$",
    re.IGNORECASE,
)
_PLAIN_WORD = re.compile(r"(?:^|[\s\"'“‘(*_])[^\W\d_]+(?:['’][^\W\d_]+)?$")
_LETTERS_WITH_DOTS = re.compile(r"(?:^|\W)(?:[^\W\d_]\.)+[^\W\d_]$")
_LAST_WORD = re.compile(r"[^\W\d_][\w.]*$")
_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
"""Scripts without spaces between words: Thai, Lao, Japanese, Chinese. Each of their signs counts as a word."""
_WORD = re.compile(rf"\[[a-z ]+\](?!\()|([{_UNSPACED}]|[^\W_{_UNSPACED}]+(?:['’.,-][^\W_]+)*)")
"""A word is in the group; "[laugh]" is none."""


class ClauseSplitter:
    """One reply's splitter. Clauses come without surrounding white space and are never empty."""

    def __init__(
        self, *, first_min_chars: int, max_chars: int, fewest_words: int = 1, language: str = "en"
    ) -> None:
        if not 1 <= first_min_chars <= max_chars:
            raise ValueError("first_min_chars must be 1…max_chars")
        self._first_min = first_min_chars
        self._max = max_chars
        self._fewest = fewest_words
        self._stop_ordinals = wording(language).stop_ordinals
        self._never_last, self._maybe_last = _abbreviations(language)
        self._before_numbers = _before_numbers(language)
        self._held = ""
        """What ended as a clause and may yet go together with `_text`."""
        self._joint = ""
        """White space between the two."""
        self._text = ""
        self._gap = ""
        self._first = True

    def feed(self, text: str) -> list[str]:
        """More text; the clauses that are whole now."""
        clauses: list[str] = []
        for character in text:
            if character.isspace():
                if self._text or self._held:
                    self._gap = "\n" if character in "\r\n" or self._gap == "\n" else " "
                continue
            if self._text and self._ends_before(character):
                self._end(clauses)
            self._append(character, clauses)
            if self._first and self._surely_ends():
                self._end(clauses)
            while len(self._held + self._joint + self._text) > self._max:
                self._split(clauses)
        return clauses

    def flush(self) -> list[str]:
        """The text is over: what is left of it. The next text begins anew."""
        clauses: list[str] = []
        if self._text:
            self._end(clauses)
        self._let_go(clauses)
        self._gap, self._joint, self._first = "", "", True
        return clauses

    def _append(self, character: str, clauses: list[str]) -> None:
        if not self._text:
            self._joint = self._gap if self._held else ""
        else:
            at_a_word = self._gap or character >= "\u0e00"
            if self._held and at_a_word and not _short(self._text, self._fewest):
                self._let_go_if_long(clauses)
            self._text += self._gap
        self._text += character
        self._gap = ""

    def _end(self, clauses: list[str]) -> None:
        """A clause ends with the text so far."""
        if self._held and not _short(self._text, self._fewest):
            self._let_go_if_long(clauses)
        self._held += self._joint + self._text
        self._text, self._joint = "", ""
        if self._fewest <= 1 or (self._first and not _short(self._held, self._fewest)):
            self._let_go(clauses)

    def _let_go_if_long(self, clauses: list[str]) -> None:
        if not _short(self._held, self._fewest):
            self._let_go(clauses)

    def _let_go(self, clauses: list[str]) -> None:
        if self._held:
            clauses.append(self._held)
            self._held, self._joint, self._first = "", "", False

    def _split(self, clauses: list[str]) -> None:
        """There is too much for one clause: the first part of it goes."""
        if not self._held or _short(self._held, self._fewest):
            text = self._held + self._joint + self._text
            at = self._best_place(text)
            self._held, self._text = text[:at].strip(), text[at:].strip()
        self._let_go(clauses)

    def _ends_before(self, character: str) -> bool:
        """Whether a clause ends with the text so far, seeing what comes next."""
        if self._gap == "\n":
            return True
        bare = self._text.rstrip(_CLOSERS) or self._text
        mark = bare[-1]
        if mark in _CJK_ENDS:
            return bool(self._gap) or character not in _CJK_ENDS + _ENDS + _CLOSERS
        if not self._gap:
            return False
        if mark == "." and not bare.endswith(".."):
            return self._ends_with_stop(bare[:-1], character)
        if mark in ".…":
            return not character.islower()
        if mark in "!?":
            return True
        if character.isdigit() and _DAY.search(bare):
            return False  # "July 20, 1969"
        return self._first and self._long_enough() and mark in _COMMAS + _CJK_COMMAS

    def _ends_with_stop(self, before: str, character: str) -> bool:
        """Whether the "." after `before` ends a sentence when `character` comes after the space."""
        if character.islower():
            return False
        if before.strip(_CLOSERS + " ").isdigit():
            return False  # "1. First", the number of a list
        if character.isdigit() and self._before_numbers.search(before):
            return False  # "p. 12"
        if self._stop_ordinals and _ORDINAL.search(before):
            return False  # "am 3. November"
        found = _LAST_WORD.search(before)
        word = found.group().lower() if found else ""
        if word in self._maybe_last:
            return character.isupper()
        initial = (
            len(word) == 1 and before[-1].isupper() and before[-1] != "I" and before[-2:-1] != "°"
        )
        return not (word in self._never_last or initial or _LETTERS_WITH_DOTS.search(before))

    def _surely_ends(self) -> bool:
        """Whether the first clause ends with its last character, whatever comes next."""
        before, mark = self._text[:-1], self._text[-1]
        if mark not in _ENDS + _COMMAS + _CJK_ENDS + _CJK_COMMAS:
            return False
        if not self._long_enough() or not self._balanced():
            return False
        if mark in _CJK_ENDS + _CJK_COMMAS:
            return True
        if not _PLAIN_WORD.search(before):
            return False
        if mark != ".":
            return mark != "…"
        found = _LAST_WORD.search(before)
        word = found.group() if found else ""
        if _LEADS_TO_ADDRESS.search(before):
            return False  # "write to anna." may go on: "smith@example.org"
        return len(word) >= 3 and word.islower() and word not in self._never_last | self._maybe_last

    def _long_enough(self) -> bool:
        return len(self._held + self._joint + self._text) >= self._first_min

    def _balanced(self) -> bool:
        """No quotation, bracket or emphasis is open: its closing mark belongs to the clause."""
        text = self._text
        pairs = all(text.count(a) == text.count(b) for a, b in ("“”", "()", "[]", "「」", "（）"))
        return pairs and all(text.count(mark) % 2 == 0 for mark in '"*_`')

    def _best_place(self, text: str) -> int:
        """Where a text that is too long is split: after a comma, else between words, else anywhere."""
        within = text[: self._max]
        comma = max(within.rfind(mark) for mark in (", ", "; ", ": ", " – ", " — ", "，", "、"))
        if comma >= self._max // 3:
            return comma + 1
        space = max(text.rfind(" ", 0, self._max + 1), text.rfind("\n", 0, self._max + 1))
        return space if space > 0 else self._max


@lru_cache(maxsize=32)
def _abbreviations(language: str) -> tuple[frozenset[str], frozenset[str]]:
    """Words before a stop that never end a sentence, and those that end one where a capital follows."""
    words = wording(language)
    may_end = _parts(words.may_end)
    never = _parts(words.abbreviations) - may_end
    return _NEVER_LAST | never, (_MAYBE_LAST - never) | may_end


@lru_cache(maxsize=32)
def _before_numbers(language: str) -> re.Pattern[str]:
    """Abbreviations that a number follows, without their stop: "No", "p"."""
    shorts = ["No.", *wording(language).before_numbers]
    some = "|".join(re.escape(short.rstrip(".")) for short in shorts)
    return re.compile(rf"(?:^|\W)(?:{some})$", re.IGNORECASE)


def _parts(shorts: Iterable[str]) -> frozenset[str]:
    """ "z" and "b" of "z. B."."""
    return frozenset(part.lower().strip(".") for short in shorts for part in short.split(" "))


def _short(text: str, fewest: int) -> bool:
    """Whether `text` has fewer words than that."""
    words = 0
    for found in _WORD.finditer(text):
        words += found[1] is not None
        if words >= fewest:
            return False
    return True
