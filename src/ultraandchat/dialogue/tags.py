"""Sounds that a reply writes down: "[laugh]", "(sighs)", "*clears throat*".

They are never read aloud as words. A voice that makes such sounds gets the tags it knows, in brackets;
captions and history have none of them.
"""

import re
from collections.abc import Callable

_STEMS = (
    "laugh", "chuckle", "giggle", "snicker", "cough", "sneeze", "sigh", "gasp", "groan", "moan", "sniff", "sniffle",
    "snort", "shush", "hum", "yawn", "sob", "cry", "gulp", "hiccup", "whistle", "whisper", "inhale", "exhale",
    "breath", "pause", "clear throat", "applause", "music", "silence",
)  # fmt: skip
"""What models write, read in the cards and demonstrations of Chatterbox Turbo, Bark, Orpheus, Dia and Parler."""
_HOLE = re.compile(r"\s*\0[\s\0]*(?=([.,!?;:…]|$)?)")
"""Where tags were; the group tells of a mark behind them."""


def _forms(stem: str) -> list[str]:
    verb, *rest = stem.split(" ")
    if verb in ("applause", "music", "silence"):
        return [stem]
    base = verb.removesuffix("e")
    verb_s = "cries" if verb == "cry" else verb + ("es" if verb.endswith("sh") else "s")
    endings = [verb_s, base + "ing"]
    endings += ["laughter", "laughing"] if verb == "laugh" else []
    endings += ["breathes", "breathing", "deep breath"] if verb == "breath" else []
    own = [" ".join([form, *rest]) for form in endings]
    own += [f"{verb_s} {whose} throat" for whose in ("his", "her", "their", "my")] if rest else []
    return own


_ACTS = {form: stem for stem in _STEMS for form in _forms(stem)}
"""What tells of an act, also between asterisks and parentheses: "laughs" by its stem."""
_ALL = _ACTS | {stem: stem for stem in _STEMS}
_AROUND = r"(?:[a-z]{2,12}ly )?"
_AFTER = r"(?: [a-z]{2,12}ly)?"


def _any(forms: dict[str, str], group: str) -> str:
    words = "|".join(sorted(forms, key=len, reverse=True))
    return rf"\s?{_AROUND}(?P<{group}>{words}){_AFTER}\s?"


_TAG = re.compile(
    rf"\[{_any(_ALL, 'a')}\](?!\()|<{_any(_ALL, 'b')}/?>|\({_any(_ACTS, 'c')}\)"
    rf"|(?<![\w*])\*{{1,2}}{_any(_ACTS, 'd')}\*{{1,2}}(?![\w*])|(?<!\w)_{_any(_ACTS, 'e')}_(?!\w)",
    re.IGNORECASE,
)


def replace_tags(text: str, say: Callable[[str], str]) -> str:
    """`text` with every tag replaced by what `say` makes of its name: "laugh", also for "*laughs softly*"."""
    if not any(mark in text for mark in "[<(*_"):
        return text
    return _TAG.sub(lambda found: say(_ALL[(found[found.lastgroup or ""]).lower()]), text)


def without_tags(text: str) -> str:
    """`text` as it is shown."""
    shown = replace_tags(text, lambda _: "\0")
    if "\0" not in shown:
        return text
    return _HOLE.sub(lambda found: " " if found[1] is None else "", shown).strip()
