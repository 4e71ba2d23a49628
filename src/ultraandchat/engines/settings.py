"""Which engines run and how: the `[engines]` section of the configuration."""

from dataclasses import dataclass, field
from typing import Literal

from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.ultravox.settings import DEVICE, SPOKEN, UltravoxSettings
from ultraandchat.engines.weights.settings import HubSettings


@dataclass(frozen=True, slots=True)
class SphinxSettings:
    """The small offline recogniser (pocketsphinx, English)."""

    stream_workers: int = 1
    """Processes that write captions while the user speaks; one bears about three speakers at once."""
    final_workers: int = 1
    """Processes for the grammar and the second pass."""
    grammar_threshold: float = 0.58
    """Score from which a complete phrase of the grammar is believed; the worst false one measured was 0.56."""
    deadline_ms: int = 300
    """After the turn's end the second pass has this long; then the streamed words are taken."""

    def __post_init__(self) -> None:
        if not (1 <= self.stream_workers <= 64 and 1 <= self.final_workers <= 64):
            raise ValueError(
                "engines.sphinx.stream_workers and engines.sphinx.final_workers must be 1…64"
            )
        if not 0 <= self.grammar_threshold <= 1:
            raise ValueError("engines.sphinx.grammar_threshold must be 0…1")
        if not 0 <= self.deadline_ms <= 60_000:
            raise ValueError("engines.sphinx.deadline_ms must be 0…60000")


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Any language model behind an OpenAI-compatible URL; used when `base_url` is set."""

    base_url: str = ""
    """Such as "http://localhost:11434/v1"; empty: no language model, only the skills answer."""
    model: str = ""
    """The model's name at that server."""
    api_key: str = field(default="", repr=False)
    """Sent as a bearer token; empty for servers that want none. Better in the environment than in a file."""
    system_prompt: str = SPOKEN
    """Tells the model that it is being spoken to."""
    temperature: float = 0.7
    """0…2, as the server understands it."""
    max_tokens: int = 300
    """Longest answer; about a minute of speech."""
    history_exchanges: int = 12
    """How many earlier exchanges are sent along."""
    first_token_timeout_s: float = 3.0
    """Without a first word by then, the agent says that its model does not answer. Below `turn.reply_timeout_s`."""
    total_timeout_s: float = 60.0
    """A reply may take this long altogether."""

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 2:
            raise ValueError("engines.chat.temperature must be 0…2")
        if self.max_tokens < 1 or self.history_exchanges < 0:
            raise ValueError(
                "engines.chat.max_tokens must be at least 1, engines.chat.history_exchanges 0"
            )
        if min(self.first_token_timeout_s, self.total_timeout_s) <= 0:
            raise ValueError("timeouts in [engines.chat] must be above 0")


@dataclass(frozen=True, slots=True)
class UltravoxServerSettings:
    """Ultravox (or another model that hears) behind an OpenAI-compatible URL, such as vLLM; used with `language = "ultravox-server"`."""

    base_url: str = ""
    """Such as "http://localhost:8000/v1"."""
    model: str = "fixie-ai/ultravox-v0_6-llama-3_1-8b"
    """The model's name at that server."""
    api_key: str = field(default="", repr=False)
    """Sent as a bearer token; empty for servers that want none. Better in the environment than in a file."""
    system_prompt: str = SPOKEN
    """Tells the model that it is being spoken to."""
    temperature: float = 0.7
    """0…2, as the server understands it."""
    max_tokens: int = 300
    """Longest answer; about a minute of speech."""
    history_exchanges: int = 12
    """How many earlier exchanges are sent along."""
    max_sounds: int = 8
    """Utterances sent as sound with one question, the newest; older ones go as their words. vLLM's --limit-mm-per-prompt."""
    first_token_timeout_s: float = 3.0
    """Without a first word by then, the agent says that its model does not answer. Below `turn.reply_timeout_s`."""
    total_timeout_s: float = 60.0
    """A reply may take this long altogether."""

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 2:
            raise ValueError("engines.ultravox_server.temperature must be 0…2")
        if self.max_tokens < 1 or self.history_exchanges < 0 or self.max_sounds < 1:
            raise ValueError(
                "engines.ultravox_server.max_tokens and max_sounds must be at least 1, "
                "history_exchanges 0"
            )
        if min(self.first_token_timeout_s, self.total_timeout_s) <= 0:
            raise ValueError("timeouts in [engines.ultravox_server] must be above 0")


