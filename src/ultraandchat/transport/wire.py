"""The control messages of `/ws`, and the header of its binary frames.

`docs/protocol.md` and the page's types (`web/wire.js`) are generated from the types here. JSON text
frames carry messages; binary frames carry sound behind an 8-byte header.
"""

import struct
from typing import ClassVar, Literal, TypeAlias

import msgspec

PROTOCOL_VERSION = 2
"""Grows when a page of one version cannot talk to a server of another."""

HEADER = struct.Struct("<BBHI")
"""Binary frames, little-endian: kind, codec, reserved (0), position in samples at the codec's rate (mod 2³²)."""

KIND_SOUND = 1
CODEC_PCM16_16K = 1
"""Caller to server: mono PCM16 at 16 kHz."""
CODEC_PCM16_24K = 2
"""Server to caller: mono PCM16 at 24 kHz."""
CODEC_OPUS = 3
"""Either way: one Opus packet of 20 ms, mono; its rate is 48 kHz. To the caller once `use_path` asked for it."""

MAX_TEXT_BYTES = 32_768
"""A control message may be this long: an offer with many candidates is; Chromium's for one voice has 2 kB."""
MAX_TYPED_CHARS = 4_000
MAX_SOUND_BYTES = HEADER.size + 2 * 16_000
"""One second of caller's sound in one frame; more is a peer that makes no sense."""


