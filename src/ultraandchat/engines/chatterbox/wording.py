"""What text Chatterbox wants, and a clause as it is handed over: one line, with the tags that its variant knows."""

import re
import unicodedata
from collections.abc import Collection

from ultraandchat.engines.base import Manner
from ultraandchat.engines.chatterbox.variants import Variant

FEWEST_WORDS = 3
"""Of a clause: on less than that the models invent sounds (resemble-ai/chatterbox issue 97)."""

MOST_CHARACTERS = 200
"""Of a clause, 12 s: past some 25 s Turbo is unstable (issue 543), past some 350 characters the others (424)."""

MOST_SYLLABLES = {"ja": 80, "ko": 80, "zh": 65}
"""The same of languages whose characters are syllables or words."""

_TAG = re.compile(r"\[([^\[\]]{1,20})\]")
_BRACKETS = str.maketrans("[]<>{}|`\\", "         ")


def manner(variant: Variant, language: str) -> Manner:
    """What text this release wants in that language, whichever its voice."""
    return Manner(
        language=language,
        tags=frozenset(variant.tags),
        fewest_words=FEWEST_WORDS,
        most_characters=MOST_SYLLABLES.get(language, MOST_CHARACTERS),
    )


def wording(clause: str, tags: Collection[str]) -> str:
    """One line, without control characters, brackets and mark-up; of bracketed words only `tags` stay.

    Empty where no letter or digit is in it.
    """
    spoken: list[str] = []
    at = 0
    for found in _TAG.finditer(clause):
        if found[1].lower() in tags:
            spoken += [_plain(clause[at : found.start()]), f"[{found[1].lower()}]"]
            at = found.end()
    spoken.append(_plain(clause[at:]))
    line = " ".join(part for part in spoken if part)
    return line if any(one.isalnum() for one in line) else ""


def _plain(text: str) -> str:
    text = text.translate(_BRACKETS)
    kept = (" " if unicodedata.category(one).startswith("C") else one for one in text)
    return " ".join("".join(kept).split())
