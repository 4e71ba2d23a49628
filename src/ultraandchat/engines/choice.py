"""Which engines the configuration means, and whether they can run here. Nothing is loaded to find out,
but Silero, without which nothing runs."""

import importlib.util
from dataclasses import dataclass, replace
from typing import Literal

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.settings import EnginesConfig, WhisperSettings
from ultraandchat.engines.ultravox.settings import UltravoxSettings

DEMO_EXTRA = 'pip install "ultraandchat[demo]"'
NO_BASE_URL = "engines.chat.base_url is not set"
CHAT_REMEDY = (
    "--set engines.chat.base_url=http://localhost:11434/v1 --set engines.chat.model=NAME"
    " (any OpenAI-compatible server)"
)
GPU_EXTRA = 'pip install "ultraandchat[gpu]"'
NO_GPU = "--profile demo"
OWN_WORDS = "it writes down only what it answers itself"
OWN_WORDS_REMEDY = "--set engines.language=ultravox"
NO_SERVER_URL = "engines.ultravox_server.base_url is not set"
SERVER_REMEDY = (
    "--set engines.ultravox_server.base_url=http://localhost:8000/v1"
    " (vLLM; docs/deploy/vllm.md has its command)"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Every engine by name; a profile is only a set of names."""

    transcriber: Literal["sphinx", "whisper", "ultravox", "scripted", "none"]
    language: Literal["skills", "chat", "ultravox", "ultravox-server", "scripted"]
    speech: Literal["chatterbox", "flite", "espeak", "scripted"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One engine as `ultraandchat check` shows it."""

    name: str
    """What it is for, and which one: "speech: flite"."""
    ok: bool
    detail: str
    remedy: str = ""
    """The one command or setting that mends it, or makes it better; empty where nothing is to do."""


def chosen(config: EnginesConfig) -> Choice:
    """The engines of the configuration. Where one is left to the profile, what is installed."""
    from ultraandchat.engines.profile import settle

    match settle(config).engines.profile:
        case "scripted":
            choice = Choice("scripted", "scripted", "scripted")
        case "gpu":
            choice = Choice(_beside_ultravox(config.whisper), "ultravox", "chatterbox")
        case _:
            choice = Choice("sphinx", "skills", small_voice())
    if config.language != "profile":
        choice = replace(choice, language=config.language)
        if choice.transcriber == "ultravox" and choice.language != "ultravox":
            choice = replace(choice, transcriber="none")  # it is not there to be asked
    if config.transcriber != "profile":
        choice = replace(choice, transcriber=config.transcriber)
    if config.speech != "profile":
        choice = replace(choice, speech=config.speech)
    return choice


def small_voice() -> Literal["flite", "espeak"]:
    """The better of the two that need no download, as far as it is installed."""
    from ultraandchat.engines.flite import find_flite

    return "flite" if find_flite() else "espeak"


def _beside_ultravox(whisper: WhisperSettings) -> Literal["whisper", "sphinx", "ultravox"]:
    """Who writes down what Ultravox hears: the best that is installed, else Ultravox itself."""
    from ultraandchat.engines.whisper import installed

    if installed(whisper):
        return "whisper"
    return "sphinx" if has("pocketsphinx") else "ultravox"


def survey(config: EnginesConfig) -> tuple[Finding, ...]:
    """What would run here, and what is missing, in the order of the sound."""
    choice = chosen(config)
    return (
        _hearing(),
        _transcriber(choice, config),
        _language(choice, config),
        _speech(choice, config),
    )


def _hearing() -> Finding:
    from ultraandchat.engines.silero import Silero

    try:
        Silero()
    except EngineUnavailable as error:
        return Finding("voice activity: silero", False, error.reason, error.remedy)
    return Finding("voice activity: silero", True, "loads; WebRTC's detector beside it")


def _transcriber(choice: Choice, config: EnginesConfig) -> Finding:
    name = f"transcriber: {choice.transcriber}"
    match choice.transcriber:
        case "none":
            return Finding(name, True, "nobody writes down what is said; typed text is understood")
        case "scripted":
            return Finding(name, True, "counts half seconds, understands nothing")
        case "ultravox" if choice.language != "ultravox":
            return Finding(name, False, OWN_WORDS, OWN_WORDS_REMEDY)
        case "ultravox":
            return Finding(name, True, "asked by a second question, behind all replies")
        case "whisper":
            return _whisper(name, config.whisper)
        case "sphinx":
            if not has("pocketsphinx"):
                return Finding(name, False, "pocketsphinx is not installed", DEMO_EXTRA)
            return Finding(name, True, "pocketsphinx, a small offline recogniser for English")


def _whisper(name: str, whisper: WhisperSettings) -> Finding:
    from ultraandchat.engines.profile import free_memory
    from ultraandchat.engines.whisper import INSTALL, installed
    from ultraandchat.engines.whisper_device import CUBLAS, lacking_cublas

    if not installed(whisper):
        return Finding(name, False, "faster-whisper is not installed", INSTALL)
    model = whisper.model or "large-v3-turbo on a GPU, base.en on the processor"
    found = Finding(name, True, f"faster-whisper, {model}")
    if whisper.python or whisper.device == "cpu" or free_memory(whisper.device) is None:
        return found  # another environment's libraries cannot be looked for, and no GPU needs any
    if not (lacking := lacking_cublas()):
        return found
    detail = f"{found.detail}; {lacking} (CUDA 12) is not here, so not on the GPU"
    return Finding(name, whisper.device == "auto", detail, f"For the GPU: {CUBLAS}")


def _language(choice: Choice, config: EnginesConfig) -> Finding:
    name, chat = f"language: {choice.language}", config.chat
    if choice.language == "scripted":
        return Finding(name, True, "answers with numbers")
    if choice.language == "ultravox-server":
        server = config.ultravox_server
        if not server.base_url:
            return Finding(name, False, NO_SERVER_URL, SERVER_REMEDY)
        return Finding(name, True, f"{server.model} at {server.base_url}; not asked now")
    if choice.language == "ultravox":
        return _ultravox(name, config.ultravox)
    if chat.base_url:
        return Finding(name, True, f"what rules do not know goes to {chat.base_url}")
    if choice.language == "chat":
        return Finding(name, False, NO_BASE_URL, CHAT_REMEDY)
    return Finding(name, True, "rules, no language model", f"For one: {CHAT_REMEDY}")


def _ultravox(name: str, ultravox: UltravoxSettings) -> Finding:
    from ultraandchat.engines.profile import free_memory

    if not ultravox.python and not has("torch"):
        return Finding(name, False, "torch is not installed", GPU_EXTRA)
    if ultravox.device == "cpu":
        return Finding(name, True, f"{ultravox.checkpoint} on the processor: for tiny models only")
    if (free := free_memory(ultravox.device)) is None:
        return Finding(name, False, "this machine has no GPU that its driver tells of", NO_GPU)
    return Finding(name, True, f"{ultravox.checkpoint}; the GPU has {free / 1e9:.1f} GB free")


def _speech(choice: Choice, config: EnginesConfig) -> Finding:
    name = f"speech: {choice.speech}"
    match choice.speech:
        case "scripted":
            return Finding(name, True, "a tone")
        case "chatterbox":
            return _chatterbox(name, config)
        case "flite" | "espeak":
            return _small_voice(name, choice.speech)


def _small_voice(name: str, which: Literal["flite", "espeak"]) -> Finding:
    from ultraandchat.engines.espeak import find_espeak
    from ultraandchat.engines.flite import find_flite

    better = "" if find_flite() else "A better voice: apt install flite"
    match which:
        case "flite" if find_flite():
            return Finding(name, True, "small recorded voices")
        case "espeak" if found := find_espeak():
            return Finding(name, True, f"a small robotic voice, from {found}", better)
        case "flite":
            return Finding(name, False, "it is not installed", "apt install flite")
        case "espeak":
            return Finding(name, False, "it is not installed", DEMO_EXTRA)


def _chatterbox(name: str, config: EnginesConfig) -> Finding:
    """Where only the profile chose it, a small voice speaks instead of one that cannot."""
    found = _chatterbox_itself(name, config.chatterbox)
    if found.ok or config.speech == "chatterbox":
        return found
    instead = _small_voice("", small_voice())
    if not instead.ok:
        return found
    return replace(found, ok=True, detail=f"{found.detail}; {small_voice()} speaks instead")


def _chatterbox_itself(name: str, chatterbox: ChatterboxSettings) -> Finding:
    from ultraandchat.engines.chatterbox.fitness import installed, require
    from ultraandchat.engines.profile import free_memory

    if not chatterbox.python:
        try:
            require(installed())
        except EngineUnavailable as error:
            return Finding(name, False, error.reason, error.remedy)
    if chatterbox.device == "cpu":
        return Finding(name, True, f"{chatterbox.shown} on the processor: too slow to talk with")
    if free_memory(chatterbox.device) is None:
        return Finding(name, False, "this machine has no GPU that its driver tells of", NO_GPU)
    return Finding(name, True, chatterbox.shown)


def has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