class Message(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """A JSON object whose `type` says which one it is."""


# --- from the caller -------------------------------------------------------------------------


class Hello(Message, frozen=True, tag="hello"):
    """First message: begin the conversation."""

    protocol: int = PROTOCOL_VERSION
    """The page's protocol version."""
    timezone: str = ""
    """IANA name, so that "what time is it" is answered for the caller."""
    language: str = ""
    """BCP 47 tag of the browser."""
    voice: str = ""
    """A voice of `Welcome.voices`; empty = the first."""
    speed: float | None = None
    """As in `settings`, from the first word on."""
    sensitivity: float | None = None
    """As in `settings`."""
    resume: str = ""
    """Go on with the conversation that gave this token (`Welcome.resume`, or the newest `resume_token`)."""
    heard: int | None = None
    """With `resume`: the position, in samples at 48 kHz (mod 2³²), up to which the agent was audible: the RTP
    timestamp of what was played last, or the position of a binary frame at that rate, over whichever
    connection it came. 0: nothing was heard yet. None: not known."""


class Mute(Message, frozen=True, tag="mute"):
    """While muted the caller's sound counts as silence."""

    muted: bool


class Interrupt(Message, frozen=True, tag="interrupt"):
    """The button: be quiet now."""


class Say(Message, frozen=True, tag="say"):
    """A typed turn."""

    text: str


class Press(Message, frozen=True, tag="press"):
    """Push-to-talk: the key went down, the caller has the floor until `release`."""


class Release(Message, frozen=True, tag="release"):
    """Push-to-talk: the key went up, the turn is over."""


class Settings(Message, frozen=True, tag="settings"):
    """Changes how the agent speaks, from the next clause on, and how it listens, at once; an absent field stays as
    it is."""

    voice: str | None = None
    speed: float | None = None
    """0.5…2."""
    volume: float | None = None
    """0…2; 1 = as made."""
    sensitivity: float | None = None
    """The level below which this caller's sound is not speech: dBFS (RMS over 32 ms), -70…-20; the lower, the more is
    heard. 0: the server's own level, `turn.gate_dbfs`."""


class Forget(Message, frozen=True, tag="forget"):
    """Forget what was said so far. A reply is cut; a turn that is being spoken goes on, and so do timers. Answered by
    `forgotten`."""


class Ping(Message, frozen=True, tag="ping"):
    """Answered at once by `pong` with the same `id`; also tells the server the measured round trip."""

    id: int
    rtt_ms: float | None = None
    """The caller's last measured round trip."""


class Playback(Message, frozen=True, tag="playback"):
    """What the caller's playout buffer did in the last second."""

    buffered_ms: float
    underruns: int
    """Since the conversation began."""


class Offer(Message, frozen=True, tag="offer"):
    """Asks for a WebRTC path; may come before `hello`. Answered by `answer`, or `error` "bad_offer"."""

    sdp: str


class CandidateInit(msgspec.Struct, frozen=True):
    """A browser's `RTCIceCandidateInit`."""

    candidate: str
    """RFC 8839 §5.1; empty: there are no more."""
    sdpMid: str | None = None
    sdpMLineIndex: int | None = None
    usernameFragment: str | None = None


class IceCandidate(Message, frozen=True, tag="ice-candidate"):
    """One more address at which the caller may be reached; None: there are no more."""

    candidate: CandidateInit | None


class UsePath(Message, frozen=True, tag="use_path"):
    """Sound of both directions goes this way from now on; may come before `hello`. Without it: the WebSocket."""

    path: Literal["webrtc", "websocket"]
    codec: Literal["pcm16", "opus"] = "pcm16"
    """How the agent's voice comes over the WebSocket; `/config.json` names what this server has
    (`websocket.codecs`), "no_codec" is the answer to what it has not. Callers may send either at any time."""


class PairTried(msgspec.Struct, frozen=True):
    """One candidate pair of a WebRTC attempt, as the caller's browser saw it."""

    protocol: str
    """"udp", "tcp", "relay/udp", "relay/tcp", "relay/tls"."""
    local: str
    """Kind of the caller's candidate: "host", "srflx", "prflx", "relay"."""
    remote: str
    """Kind and address of the server's: "host 203.0.113.7:13007"."""
    state: str
    """"chosen", "succeeded", "failed", "unanswered"."""
    rtt_ms: float | None = None


class PathReport(Message, frozen=True, tag="path_report"):
    """How one attempt at WebRTC went; may come before `hello`. For the log: a fallback is never silent."""

    outcome: Literal["chosen", "failed", "lost"]
    text: str
    """Why, in words; empty where it was chosen."""
    after_ms: float
    """From the offer to media that came through, or to giving up."""
    pairs: list[PairTried]
    """At most 64."""


class Stats(Message, frozen=True, tag="stats"):
    """What the caller's end of a WebRTC path measured (`getStats`), once a second; counts since it began."""

    rtt_ms: float | None
    jitter_ms: float
    """Of what arrives at the caller (RFC 3550 §6.4.1)."""
    received: int
    """Packets."""
    lost: int
    """Packets that never arrived at the caller."""
    concealed_ms: float
    """Sound the caller's jitter buffer had to invent."""
    buffered_ms: float
    """What a packet waited there, mean over the last second."""


class Bye(Message, frozen=True, tag="bye"):
    """The caller hangs up."""


ClientMessage: TypeAlias = (
    Hello
    | Mute
    | Interrupt
    | Say
    | Press
    | Release
    | Settings
    | Forget
    | Ping
    | Playback
    | Offer
    | IceCandidate
    | UsePath
    | PathReport
    | Stats
    | Bye
)


# --- from the server -------------------------------------------------------------------------


class EngineInfo(msgspec.Struct, frozen=True):
    """One engine, as `/health` has it."""

    kind: str
    name: str
    state: str
    detail: str


class Welcome(Message, frozen=True, tag="welcome"):
    """The conversation has begun; sound may flow."""

    session: str
    """Names the conversation in logs."""
    server: str
    """The server's version."""
    transport: str
    voices: list[str]
    engines: list[EngineInfo]
    about: str
    """What is speaking, in one honest sentence."""
    resume: str = ""
    """With it in `hello`, another connection goes on with this conversation. Good for one use; empty: none can."""
    resume_s: float = 0.0
    """A conversation that was left waits so long for its caller."""
    resumed: bool = False
    """It goes on: what was said so far follows, as captions and `reply_done`, and then whatever is new."""
    protocol: int = PROTOCOL_VERSION


class ResumeToken(Message, frozen=True, tag="resume_token"):
    """A fresh one in place of `Welcome.resume`, long before that expires."""

    token: str


class State(Message, frozen=True, tag="state"):
    """Who has the floor: a `TurnState` value."""

    state: str
    turn: int


class UserCaption(Message, frozen=True, tag="user_caption"):
    """The caller's words so far; replaces what the turn had before. Final and empty: take them away."""

    turn: int
    text: str
    final: bool
    source: str


class AgentCaption(Message, frozen=True, tag="agent_caption"):
    """A clause of the reply begins to be heard."""

    turn: int
    clause: int
    text: str


class ReplyDone(Message, frozen=True, tag="reply_done"):
    """A reply is over: what was heard, and what was written and stayed unheard."""

    turn: int
    heard: str
    unheard: str
    cut: bool


class TimingPart(msgspec.Struct, frozen=True):
    """One named part of a turn's latency."""

    name: str
    """"end silence", "words", "first clause", "first sound", "playout"."""
    start_ms: float
    """From the caller's last sample of speech, as it arrived at the server."""
    end_ms: float


class TurnTiming(Message, frozen=True, tag="turn_timing"):
    """Where a turn's milliseconds went, from the last sample of speech to the first frame sent."""

    turn: int
    total_ms: float
    endpoint_ms: int
    """The end silence that was configured."""
    speculative: bool
    """The reply was begun before the turn had ended."""
    parts: list[TimingPart]


class ReplyRead(Message, frozen=True, tag="reply_read"):
    """What the language model read and wrote for a reply; only of models that run beside the server."""

    turn: int
    prompt_tokens: int
    """Of the whole conversation."""
    reused_tokens: int
    """Of those, read before the turn had ended."""
    new_tokens: int
    """Of the reply."""
    read_ms: float
    """To hear and read what was new, before the first word."""


class Forgotten(Message, frozen=True, tag="forgotten"):
    """What was said before this message is no longer known here: neither its words nor its sound."""


class Notice(Message, frozen=True, tag="notice"):
    """Something the caller should know, in plain words; the conversation goes on."""

    code: str
    """"engine_failed", "timer"."""
    text: str


class Error(Message, frozen=True, tag="error"):
    """A message was not understood; it had no effect and the connection stays."""

    code: str
    """"not_json", "unknown_type", "bad_message", "bad_sound", "not_begun", "bad_offer", "no_path",
    "no_codec", "other_version" (of the protocol; no conversation can begin)."""
    text: str


class Flush(Message, frozen=True, tag="flush"):
    """Drop all sound that is not audible yet; what comes after this message is new."""


class Pong(Message, frozen=True, tag="pong"):
    id: int


class Answer(Message, frozen=True, tag="answer"):
    """The server's half of a WebRTC path, with all its candidates."""

    sdp: str


class PathLost(Message, frozen=True, tag="path_lost"):
    """The WebRTC path did not come about, or is over; sound goes over the WebSocket."""

    text: str


class Closing(Message, frozen=True, tag="closing"):
    """Last message: the conversation ends for this reason."""

    reason: str
    text: str
    retry_after_s: float | None = None
    """Worth trying again after so many seconds."""


ServerMessage: TypeAlias = (
    Welcome
    | ResumeToken
    | State
    | UserCaption
    | AgentCaption
    | ReplyDone
    | TurnTiming
    | ReplyRead
    | Forgotten
    | Notice
    | Error
    | Flush
    | Pong
    | Answer
    | PathLost
    | Closing
)


class BadMessage(ValueError):
    """A text frame that is no control message; the connection stays."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.answer = Error(code=code, text=text)


class Codec:
    """Messages to and from JSON."""

    _decoder: ClassVar[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)
    _server_decoder: ClassVar[msgspec.json.Decoder[ServerMessage]] = msgspec.json.Decoder(
        ServerMessage
    )
    _encoder: ClassVar[msgspec.json.Encoder] = msgspec.json.Encoder()

    @classmethod
    def decode(cls, text: str | bytes) -> ClientMessage:
        """A caller's message, or `BadMessage` that says what is wrong with it."""
        try:
            return cls._decoder.decode(text)
        except msgspec.ValidationError as error:
            code = (
                "unknown_type"
                if "Invalid value" in str(error) and "$.type" in str(error)
                else "bad_message"
            )
            raise BadMessage(code, str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadMessage("not_json", "this is not a JSON message") from None

    @classmethod
    def decode_server(cls, text: str | bytes) -> ServerMessage:
        """A server's message, for callers written in Python."""
        return cls._server_decoder.decode(text)

    @classmethod
    def encode(cls, message: ServerMessage | ClientMessage) -> str:
        return cls._encoder.encode(message).decode()
