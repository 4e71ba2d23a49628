"""One OpenAI-compatible server: its requests, its answers as they stream, and its failures in plain words.

`chat.py` asks it with words, `ultravox_server.py` with sound. Whatever goes wrong before the first word
becomes an honest sentence, since silence would be the worst answer; what breaks off later is an
`EngineError`. Closing the answer closes the connection, which is how every such server learns that
nobody listens any more.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
import msgspec
from yarl import URL

from ultraandchat.engines.base import EngineError, EngineStatus, EngineUnavailable, ReplyPart
from ultraandchat.engines.chat_patience import Patience, Timeouts
from ultraandchat.engines.chat_refusals import refusal
from ultraandchat.engines.chat_stream import (
    AnswerStream,
    ChatFailure,
    not_an_answer,
    without_thoughts,
    words_of,
)

MODEL = logging.getLogger("ultraandchat.model")

LONGEST_ANSWER = 8_000
"""Characters, about nine minutes of speech; the rest is not read."""
LONGEST_STREAM = 8 * 1024 * 1024
"""Bytes of an event stream: 8,000 tokens with all that is sent around each, and room for thoughts."""
LONGEST_WHOLE = 256 * 1024
"""Bytes of an answer that comes in one piece, and of an error's body."""
SENT_AT_ONCE = 64 * 1024
"""Bytes of a request written before the loop may do something else: sound makes requests of megabytes."""

_EMPTY = "My language model gave an empty answer."
_NOT_THERE = "My language model cannot be reached. Its server seems not to be running."
_BROKE_OFF = "My language model's server broke off the answer."


class ServerSettings(Timeouts, Protocol):
    """What the settings of every such server have."""

    @property
    def base_url(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def api_key(self) -> str: ...


class ChatConnection:
    """A server, as an async context manager: one HTTP session for all callers."""

    def __init__(self, engine: str, settings: ServerSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._trouble = ""
        url = URL(settings.base_url.strip()) if _is_url(settings.base_url.strip()) else None
        section = f"engines.{engine.replace('-', '_')}"
        if url is None:
            remedy = "Set it to something like http://localhost:11434/v1."
            raise EngineUnavailable(engine, f"{section}.base_url is no http URL", remedy)
        if not (settings.api_key.isascii() and settings.api_key.isprintable()):
            remedy = "Copy the key again, without line breaks."
            raise EngineUnavailable(engine, f"{section}.api_key has characters no key has", remedy)
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
        return EngineStatus("language", self._engine, "ready", detail)

    async def told(self, words: AsyncGenerator[str, None]) -> AsyncGenerator[ReplyPart, None]:
        """`words` for the listener: where nothing came of them, the sentence that says why.

        Raises `EngineError` where it breaks off after the first.
        """
        begun = False
        try:
            async with aclosing(words) as pieces:
                async for piece in pieces:
                    begun = True
                    yield piece
        except ChatFailure as failure:
            self._trouble = failure.detail
            fields = {"detail": failure.detail}
            MODEL.warning("%s failed", self._engine, extra={"fields": fields})
            if begun:
                raise EngineError(self._engine, failure.said) from None
            yield failure.said
            return
        self._trouble = "" if begun else "an empty answer"
        if not begun:
            yield _EMPTY

    async def words(
        self, question: dict[str, Any], patience: Patience
    ) -> AsyncGenerator[str, None]:
        """The model's words as they come; `question` is what is asked beside its name. Raises `ChatFailure`."""
        response = await self._post(question, patience)
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

    async def _post(self, question: dict[str, Any], patience: Patience) -> aiohttp.ClientResponse:
        asked = {"model": self._settings.model, "stream": True, **question}
        body = msgspec.json.encode(asked)
        try:
            async with patience:
                try:
                    return await self._send(body)
                except aiohttp.ServerDisconnectedError:
                    # Most likely a kept connection that the server had closed meanwhile.
                    return await self._send(body)
        except aiohttp.ClientConnectorError as error:
            raise ChatFailure(_NOT_THERE, f"no connection ({type(error).__name__})") from None
        except aiohttp.ClientError as error:
            raise ChatFailure(_BROKE_OFF, f"no response ({type(error).__name__})") from None

    async def _send(self, body: bytes) -> aiohttp.ClientResponse:
        assert self._session is not None, "a server is asked inside its `async with`"
        return await self._session.post(
            self._url,
            data=_in_pieces(body),
            headers={"Content-Type": "application/json", "Content-Length": str(len(body))},
            allow_redirects=False,  # the key is for this server only
        )


async def _in_pieces(body: bytes) -> AsyncIterator[bytes]:
    view = memoryview(body)
    for start in range(0, len(body), SENT_AT_ONCE):
        yield bytes(view[start : start + SENT_AT_ONCE])


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
    try:
        body = await _whole(response, patience)
    except ChatFailure:
        body = b""
    return refusal(response.status, body)


def _is_url(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host)
