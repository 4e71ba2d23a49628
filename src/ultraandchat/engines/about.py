"""What runs here in plain words: for the page, and as the first thing that is said."""

from ultraandchat.engines.choice import CHAT_REMEDY, Choice
from ultraandchat.engines.settings import EnginesConfig

EARS = {
    "sphinx": "a small offline recogniser (pocketsphinx)",
    "whisper": "Whisper",
    "ultravox": "Ultravox itself",
    "scripted": "a scripted recogniser that understands nothing",
    "none": "nobody who writes down speech, so only typed text is understood",
}
"""Who hears, in a cascade; and who writes captions."""


def voice(choice: Choice, config: EnginesConfig) -> str:
    """Who speaks, as a sentence begins with it."""
    return config.chatterbox.shown if choice.speech == "chatterbox" else choice.speech


def about(choice: Choice, config: EnginesConfig) -> str:
    """What is speaking here, in plain words for the page, and the line that changes it."""
    if choice.language == "scripted":
        return "Scripted engines, for tests: nothing is understood, and every answer is a tone."
    if choice.language == "ultravox-server":
        return (
            "You are heard and answered by the language model at engines.ultravox_server.base_url, "
            f"which hears speech itself. {_captions(choice)}"
        )
    if choice.language == "ultravox":
        return (
            f"You are heard and answered by Ultravox ({config.ultravox.shown}); "
            f"{voice(choice, config)} speaks its answers. {_captions(choice)}"
        )
    ear = EARS[choice.transcriber]
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
    if choice.language in ("ultravox", "ultravox-server") or config.chat.base_url:
        return "Hello, this is UltraAndChat. How can I help?"
    return "Hello. I follow simple rules. Ask what I can do."


def _captions(choice: Choice) -> str:
    if choice.transcriber == "none":
        return "Nobody writes down what you say."
    return f"What you say is written down beside it by {EARS[choice.transcriber]}."
