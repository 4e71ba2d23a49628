"""`/ws`: who is let in, and the supervision of each conversation from handshake to goodbye."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Protocol

from aiohttp import web

from ultraandchat.config import Config
from ultraandchat.engines.base import Engines
from ultraandchat.events import SessionEvent
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.ticker import Ticker
from ultraandchat.server.access import client_address, is_own_page, networks
from ultraandchat.server.event_lines import log_event
from ultraandchat.server.logs import Mark, conversation, fields
from ultraandchat.server.metrics import ConversationMetrics, Metrics
from ultraandchat.session import SessionConfig
from ultraandchat.transport.base import CloseReason, Transport
from ultraandchat.transport.limits import Limits
from ultraandchat.transport.rtp.opus import Opus
from ultraandchat.transport.webrtc import WebRtcTransport
from ultraandchat.transport.websocket import WebSocketTransport
from ultraandchat.turn.policy import TurnPolicy

LOG = logging.getLogger("ultraandchat.server")

LOADING_RETRY_S = 2.0
"""A caller who comes while the models load is told to try again so soon: demo loads in under 5 s."""

REFUSALS = {
    CloseReason.FULL: "as many conversations as this server bears are open; please try again",
    CloseReason.ENGINES: "the models are still loading; please try again",
    CloseReason.SERVER_STOPPING: "the server is stopping",
}


class RunningSession(Protocol):
    """What is needed of `session.Session`."""

    def attach(self, transport: Transport) -> None: ...
    async def run(self) -> CloseReason: ...
    def stop(self, reason: CloseReason) -> None: ...


class SessionFactory(Protocol):
    """`session.Session` itself, but in tests of this file."""

    def __call__(
        self,
        engines: Engines,
        ticker: Ticker,
        *,
        name: str,
        turn: TurnPolicy,
        playout: PlayoutPolicy,
        config: SessionConfig,
        voice: str,
        observe: Callable[[SessionEvent], None],
    ) -> RunningSession: ...


@dataclass(slots=True)
class _Open:
    session: RunningSession
    task: asyncio.Task[object]
    transport: WebSocketTransport | WebRtcTransport | None = None


class Conversations:
    """The conversations that are open now: admission, supervision, the end of all of them."""

    def __init__(
        self,
        config: Config,
        ticker: Ticker,
        metrics: Metrics,
        make_session: SessionFactory,
        pod: str | None = None,
        opus: Opus | None = None,
    ) -> None:
        """Without `opus` sound goes over WebSockets only."""
        self.engines: Engines | None = None
        """Set once the models are ready; until then callers are told to come back."""
        self.stopping = False
        self._config = config
        self._ticker = ticker
        self._metrics = metrics
        self._make_session = make_session
        self._pod = pod
        self._opus = opus
        self._trusted = networks(config.server.trusted_proxies)
        self._limits = Limits(
            messages_per_s=config.server.messages_per_s,
            sound_speed=config.server.sound_speed,
            idle_timeout_s=config.server.idle_timeout_s,
        )
        self._open: dict[str, _Open] = {}  # bounded by server.max_conversations
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._open)

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """The whole life of one `/ws` connection."""
        origin = request.headers.get("Origin")
        if not is_own_page(origin, request.host, self._pod, self._config.server.port):
            self._metrics.refusals.labels("origin").inc()
            raise web.HTTPForbidden(text="this page belongs to another server\n")
        address = client_address(
            request.remote, request.headers.getall("X-Forwarded-For", []), self._trusted
        )
        engines, refusal = self.engines, self._refusal()
        if refusal or engines is None:
            return await self._refuse(request, refusal or CloseReason.ENGINES, address)
        name = token_hex(4)
        with conversation(name) as mark:
            session = self._session(engines, name, mark)
            task = asyncio.current_task()
            assert task is not None
            call = self._open[name] = _Open(session, task)
            self._empty.clear()
            self._metrics.conversations.set(len(self._open))
            try:
                return await self._converse(request, call, name, address)
            finally:
                del self._open[name]
                self._metrics.conversations.set(len(self._open))
                if not self._open:
                    self._empty.set()

    async def end(self, grace_s: float) -> None:
        """Let nobody in any more, say goodbye to everybody, and wait at most `grace_s` for them."""
        self.stopping = True
        for call in list(self._open.values()):
            call.session.stop(CloseReason.SERVER_STOPPING)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._empty.wait()
        async with asyncio.TaskGroup() as group:
            for name, call in list(self._open.items()):
                LOG.warning("conversation did not end in time", extra=fields(conversation=name))
                group.create_task(self._cut(call))

    async def _cut(self, call: _Open) -> None:
        if call.transport is not None:
            await call.transport.aclose(CloseReason.SERVER_STOPPING)
        call.task.cancel()

    def _refusal(self) -> CloseReason | None:
        if self.stopping:
            return CloseReason.SERVER_STOPPING
        if self.engines is None:
            return CloseReason.ENGINES
        if len(self._open) >= self._config.server.max_conversations:
            return CloseReason.FULL
        return None

    def _session(self, engines: Engines, name: str, mark: Mark) -> RunningSession:
        numbers = ConversationMetrics(self._metrics)

        def observe(event: SessionEvent) -> None:
            numbers.observe(event)
            log_event(mark, event)

        return self._make_session(
            engines,
            self._ticker,
            name=name,
            turn=self._config.turn,
            playout=self._config.playout,
            config=self._config.session,
            voice=self._config.engines.voice,
            observe=observe,
        )

    async def _converse(
        self, request: web.Request, call: _Open, name: str, address: str
    ) -> web.WebSocketResponse:
        control = await WebSocketTransport.accept(
            request,
            self._limits,
            heartbeat_s=self._config.server.heartbeat_s,
            refused=lambda code: self._metrics.messages_refused.labels(code).inc(),
        )
        transport = call.transport = self._with_webrtc(control, name)
        LOG.info("caller connected", extra=fields(address=address))
        reason = CloseReason.FAULT
        try:
            async with asyncio.TaskGroup() as group:
                carrying = group.create_task(transport.run(), name="session/transport")
                call.session.attach(transport)
                reason = await call.session.run()
                await transport.aclose(reason)
                carrying.cancel()
        except asyncio.CancelledError:
            reason = CloseReason.SERVER_STOPPING
            raise
        except Exception:  # an error of ours ends this conversation only; counted and logged
            self._metrics.session_faults.inc()
            LOG.exception("conversation failed")
        finally:
            await transport.aclose(reason)
            why = control.ended[1] if control.ended else reason.value
            LOG.info("caller gone", extra=fields(reason=why))
        return control.peer

    def _with_webrtc(
        self, control: WebSocketTransport, name: str
    ) -> WebSocketTransport | WebRtcTransport:
        if self._opus is None:
            return control
        return WebRtcTransport(
            control,
            self._config.webrtc,
            self._opus,
            host=self._config.server.host,
            session=name,
        )

    async def _refuse(
        self, request: web.Request, reason: CloseReason, address: str
    ) -> web.WebSocketResponse:
        """Open the WebSocket only to say why not, and when to come back."""
        self._metrics.refusals.labels(reason.name.lower()).inc()
        LOG.info("caller refused", extra=fields(address=address, reason=reason.value))
        transport = await WebSocketTransport.accept(
            request, self._limits, heartbeat_s=self._config.server.heartbeat_s
        )
        full = reason is CloseReason.FULL
        retry = self._config.server.retry_after_s if full else LOADING_RETRY_S
        await transport.aclose(
            reason, REFUSALS[reason], None if reason is CloseReason.SERVER_STOPPING else retry
        )
        return transport.peer
