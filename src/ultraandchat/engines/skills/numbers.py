"""Numbers as people say them, turned into digits so that "ten" and "10" are one thing to a phrase."""

from collections.abc import Sequence

from num2words import num2words

ONES = {num2words(value): value for value in range(20)}
TENS = {num2words(value): value for value in range(20, 100, 10)}
SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_LARGEST_WORDS = 24
"""Words of one number; longer runs are read as several numbers."""


def to_digits(words: Sequence[str]) -> list[str]:
    """The same words with every number in figures: "set twenty five" → "set", "25"."""
    found: list[str] = []
    at = 0
    while at < len(words):
        value, length = _number(words, at)
        if length == 0:
            found.append(words[at])
            at += 1
        else:
            found.append(value)
            at += length
    return found


def _number(words: Sequence[str], at: int) -> tuple[str, int]:
    """The longest number that begins at `at`, and how many words it takes; 0 for none."""
    whole, length = _whole(words, at)
    if length == 0:
        return "", 0
    decimals: list[str] = []
    after = at + length
    if after + 1 < len(words) and words[after] == "point" and ONES.get(words[after + 1], 10) < 10:
        for word in words[after + 1 : after + 1 + _LARGEST_WORDS]:
            if ONES.get(word, 10) > 9:
                break
            decimals.append(str(ONES[word]))
    if decimals:
        return f"{whole}.{''.join(decimals)}", length + 1 + len(decimals)
    return str(whole), length


def _whole(words: Sequence[str], at: int) -> tuple[int, int]:
    total, group, used = 0, 0, 0
    last = "start"
    for word in words[at : at + _LARGEST_WORDS]:
        kind = _kind(word, last, used == 0 and _hundred_follows(words, at))
        if kind is None:
            break
        if kind == "article":
            group = 1
        elif kind == "one":
            group += ONES[word]
        elif kind == "tens":
            group += TENS[word]
        elif kind == "hundred":
            group *= 100
        elif kind == "scale":
            total, group = total + group * SCALES[word], 0
        last, used = kind, used + 1
    if last == "and":
        used -= 1
    return total + group, used


def _kind(word: str, last: str, article: bool) -> str | None:
    """What `word` is inside a number after a `last` part, or None where the number is over."""
    if word == "a" and article:
        return "article"
    if word in ONES and last in ("start", "hundred", "and", "scale"):
        return "one"
    if word in ONES and last == "tens" and 0 < ONES[word] < 10:
        return "one"
    if word in TENS and last in ("start", "hundred", "and", "scale"):
        return "tens"
    if word == "hundred" and last in ("one", "article"):
        return "hundred"
    if word in SCALES and last in ("one", "tens", "hundred", "article"):
        return "scale"
    if word == "and" and last in ("hundred", "scale"):
        return "and"
    return None


def _hundred_follows(words: Sequence[str], at: int) -> bool:
    return at + 1 < len(words) and (words[at + 1] == "hundred" or words[at + 1] in SCALES)
