"""The words turn-taking speaks in: turns, utterances and the events that tell what changed."""

from dataclasses import dataclass, field
from typing import NewType, TypeAlias

from ultraandchat.audio.frame import HEARING_RATE, Pcm16, Samples, from_pcm16

TurnId = NewType("TurnId", int)
"""Numbers only grow within a conversation; work stamped with an old one is stale by comparison."""


# Weakly referenced by those who keep what they made of it for as long as it is there.
@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Utterance:
    """One user's stretch of speech as sound, pre-roll included, ready for a model: 16 kHz, one gain."""

    turn: TurnId
    pcm: Pcm16
    """At least `TurnPolicy.shortest_utterance_s` long; shorter speech is padded with silence."""
    start: int
    """Media position (samples at 16 kHz) of the first sample."""
    speech_end: int
    """Media position just after the last window that was speech."""
    heard_at: float
    """Loop time, seconds, at which that last window of speech arrived: latency is counted from here."""

    @property
    def samples(self) -> Samples:
        return from_pcm16(self.pcm)

    @property
    def seconds(self) -> float:
        return len(self.pcm) / HEARING_RATE


@dataclass(frozen=True, slots=True)
class TypedText:
    """A user's turn that came by keyboard."""

    turn: TurnId
    text: str
    heard_at: float
    """Loop time, seconds, at which it arrived."""


UserTurn: TypeAlias = Utterance | TypedText


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something the agent says unasked: a greeting, a timer that rings, an apology."""

    text: str
    """Empty with `earcon`: only the tone."""
    earcon: bool = False
    """Begin with the short tone that says something went wrong."""
    sound: Samples | None = field(default=None, compare=False)
    """Said before the text as it is, 48 kHz: what is left of a reply whose end nobody heard."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech is believed: the user has the floor."""

    turn: TurnId
    start: int
    """Media position (16 kHz) where the utterance begins, pre-roll included."""
    joins: TurnId | None = None
    """An unanswered turn that this one begins with: the user had only been pausing."""


@dataclass(frozen=True, slots=True)
class UtterancePaused:
    """A reply may be prepared, and must not be played."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class UtteranceResumed:
    """The user was only pausing: throw the prepared reply away."""

    turn: TurnId


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The user's turn is over: answer it, or let the prepared reply out."""

    said: UserTurn
    answer: bool = True
    """False: it enters the history, and what the user says next is answered together with it."""


@dataclass(frozen=True, slots=True)
class OverlapStarted:
    """The user is heard over the reply: hold the reply until it is clear what that is."""

    turn: TurnId


@dataclass(frozen=True, slots=True)
class OverlapPassed:
    """It was a backchannel or a cough: go on from the held sample."""

    turn: TurnId


@dataclass(frozen=True, slots=True)
class BargedIn:
    """The user took the floor (or pressed the button): cut the reply."""

    turn: TurnId


@dataclass(frozen=True, slots=True)
class FloorFreed:
    """The reply is over, or failed, or timed out: nobody has the floor."""

    turn: TurnId
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class AnnouncementDue:
    """Nobody has the floor: say this now, as this turn's reply."""

    turn: TurnId
    announcement: Announcement


TurnEvent: TypeAlias = (
    SpeechStarted
    | UtterancePaused
    | UtteranceResumed
    | TurnEnded
    | OverlapStarted
    | OverlapPassed
    | BargedIn
    | FloorFreed
    | AnnouncementDue
)
