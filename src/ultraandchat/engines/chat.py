"""Any language model behind an OpenAI-compatible URL: Ollama, llama.cpp, vLLM, or a paid one.

Whatever goes wrong before the first word becomes an honest sentence, since silence would be the worst
answer; what breaks off later is an `EngineError`. Closing the answer closes the connection, which is
how every such server learns that nobody listens any more.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from yarl import URL

from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import (
    EngineError,
    EngineStatus,
    EngineUnavailable,
    ReplyPart,
)
from ultraandchat.engines.chat_messages import messages
from ultraandchat.engines.chat_patience import Patience
from ultraandchat.engines.chat_stream import (
    AnswerStream,
    ChatFailure,
    error_code,
    not_an_answer,
    without_thoughts,
    words_of,
)
from ultraandchat.engines.settings import ChatSettings

MODEL = logging.getLogger("ultraandchat.model")

LONGEST_ANSWER = 8_000
"""Characters, about nine minutes of speech; the rest is not read."""
LONGEST_STREAM = 8 * 1024 * 1024
"""Bytes of an event stream: 8,000 tokens with all that is sent around each, and room for thoughts."""
LONGEST_WHOLE = 256 * 1024
"""Bytes of an answer that comes in one piece, and of an error's body."""

_EMPTY = "My language model gave an empty answer."
_REFUSED = {
    400: "The server of my language model did not accept the question. The settings may be wrong.",
    401: "The server of my language model refused the key. Whoever runs this has to set a valid one.",
    403: "The server of my language model refused the key. Whoever runs this has to set a valid one.",
    404: "The server of my language model knows no such model or address. "
    "Whoever runs this has to correct the settings.",
    429: "The server of my language model has too much to do, or the quota is used up. "
    "Please try again later.",
}
_SERVER_ERROR = "The server of my language model had an error of its own. Please try again."
_NOT_THERE = "My language model cannot be reached. Its server seems not to be running."
_BROKE_OFF = "My language model's server broke off the answer."


