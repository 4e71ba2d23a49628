"""What was said so far, as the page is told it: for a caller who comes back with an empty page.

Follows the events of one conversation, as the page's messages do. Bounded; kept in memory only.
"""

from dataclasses import dataclass, field

from ultraandchat.events import ClauseSpoken, Forgotten, ReplyClosed, SessionEvent, WordsHeard
from ultraandchat.transport.telling import message_of
from ultraandchat.transport.wire import AgentCaption, ReplyDone, ServerMessage, UserCaption
from ultraandchat.turn.events import TurnId

MOST_TURNS = 60
"""Turns kept: about as many as the history has; told at once they fit into a peer's queue (256 messages)."""


@dataclass(slots=True)
class _Turn:
    user: UserCaption | None = None
    agent: dict[int, AgentCaption] = field(default_factory=dict)  # by clause, until it is done
    done: ReplyDone | None = None


class Captions:
    """The captions of one conversation."""

    def __init__(self) -> None:
        self._turns: dict[TurnId, _Turn] = {}

    def follow(self, event: SessionEvent) -> None:
        """Note what the page was told, or would have been."""
        if isinstance(event, Forgotten):
            self._turns.clear()
        if not isinstance(event, WordsHeard | ClauseSpoken | ReplyClosed):
            return
        turn = self._turns.setdefault(event.turn, _Turn())
        match message_of(event):
            case UserCaption(text="", final=True):
                turn.user = None
            case UserCaption(text=text) as words if text:
                turn.user = words
            case AgentCaption(clause=clause) as spoken:
                turn.agent[clause] = spoken
            case ReplyDone() as done:
                turn.done = done
                turn.agent.clear()
        while len(self._turns) > MOST_TURNS:
            del self._turns[min(self._turns)]

    def messages(self) -> list[ServerMessage]:
        """All of them again, oldest turn first."""
        told: list[ServerMessage] = []
        for _, turn in sorted(self._turns.items()):
            told += [turn.user] if turn.user is not None else []
            told += turn.agent.values()
            told += [turn.done] if turn.done is not None else []
        return told
