"""A conversation as Ultravox is told it: messages, oldest first, each with the words known of it."""

from collections.abc import Iterable
from typing import TypeAlias

from ultraandchat.dialogue.history import Conversation
from ultraandchat.turn.events import UserTurn, Utterance

Told: TypeAlias = tuple[UserTurn | str, str]
"""One message: a user's turn and its words as far as they are known, or what was heard of a reply."""

CUT_SHORT = " …"
"""After what was heard of a reply that the user cut."""


def history(conversation: Conversation) -> tuple[Told, ...]:
    """Oldest first. A turn that was not answered has no reply, and one the agent began no question."""
    told: list[Told] = []
    for exchange in conversation.exchanges:
        if exchange.said is not None:
            told.append((exchange.said, exchange.words))
        if exchange.reply:
            told.append((exchange.reply + (CUT_SHORT if exchange.cut_short else ""), ""))
    return tuple(told)


def utterances(told: Iterable[Told]) -> list[Utterance]:
    """Those told as sound."""
    return [said for said, _ in told if isinstance(said, Utterance)]
