"""Ultravox behind an OpenAI-compatible server (vLLM): sound goes out as content parts, words come back.

For many callers: the server batches them, and keeps the prefix of each conversation in its cache, which
`prepare` fills while the user still speaks. Earlier utterances are sent as sound again, since the server
keeps no conversation; those that the history has let go of are sent as their words.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

from ultraandchat.dialogue.history import Conversation, Exchange
from ultraandchat.engines.base import EngineStatus, Prompt, ReplyPart
from ultraandchat.engines.chat_connection import ChatConnection
from ultraandchat.engines.chat_messages import Content, Message, messages, newest
from ultraandchat.engines.chat_patience import Patience
from ultraandchat.engines.chat_stream import ChatFailure
from ultraandchat.engines.settings import UltravoxServerSettings
from ultraandchat.engines.sound_parts import SoundParts
from ultraandchat.turn.events import UserTurn, Utterance

log = logging.getLogger("ultraandchat.model")

TOO_MUCH = (400, 413)
"""Refusals that less sound may mend: too many utterances for the server, too long for the model's
window, or too large for a proxy. The question is asked once more, with the words of earlier utterances."""


class UltravoxServer:
    """A `SpeechLanguageModel` over HTTP, as an async context manager."""

    def __init__(self, settings: UltravoxServerSettings) -> None:
        self._settings = settings
        self._server = ChatConnection("ultravox-server", settings)
        self._sounds = SoundParts()

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.__aexit__(kind, error, traceback)

    def status(self) -> EngineStatus:
        """As `/health` shows it."""
        return self._server.status()

    async def respond(
        self, prompt: Prompt, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]:
        """The model's words as they come. Raises `EngineError` where it breaks off after the first."""
        pieces = self._words(prompt.said, conversation)
        async with aclosing(self._server.told(pieces)) as parts:
            async for part in parts:
                yield part

    async def prepare(self, conversation: Conversation) -> None:
        """Have the server read the history while the user speaks: its prefix cache then holds it.

        A question for one token, which nobody reads. That it fails is nobody's concern: the question
        itself will, and says so.
        """
        if not conversation.exchanges:
            return
        try:
            question = await self._question(None, conversation, self._earlier_sounds(conversation))
            question["max_tokens"] = 1
            async with aclosing(self._server.words(question, Patience(self._settings))) as words:
                async for _ in words:
                    pass
        except ChatFailure as failure:
            log.debug("ultravox-server: nothing prepared: %s", failure.detail)

    async def _words(self, said: UserTurn, conversation: Conversation) -> AsyncGenerator[str, None]:
        """Asked with the sound of earlier utterances, and without where that is too much."""
        patience, earlier = Patience(self._settings), self._earlier_sounds(conversation)
        begun = False
        try:
            question = await self._question(said, conversation, earlier)
            async with aclosing(self._server.words(question, patience)) as words:
                async for piece in words:
                    begun = True
                    yield piece
            return
        except ChatFailure as failure:
            if begun or not earlier or failure.refused not in TOO_MUCH:
                raise
            log.info("ultravox-server: asked again without earlier sound: %s", failure.detail)
        question = await self._question(said, conversation, set())
        async with aclosing(self._server.words(question, patience)) as words:
            async for piece in words:
                yield piece

    def _earlier_sounds(self, conversation: Conversation) -> set[Utterance]:
        """The utterances of the history that are sent as sound; one more is left for the question."""
        recent = newest(conversation.exchanges, self._settings.history_exchanges)
        sounds = [e.said for e in recent if isinstance(e.said, Utterance)]
        return set(newest(sounds, self._settings.max_sounds - 1))

    async def _question(
        self, said: UserTurn | None, conversation: Conversation, as_sound: set[Utterance]
    ) -> dict[str, Any]:
        settings = self._settings
        asked = as_sound | {said} if isinstance(said, Utterance) else as_sound
        parts = {utterance: await self._sounds.part(utterance) for utterance in asked}

        def earlier(exchange: Exchange) -> Content:
            return [parts[exchange.said]] if exchange.said in as_sound else exchange.words

        content: Content | None = None
        if said is not None:
            content = [parts[said]] if isinstance(said, Utterance) else said.text
        told = messages(
            settings.system_prompt, content, conversation, settings.history_exchanges, earlier
        )
        return {
            "messages": [_disarmed(message) for message in told],
            "temperature": settings.temperature,
            "max_tokens": settings.max_tokens,
        }


def _disarmed(message: Message) -> Message:
    """Nothing written in it can be a token with a meaning: `<|audio|>` would be taken for the place of
    a sound, `<|eot_id|>` for the end of a turn."""
    content = message["content"]
    if isinstance(content, str):
        return {**message, "content": _broken_up(content)}
    parts = [
        {**part, "text": _broken_up(part["text"])} if isinstance(part, dict) else part
        for part in content
    ]
    return {**message, "content": parts}


def _broken_up(text: str) -> str:
    return text.replace("<|", "< |")
