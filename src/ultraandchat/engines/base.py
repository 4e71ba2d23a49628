"""The protocols behind which models stand, and the errors they may raise.

Every engine is a plain object without conversation state: what it must know is handed to it. The
contract, which `tests/engines/contract.py` runs against every engine:

* A generator yields items as they are made, and is at most a few items in front of its reader.
* `aclose()` on it is cancellation: the device is free within one step of the model.
* Two calls at once are served, or the later one raises `EngineOverloaded`.
* Any failure is an `EngineError`; nothing else comes out (but `CancelledError`).
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from ultraandchat.audio.frame import Samples
from ultraandchat.dialogue.actions import Action
from ultraandchat.dialogue.history import Conversation
from ultraandchat.dialogue.reading import Reading
from ultraandchat.turn.events import UserTurn, Utterance


class EngineError(Exception):
    """A model failed: this reply ends, the conversation goes on."""

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(f"{engine}: {reason}")
        self.engine = engine
        """Which one, as `/health` names it."""
        self.reason = reason
        """One plain sentence, fit to be shown to the user; never what the user said."""


class EngineOverloaded(EngineError):
    """It has as much to do as it can bear; trying again later may help."""


class EngineLost(EngineError):
    """Its process ended in the middle, or is being started anew: asked again soon, it may well answer."""


class EngineUnavailable(Exception):
    """An engine cannot run here at all: the operator's to mend, before the server is ready."""

    def __init__(self, engine: str, reason: str, remedy: str) -> None:
        super().__init__(f"{engine}: {reason}. {remedy}")
        self.engine = engine
        self.reason = reason
        self.remedy = remedy
        """The one command or setting that mends it."""


class VoiceActivityStream(Protocol):
    """One conversation's voice activity; its recurrent state belongs to that conversation."""

    def probability(self, window: Samples) -> float:
        """That `window` (512 samples at 16 kHz) is speech, 0…1. Called in the loop: well under 1 ms."""
        ...

    def reset(self) -> None:
        """Forget the recurrent state, as if silence had gone before."""
        ...


class VoiceActivityModel(Protocol):
    def open(self) -> VoiceActivityStream: ...


@dataclass(frozen=True, slots=True)
class Transcript:
    """The user's words as some recogniser understood them."""

    text: str
    """Lower-case words or proper sentences, as the recogniser gives them; empty when it heard none."""
    source: str
    """How they were found: "grammar", "second pass", "stream", "whisper", "ultravox", "typed"; shown on the page."""


class TranscriberStream(Protocol):
    """One conversation's ear for words. Feeding never blocks; sound it cannot keep up with is dropped."""

    def begin(self) -> None:
        """A new utterance starts with the next `feed`."""
        ...

    def feed(self, samples: Samples) -> None:
        """More of the utterance, 16 kHz."""
        ...

    def transcribe(self, utterance: Utterance) -> Awaitable[Transcript]:
        """The final words of this sound. Cancelled freely; raises `EngineError`."""
        ...

    def hurry(self) -> None:
        """The turn is over: whatever `transcribe` is at work on has only its deadline left."""
        ...

    async def aclose(self) -> None: ...


class Transcriber(Protocol):
    def open(self, on_partial: Callable[[str], None]) -> TranscriberStream:
        """`on_partial` is called in the event loop with the words so far, whenever they change; never
        by a recogniser that takes whole utterances (`whole_utterance.py`)."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """The turn to be answered."""

    said: UserTurn
    words: Callable[[], Awaitable[Transcript]]
    """The turn's words, for engines that read: typed text at once, else the transcriber's, which is
    asked once however many want to know. Raises `EngineError` where no transcriber is there."""


ReplyPart: TypeAlias = str | Action | Reading
"""A piece of the reply's text as it is written, something to do, or (last) what it took to write it."""


class SpeechLanguageModel(Protocol):
    """Hears what was said and writes the answer. Ultravox is one; `Cascade` makes one of two."""

    def respond(
        self, prompt: Prompt, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]: ...

    async def prepare(self, conversation: Conversation) -> None:
        """The user begins to speak: what is known so far may be made ready. Raises nothing, and is
        cancelled freely; an engine that has nothing to make ready does nothing."""
        ...


