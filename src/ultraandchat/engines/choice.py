"""Which engines the configuration means, and whether they can run here. Nothing is loaded to find out,
but Silero, without which nothing runs."""

import importlib.util
from dataclasses import dataclass, replace
from typing import Literal

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.settings import EnginesConfig

DEMO_EXTRA = 'pip install "ultraandchat[demo]"'
NO_BASE_URL = "engines.chat.base_url is not set"
CHAT_REMEDY = (
    "--set engines.chat.base_url=http://localhost:11434/v1 --set engines.chat.model=NAME"
    " (any OpenAI-compatible server)"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Every engine by name; a profile is only a set of names."""

    transcriber: Literal["sphinx", "scripted", "none"]
    language: Literal["skills", "chat", "scripted"]
    speech: Literal["flite", "espeak", "scripted"]


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
    """The engines of the configuration. Where one is left to the demo profile, what is installed."""
    from ultraandchat.engines.flite import find_flite

    choice = (
        Choice("scripted", "scripted", "scripted")
        if config.profile == "scripted"
        else Choice("sphinx", "skills", "flite" if find_flite() else "espeak")
    )
    if config.transcriber != "profile":
        choice = replace(choice, transcriber=config.transcriber)
    if config.language != "profile":
        choice = replace(choice, language=config.language)
    if config.speech != "profile":
        choice = replace(choice, speech=config.speech)
    return choice


def survey(config: EnginesConfig) -> tuple[Finding, ...]:
    """What would run here, and what is missing, in the order of the sound."""
    choice = chosen(config)
    return (_hearing(), _transcriber(choice), _language(choice, config), _speech(choice))


def _hearing() -> Finding:
    from ultraandchat.engines.silero import Silero

    try:
        Silero()
    except EngineUnavailable as error:
        return Finding("voice activity: silero", False, error.reason, error.remedy)
    return Finding("voice activity: silero", True, "loads; WebRTC's detector beside it")


def _transcriber(choice: Choice) -> Finding:
    name = f"transcriber: {choice.transcriber}"
    match choice.transcriber:
        case "none":
            return Finding(name, True, "nobody writes down what is said; typed text is understood")
        case "scripted":
            return Finding(name, True, "counts half seconds, understands nothing")
        case "sphinx":
            if importlib.util.find_spec("pocketsphinx") is None:
                return Finding(name, False, "pocketsphinx is not installed", DEMO_EXTRA)
            return Finding(name, True, "pocketsphinx, a small offline recogniser for English")


def _language(choice: Choice, config: EnginesConfig) -> Finding:
    name, chat = f"language: {choice.language}", config.chat
    if choice.language == "scripted":
        return Finding(name, True, "answers with numbers")
    if chat.base_url:
        return Finding(name, True, f"what rules do not know goes to {chat.base_url}")
    if choice.language == "chat":
        return Finding(name, False, NO_BASE_URL, CHAT_REMEDY)
    return Finding(name, True, "rules, no language model", f"For one: {CHAT_REMEDY}")


def _speech(choice: Choice) -> Finding:
    from ultraandchat.engines.espeak import find_espeak
    from ultraandchat.engines.flite import find_flite

    name = f"speech: {choice.speech}"
    better = "" if find_flite() else "A better voice: apt install flite"
    match choice.speech:
        case "scripted":
            return Finding(name, True, "a tone")
        case "flite" if find_flite():
            return Finding(name, True, "small recorded voices")
        case "espeak" if found := find_espeak():
            return Finding(name, True, f"a small robotic voice, from {found}", better)
        case "flite":
            return Finding(name, False, "it is not installed", "apt install flite")
        case "espeak":
            return Finding(name, False, "it is not installed", DEMO_EXTRA)


def about(choice: Choice, config: EnginesConfig) -> str:
    """What is speaking here, in plain words for the page, and the line that changes it."""
    if choice.language == "scripted":
        return "Scripted engines, for tests: nothing is understood, and every answer is a tone."
    ear = {
        "sphinx": "a small offline recogniser (pocketsphinx)",
        "scripted": "a scripted recogniser that understands nothing",
        "none": "nobody who writes down speech, so only typed text is understood",
    }[choice.transcriber]
    if choice.language == "chat":
        return (
            f"You are heard by {ear}, and answered by the language model at engines.chat.base_url."
        )
    if config.chat.base_url:
        return (
            f"You are heard by {ear}, and answered by rules and, where they know nothing, by the "
            "language model at engines.chat.base_url."
        )
    return (
        f"You are heard by {ear}, and answered by a small rule-based responder, not a language "
        f"model. One line changes that: ultraandchat serve {CHAT_REMEDY}"
    )


def greeting(choice: Choice, config: EnginesConfig) -> str:
    """What is said first, under four seconds. Scripted engines are asked first."""
    if choice.language == "scripted":
        return ""
    if config.chat.base_url:
        return "Hello, this is UltraAndChat. How can I help?"
    return "Hello. I follow simple rules. Ask what I can do."
