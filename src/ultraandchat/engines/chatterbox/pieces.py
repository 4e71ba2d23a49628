"""A clause as the model can bear it: clean, and not too long."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable

from ultraandchat.dialogue.clauses import ClauseSplitter
from ultraandchat.engines.chatterbox.pace import pace

MOST_LETTERS = 300
"""Latin letters, 20 s: Turbo becomes unstable after 25 to 30 s (resemble-ai/chatterbox issue 543), the others
after some 350 letters (issue 424)."""

_BORDERS = re.compile(r"\s+|(?<=[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff])")


def pieces(text: str) -> list[str]:
    """`text` in pieces of `MOST_LETTERS` at most, cut after sentences, else clauses, else words, else anywhere;
    none where nothing in it can be said."""
    line = _clean(text)
    if not _speakable(line):
        return []
    letters = max(pace(line).letters, 1.0)
    if letters <= MOST_LETTERS and len(line) <= MOST_LETTERS * 2:
        return [line]
    # Of characters that take as long as three letters fewer are a piece.
    most = max(20, int(MOST_LETTERS * min(len(line) / letters, 1.0)))
    splitter = ClauseSplitter(first_min_chars=most, max_chars=most)
    joined: list[str] = []
    for clause in splitter.feed(line) + splitter.flush():
        if joined and len(joined[-1]) + 1 + len(clause) <= most:
            joined[-1] += f" {clause}"
        else:
            joined.append(clause)
    return [piece for piece in joined if _speakable(piece)]


def rest_of(text: str, place: float, count: Callable[[str], int]) -> str:
    """The words of `text` that come after its token `place`, from 0; `count` tells how many tokens a text has.

    A word is over when the place is on its last token; one that is not over is said again. Where words are
    written without spaces a character is one.
    """
    begins = [0, *(found.end() for found in _BORDERS.finditer(text))]

    def tokens_before(begin: int) -> int:
        # The tokenizers put a full stop to what ends without a mark, so all have one of ours.
        return count(f"{text[:begin].rstrip()},") - 1 if begin else 0

    at = bisect_right(begins, place + 1, key=tokens_before)
    rest = text[begins[max(0, at - 1)] :]
    return rest if _speakable(rest) else ""


def _clean(text: str) -> str:
    """One line, without control, private and unassigned characters (Unicode category C)."""
    kept = (
        " " if one.isspace() else one
        for one in text
        if one.isspace() or not unicodedata.category(one).startswith("C")
    )
    return " ".join("".join(kept).split())


def _speakable(text: str) -> bool:
    return any(one.isalnum() for one in text)
