"""One phrase in JSGF's own notation: words, `[maybe]`, `(this | that)` and `<rule>`.

The same text is a recogniser's grammar, a regular expression over words, and the list of all word
sequences it allows, so that recogniser and responder can never disagree about a phrase.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

_TOKEN = re.compile(r"<\w+>|[()\[\]|]|[a-z']+|\S")


@dataclass(frozen=True, slots=True)
class Word:
    """A word that must be there."""

    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Something named: another rule of the grammar, or a number to be filled in."""

    name: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other; none at all is the empty phrase."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these."""

    options: "tuple[Node, ...]"


Node: TypeAlias = Word | Rule | Sequence | Choice


def parse(text: str) -> Node:
    """The tree of a pattern. Raises `ValueError` where the notation is wrong: the author's fault."""
    tokens = _TOKEN.findall(text)
    node = _choice(tokens)
    if tokens:
        raise ValueError(f"{text!r}: {tokens[0]!r} stands where nothing may stand")
    return node


def regex(node: Node, rule: Callable[[str], str]) -> str:
    """A regular expression over words that each end in one space; `rule` names the rules' own."""
    match node:
        case Word(text):
            return re.escape(text) + " "
        case Rule(name):
            return rule(name)
        case Sequence(parts):
            return "".join(regex(part, rule) for part in parts)
        case Choice(options):
            return "(?:" + "|".join(regex(option, rule) for option in options) + ")"


def expand(node: Node, rule: Callable[[str], Node | None]) -> Iterator[tuple[str, ...]]:
    """Every word sequence the pattern allows; a rule that `rule` answers with None stays `<name>`."""
    match node:
        case Word(text):
            yield (text,)
        case Rule(name):
            inner = rule(name)
            if inner is None:
                yield (f"<{name}>",)
            else:
                yield from expand(inner, rule)
        case Sequence(parts):
            for pieces in product(*(tuple(expand(part, rule)) for part in parts)):
                yield tuple(word for piece in pieces for word in piece)
        case Choice(options):
            for option in options:
                yield from expand(option, rule)


def _choice(tokens: list[str]) -> Node:
    options = [_sequence(tokens)]
    while tokens and tokens[0] == "|":
        del tokens[0]
        options.append(_sequence(tokens))
    return options[0] if len(options) == 1 else Choice(tuple(options))


def _sequence(tokens: list[str]) -> Node:
    parts: list[Node] = []
    while tokens and tokens[0] not in ")]|":
        parts.append(_part(tokens))
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))


def _part(tokens: list[str]) -> Node:
    token = tokens.pop(0)
    if token in ("(", "["):
        inside = _choice(tokens)
        closing = ")" if token == "(" else "]"
        if not tokens or tokens.pop(0) != closing:
            raise ValueError(f"{token!r} without its {closing!r}")
        return inside if token == "(" else Choice((inside, Sequence(())))
    if token.startswith("<"):
        return Rule(token[1:-1])
    if re.fullmatch(r"[a-z']+", token):
        return Word(token)
    raise ValueError(f"{token!r} is not part of the notation")
