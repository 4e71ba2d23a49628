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
* A listener may leave and come back, and then tells up to which position sound was audible; the reply
  goes on from that sample. For this the newest `KEPT_S` of what was sent are kept.
"""

from dataclasses import dataclass

import numpy as np

from ultraandchat.audio.frame import PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.audio.level import fade_in, fade_out
from ultraandchat.playout.heard import Heard
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.sound import FRAME, KEPT_S, PERIOD, SILENCE, ReplySound
from ultraandchat.turn.events import TurnId

LEAST_REST_S = 0.04
"""The end of a reply that is not worth being said again: two frames."""


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
        self._reply: ReplySound | None = None
        self._over: Heard | None = None  # of the reply that ended last by itself
        self._last: ReplySound | None = None  # that reply, while its end can be gone back to
        self._held = False
        self._falling: Samples | None = None  # the faded frame that a hold or a cut leaves behind
        self._jumps = False  # the grid moves without a loss: nobody was there
        self.waiting = False
        """Nobody takes sound at present: the reply stays where it is. `due` may be called or not."""
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
        self._reply, self._last = ReplySound(turn, released), None
        self._held = False

    def push(self, turn: TurnId, clause: int, samples: Samples) -> None:
        """More sound of a clause, 48 kHz, in order. Sound of another turn is stale and ignored."""
        reply = self._reply
        if reply is None or reply.turn != turn or reply.finished or not len(samples):
            return
        reply.push(clause, samples)

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
        return reply.account(cut=True)

    # --- a listener who leaves and comes back -------------------------------------------------

    def leave(self, now: float) -> None:
        """Nobody listens any more. What was on its way may have been heard or not."""
        self.waiting = True
        reply = self._reply
        if reply is None:
            return
        reply.arrived(self._elapsed(now))
        reply.gone.extend(reply.on_its_way)
        reply.on_its_way.clear()
        reply.sent = reply.heard
        self._falling = None

    def come_back(self, heard: int | None) -> Samples:
        """Somebody listens again, who heard what stands before that position (samples at 48 kHz, modulo
        2³²; None: what was audible when `leave` was called). What is left of a reply that had ended
        meanwhile is returned; nobody has heard it."""
        self.waiting, self._jumps = False, True
        reply, last = self._reply, self._last
        self._last = None
        if reply is not None:
            at = reply.heard if heard is None else reply.sample_at(heard, self._next)
            reply.go_back(at)
        elif last is not None and heard is not None:
            at = last.sample_at(heard, self._next)
            if last.made - at >= LEAST_REST_S * PLAYOUT_RATE:
                return fade_in(last.read(at, last.made - at, self.volume), self._fade)
        return SILENCE[:0]

    def forget(self) -> None:
        """Of replies that are over nothing is played again, whatever a caller who comes back has heard."""
        self._last = None

    def _step_back(self, now: float) -> None:
        """To the sample that is audible now, or to the end of a fade where nothing can be taken back."""
        reply = self._reply
        assert reply is not None
        if self._flushes:
            reply.arrived(self._elapsed(now))
            reply.sent = reply.heard
            if reply.on_its_way:
                self._next = reply.on_its_way[0].index
            reply.on_its_way.clear()
        elif reply.audible:
            tail = min(self._fade, reply.made - reply.sent)
            faded = fade_out(reply.read(reply.sent, tail, self.volume), self._fade)
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
        late = moved if self._sounding() and not self._jumps else 0
        self._jumps = False
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
            if self._last is not None and current - self._last.over_at > KEPT_S / PERIOD:
                self._last = None
            return Due(frames, late=late)
        reply.arrived(self._elapsed(now))
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
        quiet = self._held or self.waiting
        return reply is not None and reply.audible and not quiet and reply.made > reply.sent

    def _sound(self) -> Samples | None:
        """The next frame of sound, if there is one to be heard now."""
        if self._falling is not None:
            falling, self._falling = self._falling, None
            return falling
        reply = self._reply
        if reply is None or self._held or self.waiting or not reply.released:
            return None
        ready = min(reply.made - reply.sent, FRAME)
        if ready == 0 or (ready < FRAME and not reply.finished):
            return None
        samples = reply.read(reply.sent, ready, self.volume)
        if ready < FRAME:
            samples = np.concatenate([samples, SILENCE[ready:]])
        if reply.rising:
            samples, reply.rising = fade_in(samples, self._fade), False
        reply.left(ready, self._next)
        if not self._flushes:
            reply.heard = reply.sent
        return samples

    def _elapsed(self, now: float) -> float:
        """Since the grid's first instant; 0 before there was one."""
        return 0.0 if self._origin is None else now - self._origin

    def _end(self, reply: ReplySound, current: int) -> Heard | None:
        """The account, once, when the last sample has been heard."""
        quiet = self._held or self.waiting
        done = reply.finished and reply.released and reply.sent == reply.made and not quiet
        if not done or current < reply.over_at:
            return None
        self._reply, self._last = None, reply
        reply.heard = reply.made
        self._over = reply.account(cut=False)
        return self._over
