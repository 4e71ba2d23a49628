"""The real server in this process, on a free port, and a caller on `/ws`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

import aiohttp
import numpy as np

from ultraandchat.audio.frame import AudioFrame, Samples, to_pcm16
from ultraandchat.config import Config
from ultraandchat.engines.base import Engines, EngineStatus
from ultraandchat.engines.scripted import (
    ScriptedLanguage,
    ScriptedSpeech,
    ScriptedTranscriber,
    ScriptedVoiceActivity,
)
from ultraandchat.engines.settings import EnginesConfig, ScriptedSettings
from ultraandchat.server.app import Server
from ultraandchat.server.conversations import SessionFactory
from ultraandchat.session import Session
from ultraandchat.transport.wire import (
    CODEC_PCM16_16K,
    CODEC_PCM16_24K,
    HEADER,
    KIND_SOUND,
    ClientMessage,
    Codec,
    Hello,
    ServerMessage,
    Welcome,
)

PATIENCE_S = 60.0
"""Nothing here takes a second on a free machine; a busy one gets this long."""

READY = tuple(
    EngineStatus(kind, "scripted", "ready", load_s=0.0)
    for kind in ("voice activity", "transcriber", "language", "speech")
)

Opened = Callable[[EnginesConfig], AbstractAsyncContextManager[Engines]]


def scripted(status: tuple[EngineStatus, ...] = READY, about: str = "A tone.") -> Engines:
    settings = ScriptedSettings(first_clause_ms=0, first_sound_ms=0, clauses=1, clause_s=0.4)
    return Engines(
        gate=ScriptedVoiceActivity(),
        hearing=ScriptedVoiceActivity(),
        language=ScriptedLanguage(settings),
        speech=ScriptedSpeech(settings),
        transcriber=ScriptedTranscriber(),
        status=lambda: status,
        about=about,
        greeting="",
    )


@asynccontextmanager
async def scripted_engines(config: EnginesConfig) -> AsyncGenerator[Engines, None]:
    yield scripted()


def quiet_config(*overrides: str) -> Config:
    quiet = ("server.port=0", "logs.directory=", "logs.level=warning", "server.stop_grace_s=2")
    return Config.load(environ={}, overrides=[*quiet, *overrides])


@asynccontextmanager
async def serving(
    *overrides: str,
    open_engines: Opened = scripted_engines,
    make_session: SessionFactory = Session,
    environ: Mapping[str, str] | None = None,
    until: str = "Ready",
) -> AsyncIterator[Server]:
    """A server that has announced a line beginning with `until`; stopped at the end."""
    reached = asyncio.Event()
    server = Server(
        quiet_config(*overrides),
        open_engines=open_engines,
        make_session=make_session,
        announce=lambda line: reached.set() if line.startswith(until) else None,
        environ=environ or {},
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(server.run())
        async with asyncio.timeout(PATIENCE_S):
            await reached.wait()
        yield server
        server.stop()
        async with asyncio.timeout(PATIENCE_S):
            await running


class Phone:
    """A caller on a WebSocket that keeps what it is told and what it hears."""

    rate = 24_000

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.messages: list[ServerMessage] = []
        self.frames: list[AudioFrame] = []
        self._position = 0

    @property
    def sound(self) -> Samples:
        return np.concatenate([f.samples for f in self.frames] or [np.zeros(0, np.float32)])

    async def speaks(self, samples: Samples) -> None:
        """Sound at 16 kHz, in frames of 20 ms, at once."""
        for at in range(0, len(samples), 320):
            piece = to_pcm16(samples[at : at + 320])
            header = HEADER.pack(KIND_SOUND, CODEC_PCM16_16K, 0, self._position)
            await self.socket.send_bytes(header + piece.tobytes())
            self._position += len(piece)

    async def tells(self, message: ClientMessage) -> None:
        await self.socket.send_str(Codec.encode(message))

    async def begins(self) -> Welcome:
        await self.tells(Hello())
        welcome = await self.until(Welcome)
        assert isinstance(welcome, Welcome)
        return welcome

    async def until(self, *kinds: type[ServerMessage]) -> ServerMessage:
        """Read until a message of one of these kinds comes."""
        while True:
            item = await self._next()
            assert item is not None, f"closed ({self.socket.close_code}) before {kinds}"
            if isinstance(item, kinds):
                return item

    async def until_sound(self) -> AudioFrame:
        """Read until a frame comes."""
        while not isinstance(item := await self._next(), AudioFrame):
            assert item is not None
        return item

    async def until_closed(self) -> int | None:
        """Read to the end; the code with which the server closed."""
        while await self._next() is not None:
            pass
        return self.socket.close_code

    async def leaves(self) -> None:
        await self.socket.close()

    async def _next(self) -> ServerMessage | AudioFrame | None:
        async with asyncio.timeout(PATIENCE_S):  # receive's own timeout begins anew at every ping
            got = await self.socket.receive()
        if got.type is aiohttp.WSMsgType.TEXT:
            message = Codec.decode_server(got.data)
            self._told(message)
            return message
        if got.type is aiohttp.WSMsgType.BINARY:
            self.frames.append(self._heard(got.data))
            return self.frames[-1]
        return None

    def _told(self, message: ServerMessage) -> None:
        self.messages.append(message)

    def _heard(self, data: bytes) -> AudioFrame:
        _, codec, _, position = HEADER.unpack_from(data)
        assert codec == CODEC_PCM16_24K
        pcm = np.frombuffer(data, "<i2", offset=HEADER.size)
        return AudioFrame(pcm.astype(np.float32) / 32768, 24_000, position)


P = TypeVar("P", bound=Phone)


@asynccontextmanager
async def phone_of(
    kind: Callable[..., P], url: str, *, path: str = "/ws", **options: object
) -> AsyncIterator[P]:
    """Such a caller, connected to the `/ws` of the server at `url`."""
    hurried = aiohttp.ClientWSTimeout(ws_close=0.1)  # some tests leave while nobody reads
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}{path}", timeout=hurried, **options) as socket,  # type: ignore[arg-type]
    ):
        yield kind(socket)


def phone(url: str, *, path: str = "/ws", **options: object) -> AbstractAsyncContextManager[Phone]:
    return phone_of(Phone, url, path=path, **options)


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something that happens in other tasks is true."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.005)
