"""The caller's end of a connection: a running server's `/ws`, or a conversation in this process.

A line sends what it is given; whatever comes back goes to the `Caller` by itself, as it arrives.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, Protocol

import aiohttp
import msgspec
import numpy as np

from ultraandchat.audio.frame import AudioFrame, Samples, to_pcm16
from ultraandchat.commands.address import ServerAddress
from ultraandchat.commands.caller import Caller
from ultraandchat.config import Config, ConfigError
from ultraandchat.playout.ticker import Ticker
from ultraandchat.session import Session
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import (
    CODEC_PCM16_16K,
    CODEC_PCM16_24K,
    HEADER,
    KIND_SOUND,
    ClientMessage,
    Closing,
    Codec,
    Hello,
    ServerMessage,
)

CONNECT_S = 10.0
"""A server that has not answered the handshake by then is not there."""

SEND_S = 5.0
"""A server that does not take a frame for this long hangs."""

FAREWELL_S = 3.0
"""For the last messages, and for a conversation to end."""

REFUSED = {
    401: "it asks for its token: give the whole address that it printed, with #token=…",
    403: "it lets nobody in who comes this way; access.token there lets others in",
    429: "too many wrong tokens came from here; try again later",
}
"""What an answer instead of a WebSocket means, by its status."""

MAX_MESSAGE_BYTES = 1 << 20
"""More than any message of the protocol."""


class LineError(Exception):
    """The conversation could not be had; the text is one line that says why."""


class Line(Protocol):
    async def tell(self, message: ClientMessage) -> None: ...

    async def say(self, samples: Samples) -> None:
        """Sound at 16 kHz; the caller keeps the pace."""
        ...


class _SocketLine:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse, caller: Caller, url: str) -> None:
        self._socket = socket
        self._caller = caller
        self._url = url
        self._position = 0

    async def tell(self, message: ClientMessage) -> None:
        await self._send(self._socket.send_str(Codec.encode(message)))

    async def say(self, samples: Samples) -> None:
        header = HEADER.pack(KIND_SOUND, CODEC_PCM16_16K, 0, self._position % (1 << 32))
        self._position += len(samples)
        await self._send(self._socket.send_bytes(header + to_pcm16(samples).tobytes()))

    async def receive(self) -> None:
        """Give the caller what arrives, until the connection ends."""
        loop = asyncio.get_running_loop()
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self._sound(message.data, loop.time())
            elif message.type is aiohttp.WSMsgType.TEXT:
                try:
                    told = Codec.decode_server(message.data)
                except msgspec.MsgspecError:
                    raise LineError(f"{self._url}: this server speaks another protocol") from None
                self._caller.told(told, loop.time())
        if self._caller.closed is None:
            self._caller.told(Closing("lost", "the connection was lost"), loop.time())

    def _sound(self, data: bytes, now: float) -> None:
        if len(data) < HEADER.size or len(data) % 2:
            raise LineError(f"{self._url}: this server speaks another protocol")
        kind, codec, _, position = HEADER.unpack_from(data)
        if (kind, codec) == (KIND_SOUND, CODEC_PCM16_24K):
            pcm = np.frombuffer(data, "<i2", offset=HEADER.size)
            self._caller.heard(position, pcm.astype(np.int16), now)

    async def _send(self, sending: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await sending
        except ConnectionError:
            pass  # `receive` notices too, and knows why
        except TimeoutError:
            raise LineError(f"{self._url}: the server does not take any more sound") from None


@asynccontextmanager
async def dial(address: ServerAddress, caller: Caller, hello: Hello) -> AsyncGenerator[Line, None]:
    """A line to a running server. Raises `LineError`."""
    url, trust = address.ws, address.trust
    async with aiohttp.ClientSession(headers=address.headers) as client:
        try:
            async with asyncio.timeout(CONNECT_S):
                socket = await client.ws_connect(
                    url, compress=0, max_msg_size=MAX_MESSAGE_BYTES, ssl=trust
                )
        except aiohttp.WSServerHandshakeError as error:
            why = REFUSED.get(error.status, f"no conversation is to be had there ({error.status})")
            raise LineError(f"{url}: {why}") from None
        except (aiohttp.ServerFingerprintMismatch, aiohttp.ClientConnectorCertificateError):
            why = (
                "its certificate is not the one expected; --fingerprint takes one of its own making"
            )
            raise LineError(f"{url}: {why}") from None
        except (aiohttp.ClientError, ValueError, OSError) as error:  # a time-out is an OSError
            raise LineError(f"{url}: no server answers there ({error or 'time-out'})") from None
        line = _SocketLine(socket, caller, url)
        async with _failing_alone(), asyncio.TaskGroup() as group:
            receiving = group.create_task(line.receive(), name="converse/receive")
            await line.tell(hello)
            yield line
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await asyncio.shield(receiving)
            receiving.cancel()


class _MemoryLine(MemoryTransport):
    """Both ends here: what the session plays and says goes straight to the caller."""

    def __init__(self, caller: Caller) -> None:
        super().__init__()
        self._caller = caller
        self._clock = asyncio.get_running_loop().time

    def play(self, frame: AudioFrame) -> None:
        self._caller.heard(frame.position, to_pcm16(frame.samples), self._clock())

    def send(self, message: ServerMessage) -> None:
        self._caller.told(message, self._clock())


@asynccontextmanager
async def open_here(config: Config, caller: Caller, hello: Hello) -> AsyncGenerator[Line, None]:
    """Engines and one session in this process. The agent does not greet unless it is told to."""
    from ultraandchat.engines.open import open_engines  # with `dial` no engine is needed

    begun = replace(config.session, greeting=config.session.greeting or "")
    ticker = Ticker()
    async with open_engines(config.engines) as engines:
        session = Session(
            engines,
            ticker,
            name="converse",
            turn=config.turn,
            playout=config.playout,
            config=begun,
            voice=config.engines.voice,
            observe=lambda event: None,
        )
        line = _MemoryLine(caller)
        session.attach(line, hello)
        async with _failing_alone(), asyncio.TaskGroup() as group:
            ticking = group.create_task(ticker.run(), name="ticker")
            talking = group.create_task(session.run(), name="session")
            yield line
            session.stop(CloseReason.PEER_LEFT)
            await asyncio.wait({talking}, timeout=FAREWELL_S)
            talking.cancel()  # an engine that does not let go ends with the process
            ticking.cancel()


@asynccontextmanager
async def _failing_alone() -> AsyncGenerator[None, None]:
    """One task's failure as itself, not as a group of one."""
    try:
        yield
    except BaseExceptionGroup as group:
        known = group.subgroup((LineError, ConfigError))
        if known is None:
            raise
        first: BaseException = known
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
