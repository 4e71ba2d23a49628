"""Opens who speaks: Chatterbox, or one of the small voices that need no download."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from typing import Literal

from ultraandchat.dialogue.speakable import speakable
from ultraandchat.engines.base import (
    EngineError,
    EngineStatus,
    EngineUnavailable,
    SpeechSynthesizer,
    Voice,
)
from ultraandchat.engines.choice import Choice, small_voice
from ultraandchat.engines.opening import Live, scripted_status
from ultraandchat.engines.profile import free_memory
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.shares import shares
from ultraandchat.engines.worker import Begun

log = logging.getLogger("ultraandchat.model")


@asynccontextmanager
async def open_speech(
    choice: Choice, config: EnginesConfig, begun: Begun
) -> AsyncIterator[Live[SpeechSynthesizer]]:
    """The voice of this choice. `EngineUnavailable` says what is missing."""
    if choice.speech == "scripted":
        from ultraandchat.engines.scripted import ScriptedSpeech

        tone = ScriptedSpeech(config.scripted)
        _require_voice(tone, config, "scripted")
        yield Live(tone, lambda: (scripted_status("speech"),))
    elif choice.speech == "chatterbox":
        async with _open_chatterbox(choice, config, begun) as chatterbox:
            yield chatterbox
    else:
        async with _open_small(choice.speech, config, begun) as small:
            yield small


@asynccontextmanager
async def _open_chatterbox(
    choice: Choice, config: EnginesConfig, begun: Begun
) -> AsyncIterator[Live[SpeechSynthesizer]]:
    """Where only the profile chose it, a small voice speaks instead of one that cannot."""
    from ultraandchat.engines.chatterbox.engine import open_chatterbox

    free = free_memory(config.ultravox.device)
    room = shares(config, choice.language, choice.speech, free).chatterbox
    async with AsyncExitStack() as stack:
        try:
            speech = await stack.enter_async_context(
                open_chatterbox(config.chatterbox, config.hub, begun, room=room)
            )
            _require_voice(speech, config, "chatterbox")
            await _speak_once(speech, config)
            live: Live[SpeechSynthesizer] = Live(
                speech, lambda: (speech.status(),), phrases=speech.known
            )
        except (EngineUnavailable, EngineError) as error:
            if config.speech != "profile":
                raise
            await stack.aclose()  # its process and its memory are of no use any more
            name = small_voice()
            log.warning("chatterbox: %s; %s speaks instead. %s", error.reason, name, _remedy(error))
            elsewhere = replace(config, voice="")  # the name is one of Chatterbox's
            instead = await stack.enter_async_context(_open_small(name, elsewhere, begun))
            live = _standing_in(instead, name, error)
        yield live


@asynccontextmanager
async def _open_small(
    name: Literal["flite", "espeak"], config: EnginesConfig, begun: Begun
) -> AsyncIterator[Live[SpeechSynthesizer]]:
    if name == "flite":
        from ultraandchat.engines.flite import open_flite as open_it
    else:
        from ultraandchat.engines.espeak import open_espeak as open_it
    async with open_it(begun) as speech:
        _require_voice(speech, config, name)
        await _speak_once(speech, config)
        yield Live(speech, lambda: (speech.status(),))


def _standing_in(
    live: Live[SpeechSynthesizer],
    name: Literal["flite", "espeak"],
    error: EngineUnavailable | EngineError,
) -> Live[SpeechSynthesizer]:
    why, remedy = f"instead of Chatterbox: {error.reason}", _remedy(error)

    def status() -> tuple[EngineStatus, ...]:
        return tuple(
            replace(one, detail=f"{one.detail}, {why}", remedy=one.remedy or remedy)
            for one in live.status()
        )

    return replace(live, status=status, speaks_instead=name)


def _remedy(error: EngineUnavailable | EngineError) -> str:
    return error.remedy if isinstance(error, EngineUnavailable) else ""


async def _speak_once(speech: SpeechSynthesizer, config: EnginesConfig) -> None:
    """A voice makes its tables, and Chatterbox prepares its clip, when it first speaks; its language has tables too."""
    voice = Voice(config.voice)
    speakable("Ready.", speech.manner(voice).language)
    async with aclosing(speech.synthesize("Ready.", voice)) as blocks:
        async for _ in blocks:
            pass


def _require_voice(speech: SpeechSynthesizer, config: EnginesConfig, name: str) -> None:
    if config.voice and config.voice not in speech.voices:
        remedy = f"Set engines.voice to one of {', '.join(speech.voices)}."
        raise EngineUnavailable(name, f"it has no voice {config.voice}", remedy)
