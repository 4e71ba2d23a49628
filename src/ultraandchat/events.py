"""What an observer may learn of a conversation. Told once; shown as page, metrics, logs, timeline.

Every event carries `at`, the loop's monotonic time in seconds. What a person said travels in
`WordsHeard`, `ClauseSpoken` and `ReplyClosed` only, so a log that leaves those three out is private.
"""

from dataclasses import dataclass
from typing import TypeAlias

from ultraandchat.dialogue.reading import Reading
from ultraandchat.playout.heard import Heard
from ultraandchat.turn.events import TurnEvent, TurnId


@dataclass(frozen=True, slots=True)
class SessionOpened:
    at: float
    session: str


@dataclass(frozen=True, slots=True)
class TransportAttached:
    at: float
    name: str
    """As `Transport.name`: "webrtc/udp", "webrtc/tcp", "webrtc/relay", "websocket", "memory"."""


@dataclass(frozen=True, slots=True)
class TransportLeft:
    """The caller is gone without a goodbye; the conversation waits for them."""

    at: float
    reason: str
    """A `CloseReason` value."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """What is sent does not get through; the reply waits until it does (`stalled` false)."""

    at: float
    stalled: bool


@dataclass(frozen=True, slots=True)
class TurnNoticed:
    """Turn-taking said something."""

    at: float
    event: TurnEvent


@dataclass(frozen=True, slots=True)
class StateChanged:
    at: float
    state: str
    """A `TurnState` value."""
    turn: TurnId


@dataclass(frozen=True, slots=True)
class WordsHeard:
    """The user's words; replaced by later ones of the same turn until `final`. Final and empty: there were
    none, or the turn was joined by another."""

    at: float
    turn: TurnId
    text: str
    final: bool
    source: str


@dataclass(frozen=True, slots=True)
class TranscriptReady:
    """The final words of an utterance exist; the turn itself may still go on."""

    at: float
    turn: TurnId


@dataclass(frozen=True, slots=True)
class ReplyBegun:
    """A reply is being prepared; `speculative` while the user may still go on."""

    at: float
    turn: TurnId
    speculative: bool


@dataclass(frozen=True, slots=True)
class ReplyDropped:
    """A speculative reply was thrown away unheard."""

    at: float
    turn: TurnId


@dataclass(frozen=True, slots=True)
class ClauseWritten:
    """The language model finished a clause; nothing of it is heard yet."""

    at: float
    turn: TurnId
    clause: int


@dataclass(frozen=True, slots=True)
class ReplyWritten:
    """The language model is done with a reply; told where it says what that took."""

    at: float
    turn: TurnId
    reading: Reading


@dataclass(frozen=True, slots=True)
class SoundMade:
    """The first sound of a reply exists."""

    at: float
    turn: TurnId


@dataclass(frozen=True, slots=True)
class ReplyReleased:
    """The user's turn is over: the reply may be heard as soon as it exists."""

    at: float
    turn: TurnId


@dataclass(frozen=True, slots=True)
class ReplyAudible:
    """The first frame of a reply left."""

    at: float
    turn: TurnId


@dataclass(frozen=True, slots=True)
class ClauseSpoken:
    """A clause begins to be heard: captions show it."""

    at: float
    turn: TurnId
    clause: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplyClosed:
    """The reply is over. What was written and not heard is `unheard`."""

    at: float
    turn: TurnId
    text: str
    """What was heard, as it stands in the history."""
    unheard: str
    heard: Heard


@dataclass(frozen=True, slots=True)
class TimedPart:
    """One named part of a turn's latency, in ms from the arrival of the last sample of speech."""

    name: str
    """"end silence", "words", "first clause", "first sound", "playout"."""
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class TurnTimed:
    """Where a turn's milliseconds went; told once, when its reply becomes audible."""

    at: float
    turn: TurnId
    total_ms: float
    """From the arrival of the last sample of speech (or of the typed text) to the first frame sent."""
    endpoint_ms: int
    """The end silence that was configured; 0 for typed turns and push-to-talk."""
    speculative: bool
    """The reply was begun before the turn had ended."""
    parts: tuple[TimedPart, ...]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The caller wanted what was said so far forgotten; nothing of it is known any more."""

    at: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A model failed; the reply ended and the conversation goes on."""

    at: float
    turn: TurnId
    engine: str
    reason: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something was lost by policy, and is counted."""

    at: float
    what: str
    """"late frames", "outgoing frames", "positions", "announcements"."""
    count: int


@dataclass(frozen=True, slots=True)
class CallerReported:
    """What the caller measured; absent figures are None."""

    at: float
    rtt_ms: float | None = None
    buffered_ms: float | None = None
    underruns: int | None = None
    """Since the conversation began."""
    jitter_ms: float | None = None
    received: int | None = None
    """Packets, since the path began."""
    lost: int | None = None
    """Packets, since the path began."""
    concealed_ms: float | None = None
    """Since the path began."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What became of the caller's packets since the last account of it."""

    received: int = 0
    """Packets that were heard."""
    lost: int = 0
    """Packets given up: they never came, or too late."""
    recovered: int = 0
    """Of the lost, those whose sound came with the packet after them (in-band FEC)."""
    late: int = 0
    """Packets that came after they had been given up, or twice."""
    refused: int = 0
    """Packets that were none of this stream's, or no RTP, or too many."""
    concealed_s: float = 0.0
    """Sound invented for what was lost."""
    jitter_ms: float = 0.0
    """Interarrival jitter now (RFC 3550 §6.4.1)."""
    wait_ms: float = 0.0
    """How long a missing packet is waited for now."""
    rtt_ms: float | None = None
    """Last round trip by the caller's receiver reports (RFC 3550 §6.4.1)."""


@dataclass(frozen=True, slots=True)
class PathMeasured:
    """How the caller's packets fared in the last second, as measured here."""

    at: float
    quality: Quality


@dataclass(frozen=True, slots=True)
class SessionClosed:
    at: float
    reason: str
    """A `CloseReason` value."""


SessionEvent: TypeAlias = (
    SessionOpened
    | TransportAttached
    | TransportLeft
    | Stalled
    | TurnNoticed
    | StateChanged
    | WordsHeard
    | TranscriptReady
    | ReplyBegun
    | ReplyDropped
    | ClauseWritten
    | ReplyWritten
    | SoundMade
    | ReplyReleased
    | ReplyAudible
    | ClauseSpoken
    | ReplyClosed
    | TurnTimed
    | Forgotten
    | Failed
    | Dropped
    | CallerReported
    | PathMeasured
    | SessionClosed
)
