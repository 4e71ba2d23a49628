"""What was said, as the model must remember it: replies cut to what was heard, old sound let go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ultraandchat.audio.frame import HEARING_RATE, PLAYOUT_RATE
from ultraandchat.playout.heard import Heard
from ultraandchat.turn.events import TurnId, TypedText, UserTurn, Utterance

USUAL_CHARS_PER_S = 15.0
"""English read aloud at an ordinary pace, spaces included."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the user said and what they heard in answer. One side may be empty."""

    turn: TurnId
    said: UserTurn | None
    """None where the agent spoke first."""
    words: str = ""
    """The user's words as text, where a transcriber (or a keyboard) gave them."""
    reply: str = ""
    """What was heard of the answer; empty while unanswered."""
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a language model is given beside the turn it answers."""

    exchanges: tuple[Exchange, ...] = ()
    """Oldest first, the turn being answered not among them."""
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Small things the page or the user told: "timezone" (IANA name), "language"."""


class History:
    """Exchanges of one conversation, bounded in number and in seconds of sound."""

    def __init__(self, *, max_exchanges: int = 64, max_audio_s: float = 120.0) -> None:
        self._exchanges: list[Exchange] = []
        self._max_exchanges = max_exchanges
        self._max_audio = int(max_audio_s * HEARING_RATE)

    def user_spoke(self, said: UserTurn, words: str = "") -> None:
        """Open an exchange. Saying it again for a turn replaces what was there."""
        if isinstance(said, TypedText):
            words = said.text
        self._put(Exchange(said.turn, said, words))
        self._bound()

    def words_known(self, turn: TurnId, words: str) -> None:
        """The transcript of a turn arrived, maybe after its reply began. Unknown turns are ignored."""
        for index, exchange in enumerate(self._exchanges):
            if exchange.turn == turn:
                said = exchange.said
                if isinstance(said, TypedText):  # its sound was let go already
                    said = replace(said, text=words)
                self._exchanges[index] = replace(exchange, said=said, words=words)

    def withdraw(self, turn: TurnId) -> None:
        """The user was only pausing: the next utterance begins with this one."""
        self._exchanges = [e for e in self._exchanges if e.turn != turn]

    def agent_spoke(self, turn: TurnId, clauses: Sequence[str], heard: Heard) -> str:
        """Close the exchange with what was heard of `clauses`; returns that text."""
        text = heard_text(clauses, heard)
        exchange = next((e for e in self._exchanges if e.turn == turn), Exchange(turn, None))
        if text or exchange.said is not None:
            self._put(replace(exchange, reply=text, cut_short=heard.cut))
            self._bound()
        return text

    def forget(self) -> None:
        """All of it."""
        self._exchanges.clear()

    def exchanges(self, *, before: TurnId | None = None) -> tuple[Exchange, ...]:
        """Oldest first; with `before`, only the turns older than that one."""
        return tuple(e for e in self._exchanges if before is None or e.turn < before)

    def _put(self, exchange: Exchange) -> None:
        for index, old in enumerate(self._exchanges):
            if old.turn == exchange.turn:
                self._exchanges[index] = exchange
                return
        self._exchanges.append(exchange)

    def _bound(self) -> None:
        del self._exchanges[: -self._max_exchanges]
        budget = self._max_audio
        for index in range(len(self._exchanges) - 1, -1, -1):
            exchange = self._exchanges[index]
            if isinstance(exchange.said, Utterance):
                budget -= len(exchange.said.pcm)
                if budget < 0:
                    kept = TypedText(exchange.turn, exchange.words, exchange.said.heard_at)
                    self._exchanges[index] = replace(exchange, said=kept)


def heard_text(clauses: Sequence[str], heard: Heard) -> str:
    """The words of `clauses` that were audible: whole clauses, then the words of the one cut short.

    Inside a clause words are taken in proportion to the sound heard: speech is near enough to
    even in characters per second for that to be right within a word or two. Where a clause was cut
    while the synthesizer was still making it, its whole length is estimated from that pace too.
    """
    said: list[str] = []
    pace = _samples_per_char(clauses, heard)
    for account in heard.clauses:
        if not 0 <= account.clause < len(clauses) or account.heard == 0:  # −1: the earcon
            continue
        clause = clauses[account.clause].strip()
        whole = account.total if account.complete else max(account.total, int(len(clause) * pace))
        if account.heard >= whole:
            said.append(clause)
        else:
            said.append(_words_within(clause, account.heard / whole))
    return " ".join(part for part in said if part)


def _samples_per_char(clauses: Sequence[str], heard: Heard) -> float:
    """The pace of this reply's finished clauses, or of speech in general where there are none."""
    made = [a for a in heard.clauses if a.complete and a.total and 0 <= a.clause < len(clauses)]
    chars = sum(len(clauses[account.clause].strip()) for account in made)
    if chars == 0:
        return PLAYOUT_RATE / USUAL_CHARS_PER_S
    return sum(account.total for account in made) / chars


def _words_within(clause: str, share: float) -> str:
    """The whole words inside the first `share` of a clause's characters."""
    limit = int(len(clause) * min(share, 1.0))
    if limit >= len(clause):
        return clause
    return clause[: clause.rfind(" ", 0, limit + 1)].rstrip() if " " in clause[: limit + 1] else ""
