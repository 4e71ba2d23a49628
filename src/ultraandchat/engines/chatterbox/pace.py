"""How many speech tokens a text can take: as few as a quick speaker needs, as many as a slow one.

Characters in a second of speech, measured on the clips in tests/data/speech from the first sound of speech to
the last: 14.1 to 18.8 of ten read clips, 10.9 of a president who addresses a crowd, 12.4 to 15.6 of three
commands, and 14.5 to 20.3 of flite. Other scripts are counted as so many Latin letters as take equally long:
Coupé, Oh, Dediu, Pellegrino 2019 (doi 10.1126/sciadv.aaw2594) find 4 to 9 syllables a second in 17 languages,
and a syllable is a character of Chinese or Korean, but three letters of English.
"""

import math
import re
import unicodedata
from dataclasses import dataclass

from ultraandchat.engines.chatterbox.variants import TAGS, TOKEN_RATE

QUICKEST = 28.0
"""Letters a second. A third above the quickest clip: who needs less time has left something out."""
USUAL = 15.0
"""Letters a second, the slower half of the clips that are read."""
SLOWEST = 8.0
"""Letters a second: 80 words a minute, three quarters of the slowest clip's."""

USUAL_MORE_S, MOST_MORE_S = 0.3, 1.2
"""Silence around a clause, and what a very short one needs for itself: "yes" is spoken in 0.64 s."""
USUAL_PAUSE_S, MOST_PAUSE_S = 0.3, 0.8
"""At a mark within the clause. The president's longest pause, counted in his slowness, is 1.2 s."""
USUAL_TAG_S, MOST_TAG_S = 1.0, 2.5
"""A laugh. Judgement: none was heard of this voice."""

SHORT = 12.0
"""Letters of a text with which the model is known to speak gibberish ("Hi!", "Why?")."""

LAUGHS = 4
"""Times that a laugh or a sound that is drawn out may repeat. Judgement."""

LONGEST = 1000
"""Tokens, 40 s: whatever the text is. Turbo's own limit."""

_TAG = re.compile(r"\[(?:" + "|".join(TAGS) + r")\]")
_PAUSE = re.compile(r"[.!?…,;:–—。！？、，；：]+(?=.*\w)", re.DOTALL)
_ACRONYM = re.compile(r"\b[A-Z]{2,}\b")
_SYLLABLES = re.compile(r"[\uac00-\ud7a3]")
_IDEOGRAPHS = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3041-\u30ff]")
_UNVOWELLED = re.compile(r"[\u0590-\u06ff\u0900-\u097f]")
_REPEATED_WORD = re.compile(r"\b(\w+)\b(?:\W+\1\b)+", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_DRAWN_OUT = re.compile(r"(\w)\1\1")


@dataclass(frozen=True, slots=True)
class Pace:
    """What is expected of one text's speech tokens."""

    least: int
    """Fewer, and words are missing."""
    usual: int
    most: int
    """Not one more."""
    letters: float
    """What is to be spoken, counted in Latin letters."""
    pauses: int
    """Marks within the text, at which it is natural to pause."""
    repeats: int
    """How often in a row it says one word, or sound of a laugh; 1: it does not repeat."""

    @property
    def short(self) -> bool:
        return self.letters <= SHORT


def pace(text: str) -> Pace:
    """Of `text` as the tokenizer is given it."""
    tags = len(_TAG.findall(text))
    bare = _TAG.sub(" ", text)
    quick, usual, slow = _letters(bare)
    pauses = len(_PAUSE.findall(bare))
    usual_s = USUAL_MORE_S + usual / USUAL + pauses * USUAL_PAUSE_S + tags * USUAL_TAG_S
    most_s = MOST_MORE_S + slow / SLOWEST + pauses * MOST_PAUSE_S + tags * MOST_TAG_S
    return Pace(
        least=int(TOKEN_RATE * quick / QUICKEST),
        usual=min(math.ceil(TOKEN_RATE * usual_s), LONGEST),
        most=min(math.ceil(TOKEN_RATE * most_s), LONGEST),
        letters=usual + tags * USUAL_TAG_S * USUAL,
        pauses=pauses,
        repeats=_repeats(bare, tags),
    )


def _repeats(text: str, tags: int) -> int:
    words = max(
        (len(_WORD.findall(found[0])) for found in _REPEATED_WORD.finditer(text)), default=1
    )
    return max(words, LAUGHS if tags or _DRAWN_OUT.search(text) else 1)


def _letters(text: str) -> tuple[float, float, float]:
    """How many Latin letters take as long to speak: at least, usually, at most."""
    quick = usual = slow = 0.0
    capitals = sum(len(found) for found in _ACRONYM.findall(text))
    # "NASA" is a word and "USA" three names of letters; nobody here knows which.
    usual += capitals
    slow += capitals * 3
    for one in " ".join(text.split()):
        low, middle, high = _worth(one)
        quick, usual, slow = quick + low, usual + middle, slow + high
    return quick, usual, slow


def _worth(character: str) -> tuple[float, float, float]:
    kind = unicodedata.category(character)
    if kind[0] == "N":
        return 1, 4, 8  # "1" is at least a part of "eleven", at most of "one hundred"
    if kind[0] == "M":
        return 0, 0.5, 1
    if kind[0] == "S":
        return (0, 0, 0) if kind == "So" else (0, 3, 9)  # an emoji is silent, "%" is a word
    if kind[0] == "L":
        if _IDEOGRAPHS.match(character):
            return 2, 3, 4  # one syllable, or in Japanese often two
        if _SYLLABLES.match(character):
            return 2, 2.6, 3.2
        if _KANA.match(character):
            return 1.4, 2, 2.4  # one mora; eight in a second
        if _UNVOWELLED.match(character):
            return 1, 1.5, 2
        return 1, 1, 1
    # A space is what its word's end takes, and a mark is counted as a pause.
    return (1, 1, 1) if kind[0] == "Z" else (0, 0, 0)
