"""Any language model behind an OpenAI-compatible URL: Ollama, llama.cpp, vLLM, or a paid one."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Self

from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import EngineStatus, ReplyPart
from ultraandchat.engines.chat_connection import ChatConnection
from ultraandchat.engines.chat_messages import messages
from ultraandchat.engines.chat_patience import Patience
from ultraandchat.engines.settings import ChatSettings


class Chat:
    """A `TextLanguageModel` over HTTP, as an async context manager."""

    def __init__(self, settings: ChatSettings) -> None:
        self._settings = settings
        self._server = ChatConnection("chat", settings)

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

    async def answer(
        self, words: str, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]:
        """The model's words as they come. Raises `EngineError` where it breaks off after the first."""
        settings = self._settings
        question = {
            "messages": messages(
                settings.system_prompt, words, conversation, settings.history_exchanges
            ),
            "temperature": settings.temperature,
            "max_tokens": settings.max_tokens,
        }
        pieces = self._server.words(question, Patience(settings))
        async with aclosing(self._server.told(pieces)) as parts:
            async for part in parts:
                yield part
