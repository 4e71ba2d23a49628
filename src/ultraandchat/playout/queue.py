"""Samples by turn become 20 ms frames by clock; silence where there is nothing. It is told the time.

Policy:

* Frames stand on a fixed grid from the first one on. Frame k is audible from t₀ + 20k ms; sound is
  sent up to the transport's lead ahead of that, silence only at its instant, so a reply's first
  frame goes out at once.
* After a stall shorter than the lead the missing frames are sent at once; after a longer one the
  grid moves and the loss is counted (`late`). A listener with a store of its own (`patience`) is sent
  frames that late too. Never a burst of more than lead, patience and one frame (without either: of
  two, so that one missed tick is made good).
* A reply whose sound runs dry waits, in whole frames, with silence; nothing of it is lost.
* Where the transport can take back what is not audible yet (`flushes`), a hold or a cut goes back
  to the sample that is audible now and the caller fades; elsewhere the next frame fades out here.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from ultraandchat.audio.frame import FRAME_MS, PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.audio.level import fade_in, fade_out
from ultraandchat.playout.heard import ClauseHeard, Heard
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.turn.events import TurnId

FRAME = PLAYOUT_RATE * FRAME_MS // 1000
"""Samples in a frame: 960."""
PERIOD = FRAME_MS / 1000

SILENCE: Samples = np.zeros(FRAME, np.float32)
"""A frame whose `samples` *is* this one holds nothing."""
SILENCE.flags.writeable = False


@dataclass(slots=True)
class _Clause:
    index: int
    start: int
    end: int
    complete: bool = False
    begun: bool = False


@dataclass(slots=True)
class _Sent:
    """A frame of the reply that is on its way: not audible before its instant."""

    index: int
    start: int
    end: int


@dataclass(slots=True)
class _Reply:
    turn: TurnId
    released: bool
    blocks: deque[tuple[int, Samples]] = field(default_factory=deque)
    clauses: list[_Clause] = field(default_factory=list)
    on_its_way: deque[_Sent] = field(default_factory=deque)
    made: int = 0
    sent: int = 0
    heard: int = 0
    finished: bool = False
    audible: bool = False
    rising: bool = False  # the next frame fades in
    over_at: int = 0  # the frame index at which the last one sent has been heard


@dataclass(frozen=True, slots=True)
class Due:
    """What an instant brought."""

    frames: list[AudioFrame]
    """In order; a silent one has `SILENCE` for samples."""
    turn: TurnId | None = None
    """Whose reply is open."""
    became_audible: bool = False
    """The first frame of its reply is among `frames`."""
    clauses: tuple[int, ...] = ()
    """Clauses of the reply that begin in `frames`."""
    ended: Heard | None = None
    """The reply is over: all of it was heard."""
    late: int = 0
    """Frames lost to a stall longer than the lead."""


class Playout:
    """One conversation's sound on its way out. At most one reply is open."""

    def __init__(
        self, policy: PlayoutPolicy, *, lead_s: float = 0.0, flushes: bool = False
    ) -> None:
        self._fade = policy.fade_ms * PLAYOUT_RATE // 1000
        self._origin: float | None = None
        self._next = 0  # index of the next frame
        self._reply: _Reply | None = None
        self._over: Heard | None = None  # of the reply that ended last by itself
        self._held = False
        self._falling: Samples | None = None  # the faded frame that a hold or a cut leaves behind
        self.volume = 1.0
        self.carried_by(lead_s=lead_s, flushes=flushes)

    def carried_by(self, *, lead_s: float, flushes: bool, patience_s: float = 0.0) -> None:
        """Another transport carries the frames from now on."""
        self._lead = round(lead_s / PERIOD)
        self._patience = max(round(patience_s / PERIOD), 0 if self._lead else 1)
        self._flushes = flushes

    # --- what comes in ----------------------------------------------------------------------

    def open(self, turn: TurnId, *, released: bool) -> None:
        """A reply begins; not `released`, it may be made but not heard. The one before is gone."""
        self._reply = _Reply(turn, released)
        self._held = False

    def push(self, turn: TurnId, clause: int, samples: Samples) -> None:
        """More sound of a clause, 48 kHz, in order. Sound of another turn is stale and ignored."""
        reply = self._reply
        if reply is None or reply.turn != turn or reply.finished or not len(samples):
            return
        if not reply.clauses or reply.clauses[-1].index != clause:
            reply.clauses.append(_Clause(clause, reply.made, reply.made))
        reply.blocks.append((reply.made, samples))
        reply.made += len(samples)
        reply.clauses[-1].end = reply.made

    def clause_done(self, turn: TurnId, clause: int) -> None:
        """The synthesizer finished that clause: its length is known."""
        if self._reply is not None and self._reply.turn == turn:
            for one in self._reply.clauses:
                if one.index == clause:
                    one.complete = True

    def finish(self, turn: TurnId) -> None:
        """Nothing more comes; `due` tells when all of it was heard."""
        if self._reply is not None and self._reply.turn == turn:
            self._reply.finished = True

    def release(self, turn: TurnId) -> None:
        """The reply may be heard."""
        if self._reply is not None and self._reply.turn == turn:
            self._reply.released = True

    def ahead_s(self, turn: TurnId) -> float:
        """Seconds of that reply made and not sent yet; 0 for a stale one, whose maker will notice."""
        reply = self._reply
        return (reply.made - reply.sent) / PLAYOUT_RATE if reply and reply.turn == turn else 0.0

    # --- holding and cutting ------------------------------------------------------------------

    def hold(self, now: float) -> None:
        """Fall silent and keep the position; sound may still be pushed."""
        if self._reply is not None and not self._held:
            self._held = True
            self._step_back(now)
            self._reply.rising = True

    def resume(self) -> None:
        """Go on from the held sample."""
        self._held = False

    def cut(self, turn: TurnId, now: float) -> Heard:
        """End it now. One that had just ended was heard whole; of any other turn nothing was."""
        reply, over = self._reply, self._over
        if reply is None or reply.turn != turn:
            return over if over is not None and over.turn == turn else Heard(turn, (), cut=True)
        if not self._held:
            self._step_back(now)
        self._reply, self._held = None, False
        return _account(reply, cut=True)

    def _step_back(self, now: float) -> None:
        """To the sample that is audible now, or to the end of a fade where nothing can be taken back."""
        reply = self._reply
        assert reply is not None
        if self._flushes:
            self._arrived(reply, now)
            reply.sent = reply.heard
            if reply.on_its_way:
                self._next = reply.on_its_way[0].index
            reply.on_its_way.clear()
        elif reply.audible:
            tail = min(self._fade, reply.made - reply.sent)
            faded = fade_out(self._read(reply, reply.sent, tail), self._fade)
            self._falling = np.concatenate([faded, SILENCE[tail:]]) if tail else None
            reply.heard = reply.sent

    # --- what goes out ------------------------------------------------------------------------

    def due(self, now: float) -> Due:
        """The frames for this instant, and what they mean."""
        if self._origin is None:
            self._origin = now
        current = int((now - self._origin) / PERIOD + 1e-6)
        reply = self._reply
        moved = max(current - self._next - self._patience, 0)
        self._next += moved
        late = moved if self._sounding() else 0
        frames: list[AudioFrame] = []
        before = [c.begun for c in reply.clauses] if reply else []
        was_audible = reply.audible if reply else False
        while self._next <= current + self._lead:
            samples = self._sound()
            if samples is None:
                if self._next > current:
                    break
                samples = SILENCE
            frames.append(AudioFrame(samples, PLAYOUT_RATE, self._next * FRAME))
            self._next += 1
        if reply is None:
            return Due(frames, late=late)
        self._arrived(reply, now)
        began = [
            c.index
            for i, c in enumerate(reply.clauses)
            if c.begun and not (i < len(before) and before[i])
        ]
        return Due(
            frames,
            turn=reply.turn,
            became_audible=reply.audible and not was_audible,
            clauses=tuple(began),
            ended=self._end(reply, current),
            late=late,
        )

    def _sounding(self) -> bool:
        """In the middle of a reply that has sound to give."""
        reply = self._reply
        return reply is not None and reply.audible and not self._held and reply.made > reply.sent

    def _sound(self) -> Samples | None:
        """The next frame of sound, if there is one to be heard now."""
        if self._falling is not None:
            falling, self._falling = self._falling, None
            return falling
        reply = self._reply
        if reply is None or self._held or not reply.released:
            return None
        ready = min(reply.made - reply.sent, FRAME)
        if ready == 0 or (ready < FRAME and not reply.finished):
            return None
        samples = self._read(reply, reply.sent, ready)
        if ready < FRAME:
            samples = np.concatenate([samples, SILENCE[ready:]])
        if reply.rising:
            samples, reply.rising = fade_in(samples, self._fade), False
        end = reply.sent + ready
        reply.on_its_way.append(_Sent(self._next, reply.sent, end))
        for clause in reply.clauses:
            clause.begun = clause.begun or clause.start < end
        reply.sent = end
        reply.audible = True
        reply.over_at = self._next + 1
        if not self._flushes:
            reply.heard = end
        return samples

    def _read(self, reply: _Reply, start: int, count: int) -> Samples:
        pieces = []
        for at, block in reply.blocks:  # what was heard is gone, so the first ones are wanted
            if at >= start + count:
                break
            if at + len(block) > start:
                pieces.append(block[max(start - at, 0) : start + count - at])
        samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
        if self.volume != 1.0:
            samples = np.clip(samples * np.float32(self.volume), -1.0, 1.0)
        return samples

    def _arrived(self, reply: _Reply, now: float) -> None:
        """Frames whose instant has come are heard; sound before them is let go."""
        assert self._origin is not None or not reply.on_its_way
        while reply.on_its_way and self._origin is not None:
            first = reply.on_its_way[0]
            if self._origin + first.index * PERIOD > now + 1e-9:
                break
            reply.heard = max(reply.heard, first.end)
            reply.on_its_way.popleft()
        while reply.blocks and reply.blocks[0][0] + len(reply.blocks[0][1]) <= min(
            reply.heard, reply.sent
        ):
            reply.blocks.popleft()

    def _end(self, reply: _Reply, current: int) -> Heard | None:
        """The account, once, when the last sample has been heard."""
        done = reply.finished and reply.released and reply.sent == reply.made and not self._held
        if not done or current < reply.over_at:
            return None
        self._reply = None
        reply.heard = reply.made
        self._over = _account(reply, cut=False)
        return self._over


def _account(reply: _Reply, *, cut: bool) -> Heard:
    clauses = tuple(
        ClauseHeard(
            clause.index,
            heard=min(max(reply.heard - clause.start, 0), clause.end - clause.start),
            total=clause.end - clause.start,
            complete=clause.complete,
        )
        for clause in reply.clauses
    )
    return Heard(reply.turn, clauses, cut)
