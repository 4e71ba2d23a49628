"""Opens the engines that the configuration names: the one place that knows concrete ones, and only
when they are asked for. They load side by side, and each has run once before anybody waits for it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import (
    EngineError,
    Engines,
    EngineStatus,
    EngineUnavailable,
    SpeechLanguageModel,
    SpeechSynthesizer,
    TextLanguageModel,
    Transcriber,
    Voice,
    VoiceActivityModel,
)
from ultraandchat.engines.choice import (
    CHAT_REMEDY,
    NO_BASE_URL,
    Choice,
    Finding,
    about,
    chosen,
    greeting,
    survey,
)
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.worker import one_error
from ultraandchat.turn.events import TurnId, Utterance

__all__ = ["Finding", "open_engines", "survey"]

T = TypeVar("T")

LOAD_TIMEOUT_S = 60.0
"""All of it takes 2 s; a machine that needs longer than this cannot hold a conversation."""


@dataclass(frozen=True, slots=True)
class Live(Generic[T]):
    """An engine that is open, and how it is."""

    engine: T
    status: Callable[[], tuple[EngineStatus, ...]]


@asynccontextmanager
async def open_engines(config: EnginesConfig) -> AsyncIterator[Engines]:
    """Everything loaded and warm; closed with the block. `EngineUnavailable` names what is missing."""
    choice = chosen(config)
    with one_error():
        async with asyncio.TaskGroup() as group:
            holder = _Holder(group)
            try:
                async with asyncio.timeout(LOAD_TIMEOUT_S) as limit:
                    engines = await _load(holder, choice, config)
                yield engines
            except TimeoutError:
                if not limit.expired():
                    raise
                reason = f"they did not load within {LOAD_TIMEOUT_S:.0f} s"
                raise EngineUnavailable("engines", reason, "Look into the logs.") from None
            finally:
                holder.release()


async def _load(holder: "_Holder", choice: Choice, config: EnginesConfig) -> Engines:
    hearing_opens = holder.open(_open_hearing())
    transcriber_opens = holder.open(_open_transcriber(choice, config))
    language_opens = holder.open(_open_language(choice, config))
    speech_opens = holder.open(_open_speech(choice, config))
    hearing = _opened(await hearing_opens)
    transcriber = _opened(await transcriber_opens)
    language = _opened(await language_opens)
    speech = _opened(await speech_opens)

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
    )


class _Holder:
    """Opens engines side by side, each in a task of its own that holds it until the end."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._end = asyncio.Event()

    def open(
        self, opening: AbstractAsyncContextManager[Live[T]]
    ) -> asyncio.Future[Live[T] | EngineUnavailable]:
        """Done when it is open, or when it is clear that it cannot be."""
        outcome: asyncio.Future[Live[T] | EngineUnavailable] = (
            asyncio.get_running_loop().create_future()
        )
        self._group.create_task(self._hold(opening, outcome), name="engine")
        return outcome

    def release(self) -> None:
        """Close them all."""
        self._end.set()

    async def _hold(
        self,
        opening: AbstractAsyncContextManager[Live[T]],
        outcome: asyncio.Future[Live[T] | EngineUnavailable],
    ) -> None:
        try:
            async with opening as live:
                outcome.set_result(live)
                await self._end.wait()
        except (EngineUnavailable, EngineError) as error:
            if outcome.done():
                raise
            if isinstance(error, EngineError):
                error = EngineUnavailable(error.engine, error.reason, "Its log says more.")
            outcome.set_result(error)


def _opened(outcome: Live[T] | EngineUnavailable) -> Live[T]:
    if isinstance(outcome, EngineUnavailable):
        raise outcome
    return outcome