class TextLanguageModel(Protocol):
    """Answers words with words: skills, or a chat model behind a URL."""

    def answer(self, words: str, conversation: Conversation) -> AsyncGenerator[ReplyPart, None]: ...


@dataclass(frozen=True, slots=True)
class Voice:
    """How a clause is to be spoken."""

    name: str = ""
    """One of the synthesizer's `voices`; empty = its first."""
    speed: float = 1.0
    """1 = as the voice was made; 0.5…2."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What text a voice wants: `reply.py` writes and cuts it so."""

    language: str = "en"
    """A tag of BCP 47, "en", "pt-BR": figures and signs are put into its words."""
    tags: frozenset[str] = frozenset()
    """What the voice does where "[laugh]" is written, without brackets; other tags never reach it."""
    fewest_words: int = 1
    """Of a clause: shorter ones are spoken together with the next."""
    most_characters: int = 200
    """Of a clause, as it is written; 200 are about 12 s. Longer ones are split where it is least heard."""


class SpeechSynthesizer(Protocol):
    @property
    def rate(self) -> int:
        """Hz of every block `synthesize` yields."""
        ...

    @property
    def voices(self) -> tuple[str, ...]:
        """Names that `Voice.name` may take, the default first."""
        ...

    def manner(self, voice: Voice) -> Manner:
        """What text `voice` wants. Asked in the loop, once a reply; `voice` may be one it does not have."""
        ...

    def synthesize(self, clause: str, voice: Voice) -> AsyncGenerator[Samples, None]:
        """Sound as it is made, in blocks of any length. `clause` is already speakable text."""
        ...


class Phrases(Protocol):
    """Sentences that are known before they are said, which a voice may have ready."""

    def keep(self, sentences: Sequence[str]) -> None:
        """These will be said word for word; asked again with others, those take their place."""
        ...

    def apology(self, error: EngineError, voice: Voice) -> str:
        """What to say in this voice where a reply failed with this error; empty where a tone has to do."""
        ...


class NoPhrases:
    """Of a voice that has nothing ready."""

    def keep(self, sentences: Sequence[str]) -> None:
        return

    def apology(self, error: EngineError, voice: Voice) -> str:
        return ""


EngineState: TypeAlias = Literal["loading", "ready", "restarting", "failed"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of loading that is over."""

    name: str
    """ "start", "download", "load", "warm-up": as the engine calls it."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Progressing:
    """The part of loading that is under way."""

    stage: str
    done: int
    total: int
    """Bytes of a download, parts of anything else; 0 when nobody knows."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """One engine as `/health` and the page show it."""

    kind: str
    """"voice activity", "transcriber", "language", "speech"."""
    name: str
    """As the config calls it: "silero", "sphinx", "skills", "chat", "flite", "espeak", "scripted"."""
    state: EngineState
    detail: str = ""
    """In plain words: what it is, or why it is not ready."""
    load_s: float | None = None
    rss_bytes: int | None = None
    """Memory of its worker process, where it has one."""
    restarts: int = 0
    stages: tuple[Stage, ...] = ()
    """Of loading, the last time: those that are over."""
    progress: Progressing | None = None
    """What it is at while it loads."""
    pid: int | None = None
    """Of its worker process, where it has one."""
    failures: int = 0
    """Jobs of that process in which the model raised an exception; it lived on."""
    running: int = 0
    """Jobs of that process which take turns now."""
    waiting: int = 0
    """Jobs that have not begun."""
    remedy: str = ""
    """What the operator can do when it failed, where that is known."""
    verdicts: tuple[tuple[str, int], ...] = ()
    """Of a voice that is guarded: how often it was cut or spoke again since the start, by why."""


@dataclass(frozen=True, slots=True)
class Engines:
    """Everything a conversation needs, opened once and shared by all of them."""

    gate: VoiceActivityModel
    """The quick detector (WebRTC); agrees before speech is believed."""
    hearing: VoiceActivityModel
    """The good one (Silero)."""
    language: SpeechLanguageModel
    speech: SpeechSynthesizer
    transcriber: Transcriber | None
    """Captions, and the words of a cascade."""
    status: Callable[[], tuple[EngineStatus, ...]]
    about: str
    """What is speaking here, in one honest sentence for the page."""
    greeting: str
    """What the agent says first; empty for nothing."""
    phrases: Phrases = field(default_factory=NoPhrases)
    """Of whoever speaks."""
