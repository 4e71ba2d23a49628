"""`/ws`: who is let in, and one connection from handshake to goodbye.

A connection waits in the lobby for its hello. That begins a conversation, or goes on with one whose
caller had lost the connection.
"""

import asyncio
import logging
from collections import deque
from secrets import token_hex
from typing import Any, TypeAlias

from aiohttp import web

from ultraandchat.config import Config
from ultraandchat.server.addresses import client_address, networks
from ultraandchat.server.conversations import Conversations
from ultraandchat.server.lobby import Lobby
from ultraandchat.server.logs import Mark, conversation, fields
from ultraandchat.server.metrics import Metrics
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.limits import Limits
from ultraandchat.transport.reach import Reach
from ultraandchat.transport.rtp.opus import Opus
from ultraandchat.transport.voice import Coding
from ultraandchat.transport.webrtc import WebRtcTransport
from ultraandchat.transport.websocket import WebSocketTransport

LOG = logging.getLogger("ultraandchat.server")

LOADING_RETRY_S = 2.0
"""A caller who comes while the models load is told to try again so soon: demo loads in under 5 s."""

REFUSALS = {
    CloseReason.ENGINES: "the models are still loading; please try again",
    CloseReason.SERVER_STOPPING: "the server is stopping",
}

MOST_COUNTED = 1_000
"""Of those that wait for room, so that they take none in memory."""

Line: TypeAlias = WebSocketTransport | WebRtcTransport


class Connections:
    """The connections to `/ws` that are open now."""

    def __init__(
        self,
        config: Config,
        metrics: Metrics,
        conversations: Conversations,
        opus: Opus | None = None,
        reach: Reach | None = None,
    ) -> None:
        """Without `opus` sound goes over WebSockets only, as PCM16; `reach`: the ways WebRTC may take."""
        self._config = config
        self._metrics = metrics
        self._conversations = conversations
        self._opus = opus
        self._coding = (
            Coding(opus, config.webrtc.bitrate, config.webrtc.complexity) if opus else None
        )
        self._reach = reach or Reach()
        self._trusted = networks(config.server.trusted_proxies)
        self._limits = Limits(
            messages_per_s=config.server.messages_per_s,
            sound_speed=config.server.sound_speed,
            idle_timeout_s=config.server.idle_timeout_s,
        )
        self._lobby = Lobby(config.server.max_waiting)
        self._turned_away: deque[float] = deque(maxlen=MOST_COUNTED)
        """When, for want of room; the last came last."""
        self._clock = asyncio.get_running_loop().time
        # One for each conversation, and those in the lobby.
        self._open: dict[Line, asyncio.Task[object]] = {}

    @property
    def codecs(self) -> tuple[str, ...]:
        """What sound may be on a WebSocket, the best first."""
        return ("opus", "pcm16") if self._coding else ("pcm16",)

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """The whole life of one `/ws` connection, which `Access` has let through."""
        address = client_address(
            request.remote, request.headers.getall("X-Forwarded-For", []), self._trusted
        )
        with conversation(token_hex(4)) as mark:
            control = await WebSocketTransport.accept(
                request,
                self._limits,
                heartbeat_s=self._config.server.heartbeat_s,
                refused=lambda code: self._metrics.messages_refused.labels(code).inc(),
                coding=self._coding,
            )
            LOG.info("caller connected", extra=fields(address=address))
            line = self._with_webrtc(control, mark.session)
            task = asyncio.current_task()
            assert task is not None
            self._open[line] = task
            reason = CloseReason.SERVER_STOPPING
            try:
                work = self._carry(line, mark)
                reason = await self._conversations.supervised(work, "connection")
            finally:
                del self._open[line]
                await line.aclose(reason)
                why = control.ended[1] if control.ended else reason.value
                LOG.info("caller gone", extra=fields(reason=why))
        return control.peer

    async def end(self) -> None:
        """Cut those that are left, with a word."""
        async with asyncio.TaskGroup() as group:
            for line, task in list(self._open.items()):
                group.create_task(_cut(line, task))

    async def _carry(self, line: Line, mark: Mark) -> CloseReason:
        """From the handshake to the last message; why it ended."""
        async with asyncio.TaskGroup() as group:
            carrying = group.create_task(line.run(), name="session/transport")
            reason = await self._admit(line, mark)
            await line.aclose(reason)
            carrying.cancel()
        return reason

    async def _admit(self, line: Line, mark: Mark) -> CloseReason:
        """Bring the caller to a conversation, new or not; why the conversation is done with them."""
        if self._conversations.stopping:
            return await self._refuse(line, CloseReason.SERVER_STOPPING)
        hello = await self._lobby.hello(line)
        if isinstance(hello, CloseReason):
            return hello
        call = self._conversations.resume(hello.resume) if hello.resume else None
        found = call or self._conversations.begin(mark)
        if isinstance(found, CloseReason):
            return await self._refuse(line, found)
        mark.session = found.name
        over = found.session.attach(line, hello)
        ends: set[asyncio.Future[Any]] = {over, found.task}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return found.over or (over.result() if over.done() else CloseReason.FAULT)

    async def _refuse(self, line: Line, reason: CloseReason) -> CloseReason:
        """Say why not, and when to come back."""
        self._metrics.refusals.labels(reason.name.lower()).inc()
        LOG.info("caller refused", extra=fields(reason=reason.value))
        full = reason is CloseReason.FULL
        retry = self._config.server.retry_after_s if full else LOADING_RETRY_S
        stopping = reason is CloseReason.SERVER_STOPPING
        text = self._full() if full else REFUSALS[reason]
        await line.aclose(reason, text, None if stopping else retry)
        return reason

    def _full(self) -> str:
        """Who waits is who was turned away since the last of them was told to come back by now."""
        now = self._clock()
        others = sum(now - at < self._config.server.retry_after_s for at in self._turned_away)
        self._turned_away.append(now)
        most = self._config.server.max_conversations
        taken = f"all {most} conversations that this server holds are taken"
        if most == 1:
            taken = "this server holds one conversation at a time, and somebody has it"
        if not others:
            return taken
        return f"{taken}, and {'another one waits' if others == 1 else f'{others} others wait'}"

    def _with_webrtc(self, control: WebSocketTransport, name: str) -> Line:
        if self._opus is None or not self._config.webrtc.enabled:
            return control
        return WebRtcTransport(
            control,
            self._config.webrtc,
            self._opus,
            host=self._config.server.host,
            reach=self._reach,
            session=name,
        )


async def _cut(line: Line, task: asyncio.Task[object]) -> None:
    await line.aclose(CloseReason.SERVER_STOPPING)
    task.cancel()
