"""A reply's text, as it is written, into clauses that can be spoken on their own.

The earlier the first clause ends, the earlier the reply sounds: it may end at a comma, and where its
end mark leaves no doubt it is cut on the mark itself, without waiting for the next word. Later
clauses end with their sentence; sound is ahead of the listener by then. The text is read character
by character, so how it was cut into pieces on its way here can never change the clauses.
"""

import re

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
_PLAIN_WORD = re.compile(r"(?:^|[\s\"'“‘(*_])[^\W\d_]+(?:['’][^\W\d_]+)?$")
_LETTERS_WITH_DOTS = re.compile(r"(?:^|\W)(?:[^\W\d_]\.)+[^\W\d_]$")
_LAST_WORD = re.compile(r"[^\W\d_][\w.]*$")


class ClauseSplitter:
    """One reply's splitter. Clauses come without surrounding white space and are never empty."""

    def __init__(self, *, first_min_chars: int, max_chars: int) -> None:
        if not 1 <= first_min_chars <= max_chars:
            raise ValueError("first_min_chars must be 1…max_chars")
        self._first_min = first_min_chars
        self._max = max_chars
        self._text = ""
        self._gap = ""
        self._first = True

    def feed(self, text: str) -> list[str]:
        """More text; the clauses that are whole now."""
        clauses: list[str] = []
        for character in text:
            if character.isspace():
                if self._text:
                    self._gap = "\n" if character in "\r\n" or self._gap == "\n" else " "
                continue
            if self._text and self._ends_before(character):
                self._cut(len(self._text), clauses)
            self._text += (self._gap if self._text else "") + character
            self._gap = ""
            if self._first and self._surely_ends():
                self._cut(len(self._text), clauses)
            while len(self._text) > self._max:
                self._cut(self._best_place(), clauses)
        return clauses

    def flush(self) -> list[str]:
        """The text is over: what is left of it. The next text begins anew."""
        clauses: list[str] = []
        self._cut(len(self._text), clauses)
        self._gap, self._first = "", True
        return clauses

    def _cut(self, at: int, clauses: list[str]) -> None:
        clause, self._text = self._text[:at].strip(), self._text[at:].strip()
        if clause:
            clauses.append(clause)
            self._first = False

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
        long_enough = len(self._text) >= self._first_min
        return self._first and long_enough and mark in _COMMAS + _CJK_COMMAS

    def _ends_with_stop(self, before: str, character: str) -> bool:
        """Whether the "." after `before` ends a sentence when `character` comes after the space."""
        if character.islower():
            return False
        if before.strip(_CLOSERS + " ").isdigit():
            return False  # "1. First", the number of a list
        found = _LAST_WORD.search(before)
        word = found.group().lower() if found else ""
        if word in _MAYBE_LAST:
            return character.isupper()
        initial = len(word) == 1 and before[-1].isupper() and before[-1] != "I"
        return not (word in _NEVER_LAST or initial or _LETTERS_WITH_DOTS.search(before))

    def _surely_ends(self) -> bool:
        """Whether the first clause ends with its last character, whatever comes next."""
        before, mark = self._text[:-1], self._text[-1]
        if mark not in _ENDS + _COMMAS + _CJK_ENDS + _CJK_COMMAS:
            return False
        if len(self._text) < self._first_min or not self._balanced():
            return False
        if mark in _CJK_ENDS + _CJK_COMMAS:
            return True
        if not _PLAIN_WORD.search(before):
            return False
        if mark != ".":
            return mark != "…"
        found = _LAST_WORD.search(before)
        word = found.group() if found else ""
        return len(word) >= 3 and word.islower() and word not in _NEVER_LAST | _MAYBE_LAST

    def _balanced(self) -> bool:
        """No quotation, bracket or emphasis is open: its closing mark belongs to the clause."""
        text = self._text
        pairs = all(text.count(a) == text.count(b) for a, b in ("“”", "()", "[]", "「」", "（）"))
        return pairs and all(text.count(mark) % 2 == 0 for mark in '"*_`')

    def _best_place(self) -> int:
        """Where a text that is too long is split: after a comma, else between words, else anywhere."""
        within = self._text[: self._max]
        comma = max(within.rfind(mark) for mark in (", ", "; ", ": ", " – ", " — ", "，", "、"))
        if comma >= self._max // 3:
            return comma + 1
        space = max(
            self._text.rfind(" ", 0, self._max + 1), self._text.rfind("\n", 0, self._max + 1)
        )
        return space if space > 0 else self._max
