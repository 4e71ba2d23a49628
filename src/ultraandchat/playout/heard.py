"""The account of a reply: how much of each clause left in time to be audible."""

from dataclasses import dataclass

from ultraandchat.turn.events import TurnId


@dataclass(frozen=True, slots=True)
class ClauseHeard:
    """One clause of a reply, in samples at the playout rate."""

    clause: int
    heard: int
    total: int
    """Made so far; more may have been to come where the synthesizer was cut off."""
    complete: bool
    """The synthesizer had finished it, so `heard == total` means that all of it was heard."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a listener heard of one reply."""

    turn: TurnId
    clauses: tuple[ClauseHeard, ...]
    cut: bool
    """True where the user broke in or the reply failed before all of it was heard."""

    @property
    def samples(self) -> int:
        return sum(clause.heard for clause in self.clauses)
