"""What was said, laid beside the table of phrases: exactly first, then as near as a bad ear needs.

Small recognisers mishear a word in four, so a phrase also counts when most of its words are there in
order, or nearly: "tell me a choke" is the joke. What shares only little words is nothing.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache
from itertools import chain

from ultraandchat.engines.skills.grammar import OTHERWISE, PHRASES, RULES, tree
from ultraandchat.engines.skills.numbers import to_digits
from ultraandchat.engines.skills.pattern import Node, expand, regex

LONGEST_CHARS = 2_000
"""What is read of one turn; a skill's phrase is never longer."""
LONGEST_NEAR = 14
"""Words up to which something misheard is looked for: more words are another subject."""
NEAR_ENOUGH = 0.78
"""Share of matching words (both ways, little words counting little) from which a phrase is meant."""
ALIKE = 0.66
"""Likeness of two words ("joke", "choke": 0.67) that are taken for one misheard word."""
LITTLE = frozenset(
    re.findall(r"\w+", "a an the is it me my of to for do you i what are that this and")
)
_LITTLE_WEIGHT = 0.4

_NUMBER = r"-?\d+(?:\.\d+)? "
_CONTRACTED = {"what's": "what is", "who's": "who is", "how's": "how is", "didn't": "did not"}
_SYMBOLS = (
    (re.compile(r"(?<=\d),(?=\d{3}\b)"), ""),
    (re.compile(r"(?<=[\d\s)])\s*[-−–]\s*(?=[\d(])"), " minus "),
    (re.compile(r"\+"), " plus "),
    (re.compile(r"[×*]|(?<=\d)\s*x\s*(?=\d)"), " times "),
    (re.compile(r"÷|(?<=[\d\s)])\s*/\s*(?=[\d(])"), " divided by "),
    (re.compile(r"%"), " percent "),
)
_BEFORE = re.compile(
    r"^(?:(?:please|hey|okay|ok|um|uh|er|oh|ah|so|well|now|and|computer|"
    r"(?:can|could|would|will) you|i want you to) )+"
)
_AFTER = re.compile(r"(?: (?:please|for me|then|right away))+$")


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase of the table found in what was said."""

    skill: str
    words: tuple[str, ...]
    """What was said, in lower case, numbers as digits."""
    exact: bool
    """False where words were misheard or missing."""


def normalise(said: str) -> tuple[str, ...]:
    """Lower-case words without punctuation or courtesies, numbers as digits, signs as words."""
    text = unicodedata.normalize("NFKC", said[:LONGEST_CHARS]).lower().replace("’", "'")
    for symbol, word in _SYMBOLS:
        text = symbol.sub(word, text)
    spoken = re.findall(r"-?\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*", text)
    text = " ".join(_CONTRACTED.get(word, word) for word in spoken)
    bare = _AFTER.sub("", _BEFORE.sub("", text + " ", count=1).strip()) if spoken else ""
    return tuple(to_digits((bare or text).split()))


def find(said: str) -> Match | None:
    """The skill whose phrase this is, or None."""
    words = normalise(said)
    if not words:
        return None
    line = " ".join(words) + " "
    for skill, whole in _exact():
        if whole.fullmatch(line):
            return Match(skill, words, exact=True)
    return _nearest(words)


def _nearest(words: tuple[str, ...]) -> Match | None:
    if not 2 <= len(words) <= LONGEST_NEAR:
        return None  # a word alone gives nothing to lean on: "father" is not "faster"
    heard = tuple("<number>" if word.lstrip("-")[0].isdigit() else word for word in words)
    alike = [_alike(word) for word in heard]
    every, containing = _sequences()
    rows = {row for known in alike for word in known for row in containing.get(word, ())}
    best, skill = 0.0, ""
    for row in rows:
        name, phrase = every[row]
        likeness = _likeness(heard, alike, phrase)
        if (likeness, name) > (best, skill):
            best, skill = likeness, name
    return Match(skill, words, exact=False) if best >= NEAR_ENOUGH else None


def _likeness(
    heard: Sequence[str], alike: Sequence[Mapping[str, float]], phrase: Sequence[str]
) -> float:
    """0…1: weight of the longest common run of words, in order, over the weight of both sides."""
    both = sum(map(_weight, heard)) + sum(map(_weight, phrase))
    shared = sum(
        max((likeness * _weight(w) for w, likeness in known.items() if w in phrase), default=0.0)
        for known in alike
    )
    if 2 * shared < NEAR_ENOUGH * both:
        return 0.0  # not even out of order
    row = [0.0] * (len(phrase) + 1)
    for known in alike:
        before, row = row, [0.0]
        for at, wanted in enumerate(phrase):
            joined = before[at] + known.get(wanted, 0.0) * _weight(wanted)
            row.append(max(joined, before[at + 1], row[at]))
    return 2 * row[-1] / both


def _weight(word: str) -> float:
    return _LITTLE_WEIGHT if word in LITTLE else 1.0


@lru_cache(maxsize=4096)
def _alike(heard: str) -> Mapping[str, float]:
    """Words of the table that `heard` may have been, and how like it they are."""
    vocabulary, by_pair = _vocabulary()
    found = {heard: 1.0} if heard in vocabulary else {}
    if heard in LITTLE or len(heard) < 4 or heard == "<number>":
        return found
    shared = Counter(word for pair in _pairs(heard[:24]) for word in by_pair.get(pair, ()))
    for word, pairs in shared.items():
        if word != heard and pairs >= 2:
            likeness = SequenceMatcher(None, heard[:24], word).ratio()
            if likeness >= ALIKE:
                found[word] = likeness
    return found


def _pairs(word: str) -> set[str]:
    return {word[at : at + 2] for at in range(len(word) - 1)}


@cache
def _vocabulary() -> tuple[frozenset[str], Mapping[str, tuple[str, ...]]]:
    """All words of all phrases; those with meaning also by each pair of letters in them."""
    words = frozenset(word for _, phrase in _sequences()[0] for word in phrase)
    by_pair: dict[str, tuple[str, ...]] = {}
    for word in words - LITTLE:
        if len(word) >= 4 and word != "<number>":
            for pair in _pairs(word):
                by_pair[pair] = (*by_pair.get(pair, ()), word)
    return words, by_pair


@cache
def _exact() -> tuple[tuple[str, re.Pattern[str]], ...]:
    def rule(name: str) -> str:
        return _NUMBER if name == "number" else regex(tree(RULES[name]), rule)

    return tuple(
        (skill, re.compile(regex(tree(_in_digits(pattern)), rule)))
        for skill, patterns in chain(PHRASES.items(), OTHERWISE.items())
        for pattern in patterns
    )


@cache
def _sequences() -> tuple[tuple[tuple[str, tuple[str, ...]], ...], Mapping[str, tuple[int, ...]]]:
    """Every phrase word by word with its skill, and for each word with meaning where it stands."""

    def rule(name: str) -> Node | None:
        return None if name == "number" else tree(RULES[name])

    every = tuple(
        (skill, sequence)
        for skill, patterns in chain(PHRASES.items(), OTHERWISE.items())
        for pattern in patterns
        for sequence in expand(tree(_in_digits(pattern)), rule)
    )
    containing: dict[str, tuple[int, ...]] = {}
    for row, (_, phrase) in enumerate(every):
        for word in set(phrase) - LITTLE - {"<number>"}:
            containing[word] = (*containing.get(word, ()), row)
    return every, containing


def _in_digits(pattern: str) -> str:
    """Number words that stand in a pattern itself ("roll two dice") as the slot they become."""
    return re.sub(r"(?<![\w<])two(?!\w)", "<number>", pattern)