class Chat:
    """A `TextLanguageModel` over HTTP, as an async context manager: one session for all callers."""

    def __init__(self, settings: ChatSettings) -> None:
        self._settings = settings
        self._trouble = ""
        url = URL(settings.base_url.strip()) if _is_url(settings.base_url.strip()) else None
        if url is None:
            remedy = "Set it to something like http://localhost:11434/v1."
            raise EngineUnavailable("chat", "engines.chat.base_url is no http URL", remedy)
        if not (settings.api_key.isascii() and settings.api_key.isprintable()):
            remedy = "Copy the key again, without line breaks."
            raise EngineUnavailable(
                "chat", "engines.chat.api_key has characters no key has", remedy
            )
        self._url = url / "chat/completions"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if self._settings.api_key:
            headers["Authorization"] = f"Bearer {self._settings.api_key}"
        no_timeout = aiohttp.ClientTimeout(
            total=None
        )  # each wait has its own, see `chat_patience.py`
        self._session = aiohttp.ClientSession(headers=headers, timeout=no_timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def status(self) -> EngineStatus:
        """Ready as long as it is configured: whether its server answers is known only by asking."""
        name = self._settings.model or "the model"
        detail = f"{name} at {self._url.host}" + (
            f"; last: {self._trouble}" if self._trouble else ""
        )
        return EngineStatus("language", "chat", "ready", detail)

    async def answer(
        self, words: str, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]:
        """The model's words as they come. Raises `EngineError` where it breaks off after the first."""
        begun = False
        try:
            async with aclosing(self._words(words, conversation)) as pieces:
                async for piece in pieces:
                    begun = True
                    yield piece
        except ChatFailure as failure:
            self._trouble = failure.detail
            MODEL.warning("chat failed", extra={"fields": {"detail": failure.detail}})
            if begun:
                raise EngineError("chat", failure.said) from None
            yield failure.said
            return
        self._trouble = "" if begun else "an empty answer"
        if not begun:
            yield _EMPTY

    async def _words(self, words: str, conversation: Conversation) -> AsyncGenerator[str, None]:
        patience = Patience(self._settings)
        response = await self._post(words, conversation, patience)
        try:
            if response.status != 200:
                raise await _refusal(response, patience)
            if response.content_type == "text/html":
                raise not_an_answer("a page of HTML")
            if response.content_type == "application/json":  # it does not know "stream"
                answer = without_thoughts(words_of(await _whole(response, patience)))
                if answer:
                    yield answer[:LONGEST_ANSWER]
                return
            async with aclosing(_pieces(response, patience)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            response.close()

    async def _post(
        self, words: str, conversation: Conversation, patience: Patience
    ) -> aiohttp.ClientResponse:
        settings = self._settings
        body = {
            "model": settings.model,
            "messages": messages(
                settings.system_prompt, words, conversation, settings.history_exchanges
            ),
            "stream": True,
            "temperature": settings.temperature,
            "max_tokens": settings.max_tokens,
        }
        try:
            async with patience:
                try:
                    return await self._send(msgspec.json.encode(body))
                except aiohttp.ServerDisconnectedError:
                    # Most likely a kept connection that the server had closed meanwhile.
                    return await self._send(msgspec.json.encode(body))
        except aiohttp.ClientConnectorError as error:
            raise ChatFailure(_NOT_THERE, f"no connection ({type(error).__name__})") from None
        except aiohttp.ClientError as error:
            raise ChatFailure(_BROKE_OFF, f"no response ({type(error).__name__})") from None

    async def _send(self, body: bytes) -> aiohttp.ClientResponse:
        assert self._session is not None, "Chat is used inside its `async with`"
        return await self._session.post(
            self._url,
            data=body,
            headers={"Content-Type": "application/json"},
            allow_redirects=False,  # the key is for this server only
        )


async def _pieces(
    response: aiohttp.ClientResponse, patience: Patience
) -> AsyncGenerator[str, None]:
    """The words of an event stream, no more of them than an answer may have."""
    stream, room, unread = AnswerStream(), LONGEST_ANSWER, LONGEST_STREAM
    while not stream.finished:
        data = await _read(response, patience)
        unread -= len(data)
        if unread < 0:
            raise not_an_answer("a stream without end")
        for piece in stream.feed(data) if data else stream.end():
            yield piece[:room]
            room -= len(piece)
            if room <= 0:
                return
        patience.answered = stream.begun
        if not data:
            return
    for piece in stream.end():
        yield piece[:room]


async def _whole(response: aiohttp.ClientResponse, patience: Patience) -> bytes:
    """The body of an answer that comes in one piece. Raises `ChatFailure` where it is too large."""
    body = b""
    while data := await _read(response, patience):
        body += data
        if len(body) > LONGEST_WHOLE:
            raise not_an_answer("a body without end")
    return body


async def _read(response: aiohttp.ClientResponse, patience: Patience) -> bytes:
    """Some bytes; none at the end. aiohttp holds at most 128 KiB and then lets the server wait."""
    try:
        async with patience:
            return await response.content.readany()
    except aiohttp.ClientError as error:
        raise ChatFailure(_BROKE_OFF, f"connection lost ({type(error).__name__})") from None


async def _refusal(response: aiohttp.ClientResponse, patience: Patience) -> ChatFailure:
    """Whose fault a status other than 200 is."""
    status = response.status
    said = _SERVER_ERROR if status >= 500 else _REFUSED.get(status, _REFUSED[400])
    if 200 <= status < 400:
        said = _REFUSED[404]
    try:
        body = msgspec.json.decode(await _whole(response, patience))
    except (ChatFailure, msgspec.DecodeError, UnicodeError):
        body = None
    code = error_code(body.get("error")) if isinstance(body, dict) else "no code"
    return ChatFailure(said, f"HTTP {status} ({code})")


def _is_url(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host)
