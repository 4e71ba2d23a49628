"""Opens the engines that the configuration names: the one place that knows concrete ones, and only
when they are asked for. They load side by side, and each has run once before anybody waits for it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE
from ultraandchat.engines.about import about, greeting
from ultraandchat.engines.base import (
    EngineError,
    Engines,
    EngineStatus,
    EngineUnavailable,
    SpeechLanguageModel,
    Transcriber,
    VoiceActivityModel,
)
from ultraandchat.engines.choice import (
    OWN_WORDS,
    OWN_WORDS_REMEDY,
    Choice,
    Finding,
    chosen,
    has,
    survey,
)
from ultraandchat.engines.open_language import open_language
from ultraandchat.engines.open_speech import open_speech
from ultraandchat.engines.opening import Live, Opening, Watch, scripted_status
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.worker import Begun, one_error
from ultraandchat.turn.events import TurnId, Utterance

__all__ = ["Finding", "open_engines", "survey"]

log = logging.getLogger("ultraandchat.model")


@asynccontextmanager
async def open_engines(
    config: EnginesConfig, watch: Watch = lambda kind, status: None
) -> AsyncIterator[Engines]:
    """Everything loaded and warm; closed with the block. `EngineUnavailable` names what is missing."""
    choice = chosen(config)
    with one_error():
        async with asyncio.TaskGroup() as group:
            opening = Opening(group, watch)
            try:
                yield await _load(opening, choice, config)
            finally:
                opening.release()


async def _load(opening: Opening, choice: Choice, config: EnginesConfig) -> Engines:
    hearing_opens = opening.open("voice activity", "silero", _open_hearing)
    transcriber_opens = opening.open(
        "transcriber", choice.transcriber, partial(_open_transcriber, choice, config)
    )
    language_opens = opening.open(
        "language", choice.language, partial(open_language, choice, config)
    )
    speech_opens = opening.open("speech", choice.speech, partial(open_speech, choice, config))
    await opening.all_open()
    hearing, transcriber = hearing_opens.result(), transcriber_opens.result()
    language, speech = language_opens.result(), speech_opens.result()
    if choice.transcriber == "ultravox":
        transcriber = _own_words(language)
    if transcriber.stands_in:
        choice = replace(choice, transcriber=transcriber.stands_in)
    if speech.speaks_instead:
        choice = replace(choice, speech=speech.speaks_instead)

    from ultraandchat.engines.webrtc_vad import WebRtcVad

    return Engines(
        gate=WebRtcVad(),
        hearing=hearing.engine,
        language=language.engine,
        speech=speech.engine,
        transcriber=transcriber.engine,
        status=lambda: (
            *hearing.status(),
            *transcriber.status(),
            *language.status(),
            *speech.status(),
        ),
        about=about(choice, config),
        greeting=greeting(choice, config),
        phrases=speech.phrases,
    )


def _own_words(language: Live[SpeechLanguageModel]) -> Live[Transcriber | None]:
    """The language model as its own transcriber; its process is the same."""
    if language.transcriber is None:
        raise EngineUnavailable("ultravox", OWN_WORDS, OWN_WORDS_REMEDY)

    def status() -> tuple[EngineStatus, ...]:
        return tuple(
            EngineStatus("transcriber", one.name, one.state, "by a second question")
            for one in language.status()
        )

    return Live(language.transcriber(), status)


@asynccontextmanager
async def _open_hearing(begun: Begun) -> AsyncIterator[Live[VoiceActivityModel]]:
    from ultraandchat.engines.silero import Silero

    clock = asyncio.get_running_loop().time
    since = clock()
    silero = Silero()
    status = EngineStatus(
        "voice activity",
        "silero",
        "ready",
        "with WebRTC's detector to agree where speech begins",
        load_s=clock() - since,
    )
    yield Live(silero, lambda: (status,))


@asynccontextmanager
async def _open_transcriber(
    choice: Choice, config: EnginesConfig, begun: Begun
) -> AsyncIterator[Live[Transcriber | None]]:
    if choice.transcriber in ("none", "ultravox"):  # the latter is the language model itself
        yield Live(None, lambda: ())
    elif choice.transcriber == "scripted":
        from ultraandchat.engines.scripted import ScriptedTranscriber

        yield Live(ScriptedTranscriber(), lambda: (scripted_status("transcriber"),))
    elif choice.transcriber == "whisper":
        async with _open_whisper(config, begun) as whisper:
            yield whisper
    else:
        async with _open_sphinx(config, begun) as sphinx:
            yield sphinx


@asynccontextmanager
async def _open_whisper(
    config: EnginesConfig, begun: Begun
) -> AsyncIterator[Live[Transcriber | None]]:
    """Captions are no reason not to start: where only the profile chose it, the small recogniser stands in."""
    from ultraandchat.engines.whisper import open_whisper

    async with AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(
                open_whisper(config.whisper, config.hub, begun)
            )
            live: Live[Transcriber | None] = Live(opened, lambda: (opened.status(),))
        except (EngineUnavailable, EngineError) as error:
            if config.transcriber != "profile" or not has("pocketsphinx"):
                raise
            log.warning("whisper: %s; the small recogniser writes captions instead", error.reason)
            instead = await stack.enter_async_context(_open_sphinx(config, begun))
            live = _standing_in(instead, f"instead of Whisper: {error.reason}")
        yield live


@asynccontextmanager
async def _open_sphinx(
    config: EnginesConfig, begun: Begun
) -> AsyncIterator[Live[Transcriber | None]]:
    from ultraandchat.engines.skills.grammar import grammar, is_complete
    from ultraandchat.engines.sphinx import open_sphinx

    async with open_sphinx(config.sphinx, grammar(), is_complete, begun) as sphinx:
        await _listen_once(sphinx)
        yield Live(sphinx, sphinx.statuses)


def _standing_in(live: Live[Transcriber | None], why: str) -> Live[Transcriber | None]:
    def status() -> tuple[EngineStatus, ...]:
        return tuple(replace(one, detail=f"{one.detail}, {why}") for one in live.status())

    return replace(live, status=status, stands_in="sphinx")


async def _listen_once(transcriber: Transcriber) -> None:
    """A second of silence: the first utterance ever makes a recogniser load its tables."""
    silence = np.zeros(HEARING_RATE, np.float32)
    ear = transcriber.open(lambda words: None)
    try:
        ear.begin()
        ear.feed(silence)
        ear.hurry()
        await ear.transcribe(
            Utterance(TurnId(0), silence.astype(np.int16), 0, HEARING_RATE, heard_at=0.0)
        )
    finally:
        await ear.aclose()
