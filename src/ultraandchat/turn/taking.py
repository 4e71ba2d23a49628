"""Who has the floor. The table below is the truth; the rest of the file notices and obeys.

Rules of this file:

* Everything that decides about the floor lives here; nothing here makes or carries sound.
* Speech and silence are counted in windows heard (media time), so a network stall ends no turn.
  Only a reply that does not come is waited for on the clock, and the clock is an argument: `now`.
* Every call returns what it caused, in order. Nothing is queued inside but announcements.
* A notice about a turn that is not the current reply is stale and ignored, by comparing `TurnId`.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ultraandchat.audio.frame import AudioFrame, Samples
from ultraandchat.turn.events import (
    Announcement,
    AnnouncementDue,
    BargedIn,
    FloorFreed,
    OverlapPassed,
    OverlapStarted,
    SpeechStarted,
    TurnEnded,
    TurnEvent,
    TurnId,
    TypedText,
    Utterance,
    UtterancePaused,
    UtteranceResumed,
)
from ultraandchat.turn.policy import TurnPolicy
from ultraandchat.turn.utterance import Ring


class TurnState(Enum):
    LISTENING = "listening"
    USER_SPEAKING = "user speaking"
    USER_PAUSED = "user paused"
    USER_HOLDING = "user holding"  # push-to-talk: the key is down
    REPLYING = "replying"  # asked for, not audible yet
    AGENT_SPEAKING = "agent speaking"
    OVERLAP = "overlap"


class Notice(Enum):
    """What can be noticed, in the words of the policy."""

    SPEECH = "voiced ≥ start"
    PAUSE = "quiet ≥ pause"
    ENDPOINT = "quiet ≥ endpoint"
    TOO_LONG = "length ≥ longest"
    TAKES_FLOOR = "voiced ≥ barge-in"
    BACKCHANNEL = "quiet ≥ overlap-pass"
    AUDIBLE = "reply audible"
    REPLY_ENDED = "reply ended"
    TIMED_OUT = "deadline passed"
    BUTTON = "the button"
    TYPED = "typed text"
    PRESSED = "key pressed"
    RELEASED = "key released"
    RELEASED_SILENT = "key released, nothing said"
    ANNOUNCE = "something to announce"


class Act(Enum):
    """What a row makes happen, each one event."""

    BEGIN = "SpeechStarted"
    JOIN = "SpeechStarted, joining an unanswered utterance"
    PAUSE = "UtterancePaused"
    RESUME = "UtteranceResumed"
    END = "TurnEnded"
    KEEP = "TurnEnded, answered with the next"
    TYPED = "TurnEnded, typed"
    HOLD = "OverlapStarted"
    GO_ON = "OverlapPassed"
    CUT = "BargedIn"
    FREE = "FloorFreed"
    ANNOUNCE = "AnnouncementDue"


@dataclass(frozen=True, slots=True)
class Row:
    next: TurnState
    acts: tuple[Act, ...] = ()


S, N, A = TurnState, Notice, Act

TABLE: dict[tuple[TurnState, Notice], Row] = {
    (S.LISTENING, N.SPEECH): Row(S.USER_SPEAKING, (A.BEGIN,)),
    (S.LISTENING, N.TYPED): Row(S.REPLYING, (A.TYPED,)),
    (S.LISTENING, N.PRESSED): Row(S.USER_HOLDING, (A.BEGIN,)),
    (S.LISTENING, N.ANNOUNCE): Row(S.REPLYING, (A.ANNOUNCE,)),
    #
    (S.USER_SPEAKING, N.PAUSE): Row(S.USER_PAUSED, (A.PAUSE,)),
    (S.USER_SPEAKING, N.TOO_LONG): Row(S.USER_SPEAKING, (A.KEEP, A.BEGIN)),
    (S.USER_SPEAKING, N.TYPED): Row(S.REPLYING, (A.KEEP, A.TYPED)),
    (S.USER_SPEAKING, N.PRESSED): Row(S.USER_HOLDING),
    #
    (S.USER_PAUSED, N.SPEECH): Row(S.USER_SPEAKING, (A.RESUME,)),
    (S.USER_PAUSED, N.ENDPOINT): Row(S.REPLYING, (A.END,)),
    (S.USER_PAUSED, N.TOO_LONG): Row(S.REPLYING, (A.END,)),
    (S.USER_PAUSED, N.TYPED): Row(S.REPLYING, (A.KEEP, A.TYPED)),
    (S.USER_PAUSED, N.PRESSED): Row(S.USER_HOLDING, (A.RESUME,)),
    #
    (S.USER_HOLDING, N.RELEASED): Row(S.REPLYING, (A.END,)),
    (S.USER_HOLDING, N.RELEASED_SILENT): Row(S.LISTENING, (A.FREE,)),
    (S.USER_HOLDING, N.TOO_LONG): Row(S.USER_HOLDING, (A.KEEP, A.BEGIN)),
    (S.USER_HOLDING, N.TYPED): Row(S.REPLYING, (A.KEEP, A.TYPED)),
    #
    (S.REPLYING, N.AUDIBLE): Row(S.AGENT_SPEAKING),
    (S.REPLYING, N.TAKES_FLOOR): Row(S.USER_SPEAKING, (A.CUT, A.JOIN)),
    (S.REPLYING, N.REPLY_ENDED): Row(S.LISTENING, (A.FREE,)),
    (S.REPLYING, N.TIMED_OUT): Row(S.LISTENING, (A.FREE,)),
    (S.REPLYING, N.BUTTON): Row(S.LISTENING, (A.CUT,)),
    (S.REPLYING, N.TYPED): Row(S.REPLYING, (A.CUT, A.TYPED)),
    (S.REPLYING, N.PRESSED): Row(S.USER_HOLDING, (A.CUT, A.BEGIN)),
    #
    (S.AGENT_SPEAKING, N.SPEECH): Row(S.OVERLAP, (A.HOLD,)),
    (S.AGENT_SPEAKING, N.REPLY_ENDED): Row(S.LISTENING, (A.FREE,)),
    (S.AGENT_SPEAKING, N.BUTTON): Row(S.LISTENING, (A.CUT,)),
    (S.AGENT_SPEAKING, N.TYPED): Row(S.REPLYING, (A.CUT, A.TYPED)),
    (S.AGENT_SPEAKING, N.PRESSED): Row(S.USER_HOLDING, (A.CUT, A.BEGIN)),
    #
    (S.OVERLAP, N.TAKES_FLOOR): Row(S.USER_SPEAKING, (A.CUT, A.BEGIN)),
    (S.OVERLAP, N.BACKCHANNEL): Row(S.AGENT_SPEAKING, (A.GO_ON,)),
    (S.OVERLAP, N.REPLY_ENDED): Row(S.LISTENING, (A.FREE,)),
    (S.OVERLAP, N.BUTTON): Row(S.LISTENING, (A.CUT,)),
    (S.OVERLAP, N.TYPED): Row(S.REPLYING, (A.CUT, A.TYPED)),
    (S.OVERLAP, N.PRESSED): Row(S.USER_HOLDING, (A.CUT, A.BEGIN)),
}
"""A notice without a row in the present state means nothing there and is ignored. On
overlap → listening the running speech opens the next turn at its next window, pre-roll and all."""

del S, N, A

MOST_ANNOUNCEMENTS = 16
"""Waiting for the floor at once (as many as timers); one more is dropped and counted."""


class TurnTaking:
    """One conversation's floor. Every call returns what it caused."""

    def __init__(self, policy: TurnPolicy) -> None:
        self._policy = policy
        self._ring = Ring()
        self._state = TurnState.LISTENING
        self._turn = TurnId(0)  # the newest one given out
        self._reply: TurnId | None = None  # whose reply is open
        self._deadline: float | None = None
        self._announcements: deque[Announcement] = deque()
        self._announcing: Announcement | None = None
        self.announcements_dropped = 0
        # media time, ms, and media positions (16 kHz)
        self._run_ms = 0.0  # voiced windows in a row
        self._stretch_ms = 0.0  # voiced since the last quiet of overlap_pass_ms
        self._quiet_ms = 0.0  # quiet windows in a row
        self._silence_ms = 0.0  # since speech was last believed, in a user's turn
        self._cooldown_ms = 0.0
        self._run_start = 0
        self._stretch_start = 0
        # the user's turn under way
        self._start = 0
        self._speech_end = 0
        self._heard_at = 0.0
        self._spoke = False
        self._kept = False  # before this, in one breath or under one key
        self._paused: Utterance | None = None
        self._unanswered: Utterance | None = None
        self._acts: dict[Act, Callable[[float], TurnEvent]] = {
            Act.BEGIN: self._begin,
            Act.JOIN: self._join,
            Act.PAUSE: self._pause,
            Act.RESUME: self._resume,
            Act.END: self._end,
            Act.KEEP: self._keep,
            Act.TYPED: self._answer_typed,
            Act.HOLD: lambda now: OverlapStarted(self._closing()),
            Act.GO_ON: lambda now: OverlapPassed(self._closing()),
            Act.CUT: self._cut,
            Act.FREE: self._free,
            Act.ANNOUNCE: self._announce,
        }
        self._typed = ""
        self._taken: Notice | None = None

    @property
    def state(self) -> TurnState:
        return self._state

    @property
    def turn(self) -> TurnId:
        """The newest turn; 0 before there was one."""
        return self._turn

    def sound_since(self, position: int) -> Samples:
        """The newest sound from `position` on, as it came (for captions that start late)."""
        return self._ring.since(position)

    # --- what happens -----------------------------------------------------------------------

    def hear(self, window: AudioFrame, voiced: bool, now: float) -> list[TurnEvent]:
        """One window of the caller's sound, in order, judged by voice activity."""
        self._ring.push(window)
        self._count(window, voiced, now)
        events: list[TurnEvent] = []
        while (notice := self._noticed(voiced)) is not None:
            events += self._take(notice, now)
        return events

    def reply_became_audible(self, turn: TurnId, now: float) -> list[TurnEvent]:
        return self._take(Notice.AUDIBLE, now) if turn == self._reply else []

    def reply_ended(self, turn: TurnId, now: float) -> list[TurnEvent]:
        """All of it was heard, or it failed; more than once does no harm."""
        return self._take(Notice.REPLY_ENDED, now) if turn == self._reply else []

    def interrupt(self, now: float) -> list[TurnEvent]:
        """The button."""
        return self._take(Notice.BUTTON, now)

    def typed(self, text: str, now: float) -> list[TurnEvent]:
        """A turn that is text."""
        self._typed = text
        return self._take(Notice.TYPED, now)

    def press(self, now: float) -> list[TurnEvent]:
        """Push-to-talk: the floor is the user's, however quiet they are."""
        return self._take(Notice.PRESSED, now)

    def release(self, now: float) -> list[TurnEvent]:
        said = self._spoke or self._kept
        return self._take(Notice.RELEASED if said else Notice.RELEASED_SILENT, now)

    def announce(self, announcement: Announcement, now: float) -> list[TurnEvent]:
        """Say this as soon as nobody has the floor."""
        if len(self._announcements) >= MOST_ANNOUNCEMENTS:
            self.announcements_dropped += 1
            return []
        self._announcements.append(announcement)
        return self._take(Notice.ANNOUNCE, now)

    def deadline(self) -> float | None:
        """When `tick` is due, loop time; None while nothing is waited for."""
        return self._deadline

    def waited(self, seconds: float) -> None:
        """The caller was not there for so long: no reply is late for that."""
        if self._deadline is not None:
            self._deadline += seconds

    def tick(self, now: float) -> list[TurnEvent]:
        if self._deadline is None or now < self._deadline:
            return []
        return self._take(Notice.TIMED_OUT, now)

    # --- noticing ---------------------------------------------------------------------------

    def _count(self, window: AudioFrame, voiced: bool, now: float) -> None:
        ms = 1000.0 * len(window.samples) / window.rate
        cooling, self._cooldown_ms = self._cooldown_ms > 0, max(self._cooldown_ms - ms, 0.0)
        if voiced and not (cooling and self._state is TurnState.LISTENING):
            if self._run_ms == 0:
                self._run_start = window.position
            if self._stretch_ms == 0:
                self._stretch_start = window.position
            self._run_ms += ms
            self._stretch_ms += ms
            self._quiet_ms = 0.0
            if self._state in (TurnState.USER_SPEAKING, TurnState.USER_HOLDING):
                self._believe(window.end, now)
                return
        else:
            self._run_ms = 0.0
            self._quiet_ms += ms
            if self._quiet_ms >= self._policy.overlap_pass_ms:
                self._stretch_ms = 0.0
        self._silence_ms += ms

    def _believe(self, end: int, now: float) -> None:
        """Speech up to `end`, which has just arrived."""
        self._speech_end, self._heard_at = end, now
        self._silence_ms = 0.0
        self._spoke = True

    def _noticed(self, voiced: bool) -> Notice | None:
        policy, state = self._policy, self._state
        if state in (TurnState.LISTENING, TurnState.AGENT_SPEAKING):
            return Notice.SPEECH if self._run_ms >= policy.start_ms else None
        if state in (TurnState.REPLYING, TurnState.OVERLAP):
            if voiced and self._stretch_ms >= policy.barge_in_ms:
                return Notice.TAKES_FLOOR
            passed = state is TurnState.OVERLAP and self._quiet_ms >= policy.overlap_pass_ms
            return Notice.BACKCHANNEL if passed else None
        too_long = self._ring.end - self._start >= policy.longest_utterance_s * 16_000
        if state is TurnState.USER_PAUSED and not too_long:
            if voiced:  # a turn does not end under a sound that may be its next word
                return Notice.SPEECH if self._run_ms >= policy.start_ms else None
            return Notice.ENDPOINT if self._silence_ms >= policy.endpoint_ms else None
        if too_long:
            if state is not TurnState.USER_HOLDING or self._spoke:
                return Notice.TOO_LONG
            self._start_anew()
        paused = state is TurnState.USER_SPEAKING and self._silence_ms >= policy.pause_ms
        return Notice.PAUSE if paused else None

    def _start_anew(self) -> None:
        """A key held in silence for so long (or stuck) has said nothing that is worth keeping."""
        self._start = self._speech_end = self._ring.end - self._policy.preroll_ms * 16
        self._ring.hold(self._start)

    def _take(self, notice: Notice, now: float) -> list[TurnEvent]:
        """Obey the row for this notice, and for an announcement that the new state lets through."""
        row = TABLE.get((self._state, notice))
        if row is None:
            return []
        self._taken = notice
        events = [self._acts[act](now) for act in row.acts]
        if row.next is TurnState.REPLYING:
            self._deadline = now + self._policy.reply_timeout_s
            self._run_ms = self._stretch_ms = 0.0
        elif row.next is not self._state:
            self._deadline = None
        if notice is Notice.AUDIBLE:
            self._unanswered = self._announcing = None
            self._ring.let_go()
        self._state = row.next
        if row.next is TurnState.LISTENING and self._announcements:
            events += self._take(Notice.ANNOUNCE, now)
        return events

    # --- the acts ---------------------------------------------------------------------------

    def _new_turn(self) -> TurnId:
        self._turn = TurnId(self._turn + 1)
        return self._turn

    def _closing(self) -> TurnId:
        """The open reply's turn; rows that ask for it stand only where a reply is open."""
        assert self._reply is not None
        return self._reply

    def _begin(self, now: float) -> TurnEvent:
        preroll = self._policy.preroll_ms * 16
        if self._taken is Notice.TOO_LONG:
            start = self._start  # `_keep` has set it to the following sample
        elif self._taken is Notice.PRESSED:
            start = self._ring.end - preroll
        elif self._taken is Notice.TAKES_FLOOR:
            start = self._stretch_start - preroll
        else:
            start = self._run_start - preroll
        return self._open(max(start, 0), now)

    def _join(self, now: float) -> TurnEvent:
        """The user goes on before anything was heard: they had only been pausing."""
        earlier, self._unanswered = self._unanswered, None
        longest = self._policy.longest_utterance_s * 16_000
        if earlier is None or self._ring.end - earlier.start >= longest:
            return self._begin(now)
        return self._open(earlier.start, now, joins=earlier.turn)

    def _open(self, start: int, now: float, joins: TurnId | None = None) -> TurnEvent:
        self._start = start
        self._ring.hold(start)
        self._paused = self._unanswered = None
        self._spoke = False
        self._kept = self._kept and self._taken is Notice.TOO_LONG
        self._speech_end, self._heard_at, self._silence_ms = start, now, 0.0
        if self._taken in (Notice.SPEECH, Notice.TAKES_FLOOR):
            self._believe(self._ring.end, now)
        return SpeechStarted(self._new_turn(), start, joins)

    def _pause(self, now: float) -> TurnEvent:
        self._paused = self._utterance(self._tail())
        return UtterancePaused(self._paused)

    def _resume(self, now: float) -> TurnEvent:
        self._paused = None
        if self._taken is Notice.SPEECH:
            self._believe(self._ring.end, now)
        return UtteranceResumed(self._turn)

    def _end(self, now: float) -> TurnEvent:
        end = self._ring.end if self._taken is Notice.RELEASED else self._tail()
        said = self._paused or self._utterance(end)
        self._paused, self._unanswered = None, said
        self._spoke = False
        self._reply = said.turn
        return TurnEnded(said)

    def _keep(self, now: float) -> TurnEvent:
        """Close what was said so far; it stays in the history and is answered with the next turn."""
        end = self._tail() if self._taken is Notice.TYPED else self._ring.end
        said = self._utterance(end)
        self._paused, self._start = None, end
        self._kept = self._kept or self._spoke
        self._spoke = False
        if self._taken is Notice.TYPED:
            self._ring.let_go()
        return TurnEnded(said, answer=False)

    def _answer_typed(self, now: float) -> TurnEvent:
        self._unanswered = None
        self._reply = self._new_turn()
        return TurnEnded(TypedText(self._reply, self._typed, now))

    def _cut(self, now: float) -> TurnEvent:
        turn = self._closing()
        self._reply = None
        if self._announcing is not None and self._taken is not Notice.BUTTON:
            self._announcements.appendleft(self._announcing)  # nobody has heard it yet
        self._announcing = None
        if self._taken is not Notice.TAKES_FLOOR:
            self._unanswered = None
            self._ring.let_go()
        return BargedIn(turn)

    def _free(self, now: float) -> TurnEvent:
        turn, self._reply = self._reply if self._reply is not None else self._turn, None
        self._unanswered = self._announcing = None
        self._ring.let_go()
        self._cooldown_ms = float(self._policy.cooldown_ms)
        return FloorFreed(turn, timed_out=self._taken is Notice.TIMED_OUT)

    def _announce(self, now: float) -> TurnEvent:
        self._announcing = self._announcements.popleft()
        self._reply = self._new_turn()
        return AnnouncementDue(self._reply, self._announcing)

    def _tail(self) -> int:
        """Where the utterance ends: so much silence after the last speech as a pause is long."""
        return min(self._speech_end + self._policy.pause_ms * 16, self._ring.end)

    def _utterance(self, end: int) -> Utterance:
        pcm = self._ring.cut(self._start, end, at_least_s=self._policy.shortest_utterance_s)
        return Utterance(self._turn, pcm, self._start, self._speech_end, self._heard_at)