@asynccontextmanager
async def _open_hearing() -> AsyncIterator[Live[VoiceActivityModel]]:
    from ultraandchat.engines.silero import Silero

    clock = asyncio.get_running_loop().time
    begun = clock()
    silero = Silero()
    status = EngineStatus(
        "voice activity",
        "silero",
        "ready",
        "with WebRTC's detector to agree where speech begins",
        load_s=clock() - begun,
    )
    yield Live(silero, lambda: (status,))


@asynccontextmanager
async def _open_transcriber(
    choice: Choice, config: EnginesConfig
) -> AsyncIterator[Live[Transcriber | None]]:
    if choice.transcriber == "none":
        yield Live(None, lambda: ())
    elif choice.transcriber == "scripted":
        from ultraandchat.engines.scripted import ScriptedTranscriber

        yield Live(ScriptedTranscriber(), lambda: (_scripted_status("transcriber"),))
    else:
        from ultraandchat.engines.skills.grammar import grammar, is_complete
        from ultraandchat.engines.sphinx import open_sphinx

        async with open_sphinx(config.sphinx, grammar(), is_complete) as sphinx:
            await _listen_once(sphinx)
            yield Live(sphinx, sphinx.statuses)


@asynccontextmanager
async def _open_language(
    choice: Choice, config: EnginesConfig
) -> AsyncIterator[Live[SpeechLanguageModel]]:
    from ultraandchat.engines.cascade import Cascade, SkillsThenChat
    from ultraandchat.engines.skills.responder import Skills

    if choice.language == "scripted":
        from ultraandchat.engines.scripted import ScriptedLanguage

        yield Live(ScriptedLanguage(config.scripted), lambda: (_scripted_status("language"),))
        return
    skills = Skills()
    rules = EngineStatus("language", "skills", "ready", "rules, not a language model")
    if choice.language == "skills":
        await _answer_once(skills)
    if not config.chat.base_url:
        if choice.language == "chat":
            raise EngineUnavailable("chat", NO_BASE_URL, CHAT_REMEDY)
        yield Live(Cascade(skills), lambda: (rules,))
        return
    from ultraandchat.engines.chat import Chat

    async with Chat(config.chat) as chat:
        if choice.language == "chat":
            yield Live(Cascade(chat), lambda: (chat.status(),))
        else:
            yield Live(Cascade(SkillsThenChat(skills, chat)), lambda: (rules, chat.status()))


@asynccontextmanager
async def _open_speech(
    choice: Choice, config: EnginesConfig
) -> AsyncIterator[Live[SpeechSynthesizer]]:
    if choice.speech == "scripted":
        from ultraandchat.engines.scripted import ScriptedSpeech

        tone = ScriptedSpeech(config.scripted)
        _require_voice(tone, config, "scripted")
        yield Live(tone, lambda: (_scripted_status("speech"),))
        return
    if choice.speech == "flite":
        from ultraandchat.engines.flite import open_flite as open_speech
    else:
        from ultraandchat.engines.espeak import open_espeak as open_speech
    async with open_speech() as speech:
        _require_voice(speech, config, choice.speech)
        async with aclosing(speech.synthesize("Ready.", Voice(config.voice))) as blocks:
            async for _ in blocks:
                pass
        yield Live(speech, lambda: (speech.status(),))


def _require_voice(speech: SpeechSynthesizer, config: EnginesConfig, name: str) -> None:
    if config.voice and config.voice not in speech.voices:
        remedy = f"Set engines.voice to one of {', '.join(speech.voices)}."
        raise EngineUnavailable(name, f"it has no voice {config.voice}", remedy)


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


async def _answer_once(model: TextLanguageModel) -> None:
    """Phrases are compiled, and the words of dates loaded, when they are first asked for."""
    for question in ("what time is it", "what is the date", "a sentence that it does not know"):
        async with aclosing(model.answer(question, Conversation())) as parts:
            async for _ in parts:
                pass


def _scripted_status(kind: str) -> EngineStatus:
    return EngineStatus(kind, "scripted", "ready", "no model, for tests and benchmarks", load_s=0.0)
