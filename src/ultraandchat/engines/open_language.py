"""Opens who answers: rules, a chat model, or a model that hears."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import (
    EngineStatus,
    EngineUnavailable,
    Prompt,
    SpeechLanguageModel,
    TextLanguageModel,
    Transcript,
)
from ultraandchat.engines.choice import (
    CHAT_REMEDY,
    NO_BASE_URL,
    NO_SERVER_URL,
    SERVER_REMEDY,
    Choice,
)
from ultraandchat.engines.opening import Live, scripted_status
from ultraandchat.engines.profile import free_memory
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.shares import shares
from ultraandchat.engines.worker import Begun
from ultraandchat.turn.events import TurnId, Utterance


@asynccontextmanager
async def open_language(
    choice: Choice, config: EnginesConfig, begun: Begun
) -> AsyncIterator[Live[SpeechLanguageModel]]:
    """The language model of this choice. `EngineUnavailable` says what is missing."""
    from ultraandchat.engines.cascade import Cascade, SkillsThenChat
    from ultraandchat.engines.skills.responder import Skills

    if choice.language == "scripted":
        from ultraandchat.engines.scripted import ScriptedLanguage

        yield Live(ScriptedLanguage(config.scripted), lambda: (scripted_status("language"),))
        return
    if choice.language == "ultravox":
        from ultraandchat.engines.ultravox.engine import open_ultravox

        room = shares(
            config, choice.language, choice.speech, free_memory(config.ultravox.device)
        ).ultravox
        async with open_ultravox(config.ultravox, config.hub, begun=begun, room=room) as native:
            await _hear_once(native)
            yield Live(native, lambda: (native.status(),), native.transcriber)
        return
    if choice.language == "ultravox-server":
        from ultraandchat.engines.ultravox_server import UltravoxServer

        if not config.ultravox_server.base_url:
            raise EngineUnavailable("ultravox-server", NO_SERVER_URL, SERVER_REMEDY)
        async with UltravoxServer(config.ultravox_server) as ultravox:
            yield Live(ultravox, lambda: (ultravox.status(),))
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


async def _answer_once(model: TextLanguageModel) -> None:
    """Phrases are compiled, and the words of dates loaded, when they are first asked for."""
    for question in ("what time is it", "what is the date", "a sentence that it does not know"):
        async with aclosing(model.answer(question, Conversation())) as parts:
            async for _ in parts:
                pass


async def _hear_once(model: SpeechLanguageModel) -> None:
    """A second of silence is prepared for and answered as a first turn is, up to its first word."""

    async def words() -> Transcript:
        return Transcript("", "typed")

    silence = np.zeros(HEARING_RATE, np.int16)
    said = Utterance(TurnId(0), silence, 0, HEARING_RATE, heard_at=0.0)
    await model.prepare(Conversation())
    async with aclosing(model.respond(Prompt(said, words), Conversation())) as parts:
        async for _ in parts:
            return
