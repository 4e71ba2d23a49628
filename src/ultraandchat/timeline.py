"""Where a turn's milliseconds went: `SessionEvent`s in, one `TurnTimed` a turn out. Pure.

The clock starts when the last window of the user's speech arrived (or the typed text) and stops
when the reply's first frame is sent. Parts overlap where a speculative reply was prepared during
the end silence: that is the point of it.
"""

from dataclasses import dataclass

from ultraandchat.events import (
    ClauseWritten,
    ReplyAudible,
    ReplyBegun,
    ReplyDropped,
    SessionEvent,
    SoundMade,
    StateChanged,
    TimedPart,
    TranscriptReady,
    TurnNoticed,
    TurnTimed,
)
from ultraandchat.turn.events import TurnEnded, TurnId, TypedText
from ultraandchat.turn.taking import TurnState

MOST_TURNS = 4
"""Turns under observation at once; an older one that never became audible is forgotten."""


@dataclass(slots=True)
class _Turn:
    begun: float
    speculative: bool
    words: float | None = None
    clause: float | None = None
    sound: float | None = None
    spoken: float | None = None  # the last sample of speech
    ended: float | None = None
    typed: bool = False
    by_key: bool = False  # push-to-talk


class Timeline:
    """Follows the turns of one conversation."""

    def __init__(self, endpoint_ms: int) -> None:
        self._endpoint_ms = endpoint_ms
        self._turns: dict[TurnId, _Turn] = {}
        self._holding = False

    def follow(self, event: SessionEvent) -> TurnTimed | None:
        """The record of a turn, at the event that completes it."""
        if isinstance(event, TurnNoticed):
            if isinstance(event.event, TurnEnded):
                said = event.event.said
                turn = self._turns.setdefault(said.turn, _Turn(event.at, speculative=False))
                turn.spoken, turn.ended = said.heard_at, event.at
                turn.typed = isinstance(said, TypedText)
                turn.by_key = self._holding
                self._bound()
            return None
        match event:
            case StateChanged(state=state):
                self._holding = state == TurnState.USER_HOLDING.value
            case ReplyBegun(at=at, turn=turn_id, speculative=speculative):
                known = self._turns.get(turn_id)
                if known is None or known.ended is None:
                    self._turns[turn_id] = _Turn(at, speculative)
                self._bound()
            case ReplyDropped(at=at, turn=turn_id):
                dropped = self._turns.pop(turn_id, None)
                if dropped is not None and dropped.ended is not None:  # it is tried again
                    self._turns[turn_id] = _Turn(
                        at, speculative=False, spoken=dropped.spoken, ended=dropped.ended
                    )
            case TranscriptReady(at=at, turn=turn_id) if turn_id in self._turns:
                self._turns[turn_id].words = at
            case ClauseWritten(at=at, turn=turn_id, clause=0) if turn_id in self._turns:
                self._turns[turn_id].clause = at
            case SoundMade(at=at, turn=turn_id) if turn_id in self._turns:
                self._turns[turn_id].sound = at
            case ReplyAudible(at=at, turn=turn_id):
                turn_seen = self._turns.pop(turn_id, None)
                if turn_seen is not None and turn_seen.spoken is not None:
                    return self._record(turn_id, turn_seen, at)
            case _:
                pass
        return None

    def _record(self, turn_id: TurnId, turn: _Turn, audible: float) -> TurnTimed:
        assert turn.spoken is not None
        origin = turn.spoken
        ended = turn.ended if turn.ended is not None else origin
        steps = [("words", turn.words), ("first clause", turn.clause), ("first sound", turn.sound)]
        parts: list[TimedPart] = []
        if not turn.typed:
            parts.append(_part("end silence", origin, origin, ended))
        start = turn.begun
        for name, at in steps:
            if at is not None and not (turn.typed and name == "words"):
                parts.append(_part(name, origin, start, at))
                start = max(start, at)
        parts.append(_part("playout", origin, max(start, ended), audible))
        return TurnTimed(
            audible,
            turn_id,
            total_ms=round(1000 * (audible - origin), 1),
            endpoint_ms=0 if turn.typed or turn.by_key else self._endpoint_ms,
            speculative=turn.speculative,
            parts=tuple(parts),
        )

    def _bound(self) -> None:
        while len(self._turns) > MOST_TURNS:
            del self._turns[next(iter(self._turns))]


def _part(name: str, origin: float, start: float, end: float) -> TimedPart:
    return TimedPart(name, round(1000 * (start - origin), 1), round(1000 * (end - origin), 1))