@dataclass(frozen=True, slots=True)
class WhisperSettings:
    """Whisper (faster-whisper, of the extra `gpu`) writes down what was said, beside the conversation."""

    model: str = ""
    """A size such as base.en, small or large-v3-turbo, a repository, or a folder. Empty: large-v3-turbo on a GPU, base.en on the processor."""
    revision: str = ""
    """The model's commit, branch or tag; empty: what was the newest when it was first downloaded."""
    device: str = "auto"
    """auto, cuda, cuda:0 (or another number) or cpu. auto: the GPU where there is one."""
    precision: Literal["auto", "fp16", "int8", "fp32"] = "auto"
    """auto: fp16 on the GPU, int8 on the processor."""
    language: str = ""
    """Code such as en or de; empty: it finds out for each utterance, which takes longer."""
    python: str = ""
    """Interpreter of an environment that has faster-whisper; empty: the server's own."""
    deadline_ms: int = 20_000
    """Captions come whenever they are ready; those of an utterance that is not written down by then never."""

    def __post_init__(self) -> None:
        if not DEVICE.fullmatch(self.device):
            raise ValueError("engines.whisper.device must be auto, cuda, cuda:NUMBER or cpu")
        if not 1 <= self.deadline_ms <= 600_000:
            raise ValueError("engines.whisper.deadline_ms must be 1…600000")


@dataclass(frozen=True, slots=True)
class ScriptedSettings:
    """Engines without models, exact in time: for tests, benchmarks and machines that only carry sound."""

    first_clause_ms: int = 100
    """From the question to the first clause."""
    between_clauses_ms: int = 20
    """From one clause to the next."""
    clauses: int = 2
    """How many a reply has."""
    clause_s: float = 2.0
    """How long each one sounds."""
    first_sound_ms: int = 50
    """From a clause to its first sound."""
    block_ms: int = 100
    """Sound comes in blocks of this length."""
    speed: float = 4.0
    """How many times faster than real time the rest of a clause is made."""
    tone_hz: float = 440.0
    """The voice is a tone of this frequency, −12 dBFS."""
    rise_hz_per_s: float = 0.0
    """Within a clause the tone rises by so much: whoever records it can tell which part of a reply was heard."""

    def __post_init__(self) -> None:
        if min(self.first_clause_ms, self.between_clauses_ms, self.first_sound_ms) < 0:
            raise ValueError("delays in [engines.scripted] must not be negative")
        if not 0 <= self.clauses <= 1000 or not 0 < self.clause_s <= 600:
            raise ValueError(
                "engines.scripted.clauses must be 0…1000, clause_s above 0 and at most 600"
            )
        if self.block_ms < 1 or self.speed <= 0:
            raise ValueError("engines.scripted.block_ms must be at least 1, speed above 0")


@dataclass(frozen=True, slots=True)
class EnginesConfig:
    """Engines by name; `--profile` sets several of them at once."""

    profile: Literal["auto", "gpu", "demo", "scripted"] = "auto"
    """auto: gpu where that can run, else demo; says why. gpu: Ultravox and Chatterbox, which download their weights. demo: pocketsphinx, skills and flite or espeak-ng, nothing to download. scripted: no models at all."""
    transcriber: Literal["profile", "sphinx", "whisper", "ultravox", "scripted", "none"] = "profile"
    """Who writes down the user's words. ultravox: the language model itself, by a second question; slower, and no memory of its own."""
    language: Literal["profile", "skills", "chat", "ultravox", "ultravox-server", "scripted"] = (
        "profile"
    )
    """Who answers. ultravox: a language model that hears, on this machine's GPU. skills: rules; with `chat.base_url` set, what they do not know goes to that model. chat: that model only. ultravox-server: the model that hears at `ultravox_server.base_url`."""
    speech: Literal["profile", "chatterbox", "flite", "espeak", "scripted"] = "profile"
    """Who speaks. The profile gpu takes chatterbox; the demo, and gpu where that cannot run, flite where it is installed, else espeak-ng."""
    voice: str = ""
    """The voice a conversation begins with; empty = the synthesizer's first."""
    sphinx: SphinxSettings = SphinxSettings()
    chat: ChatSettings = ChatSettings()
    ultravox_server: UltravoxServerSettings = UltravoxServerSettings()
    whisper: WhisperSettings = WhisperSettings()
    scripted: ScriptedSettings = ScriptedSettings()
    ultravox: UltravoxSettings = field(default_factory=UltravoxSettings)
    chatterbox: ChatterboxSettings = field(default_factory=ChatterboxSettings)
    hub: HubSettings = field(default_factory=HubSettings)
