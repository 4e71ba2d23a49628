"""What a conversation already holds: its words, its names. Nothing is remembered in the engine."""

import re
from collections.abc import Iterable

from ultraandchat.dialogue.history import Conversation

_REPEAT = re.compile(r"\b(?:repeat|say) after me\b[\s,:;.]*(.*)", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(
    r"\b(?:my name is|my name's|i am called|i'm called)\s+"
    r"([^\W\d_][\w'’-]*(?:\s+[^\W\d_][\w'’-]*){0,2})",
    re.IGNORECASE,
)
_SPELL = re.compile(
    r"^\W*(?:please\s+)?(?:(?:can|could) you\s+)?(?:spell|how do you spell)\s+"
    r"(?:the word\s+)?([^\W\d_][\w'’-]{0,40})\W*(?:please\W*)?$",
    re.IGNORECASE,
)
_LONGEST_REPEAT = 400
"""Characters; half a minute of speech."""
_NO_NAME = frozenset({"what", "not", "please", "a", "the"})


def free_text(said: str) -> str | None:
    """The answer to a phrase that carries words of the caller's own, or None."""
    repeat = _REPEAT.search(said)
    if repeat:
        wanted = " ".join(repeat.group(1).split())[:_LONGEST_REPEAT]
        return (
            _sentence(wanted)
            if wanted
            else "Say it in one breath: repeat after me, and then the words."
        )
    spell = _SPELL.match(said)
    if spell:
        return _spelled(spell.group(1))
    name = _name_in([said])
    return f"Hello, {name}." if name else None


def my_name(conversation: Conversation) -> str:
    """The newest name the caller gave in this conversation."""
    name = _name_in(exchange.words for exchange in reversed(conversation.exchanges))
    return f"You told me that your name is {name}." if name else "You have not told me your name."


def said_before(conversation: Conversation) -> str:
    """The caller's own last words."""
    for exchange in reversed(conversation.exchanges):
        if exchange.words:
            return f"You said: {_sentence(exchange.words)}"
    return "You have not said anything before this."


def again(conversation: Conversation) -> str:
    """What the caller last heard, once more."""
    for exchange in reversed(conversation.exchanges):
        if exchange.reply:
            return exchange.reply
    return "I have not said anything yet."


def _name_in(said: Iterable[str]) -> str | None:
    for words in said:
        found = _NAME.search(words)
        if found and found.group(1).split()[0].lower() not in _NO_NAME:
            return " ".join(part[:1].upper() + part[1:] for part in found.group(1).split())
    return None


def _spelled(word: str) -> str:
    letters = ", ".join(letter.upper() for letter in word if letter.isalnum())
    return f"{word.capitalize()} is spelled {letters}."


def _sentence(words: str) -> str:
    text = words[:1].upper() + words[1:]
    return text if text[-1:] in ".!?…" else text + "."
