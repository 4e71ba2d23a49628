"""The conversations that are open now: admission, supervision, the end of all of them.

A conversation outlives its connections (`connect.py`): it is a task of its own, and whoever holds its
newest resume token goes on with it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from ultraandchat.config import Config
from ultraandchat.engines.base import Engines
from ultraandchat.events import SessionEvent
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.ticker import Ticker
from ultraandchat.server.event_lines import log_event
from ultraandchat.server.logs import Mark, fields
from ultraandchat.server.metrics import ConversationMetrics, Metrics
from ultraandchat.server.resume import ConversationPass, Passes, Refused
from ultraandchat.session import SessionConfig
from ultraandchat.transport.base import CloseReason, Transport
from ultraandchat.transport.wire import Hello
from ultraandchat.turn.policy import TurnPolicy

LOG = logging.getLogger("ultraandchat.server")


class RunningSession(Protocol):
    """What is needed of `session.Session`."""

    left_at: float | None

    def attach(self, transport: Transport, hello: Hello) -> asyncio.Future[CloseReason]: ...
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
        resume: ConversationPass,
        observe: Callable[[SessionEvent], None],
    ) -> RunningSession: ...


@dataclass(slots=True)
class Open:
    """One conversation."""

    name: str
    session: RunningSession
    task: asyncio.Task[None]
    over: CloseReason | None = None
    """Why it ended, once it has."""


class Conversations:
    """Bounded by `server.max_conversations`. `run` must run beside the site."""

    def __init__(
        self, config: Config, ticker: Ticker, metrics: Metrics, make_session: SessionFactory
    ) -> None:
        self.engines: Engines | None = None
        """Set once the models are ready; until then callers are told to come back."""
        self.stopping = False
        self._config = config
        self._ticker = ticker
        self._metrics = metrics
        self._make_session = make_session
        self._passes = Passes(asyncio.get_running_loop().time)
        self._open: dict[str, Open] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._tasks: asyncio.TaskGroup | None = None

    def __len__(self) -> int:
        return len(self._open)

    async def run(self) -> None:
        """Hold the conversations until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            await asyncio.Event().wait()

    def begin(self, mark: Mark) -> Open | CloseReason:
        """A new conversation, named as `mark` says; or why there is none to be had."""
        refusal = self._refusal()
        if refusal is not None:
            return refusal
        assert self.engines is not None
        assert self._tasks is not None
        name = mark.session
        session = self._session(self.engines, name, mark)
        task = self._tasks.create_task(self._live(name, session), name=f"conversation {name}")
        call = self._open[name] = Open(name, session, task)
        self._empty.clear()
        self._metrics.conversations.set(len(self._open))
        return call

    def resume(self, token: str) -> Open | None:
        """The conversation that the token is for, if it is good."""
        session = self._passes.redeem(token)
        if isinstance(session, Refused):
            self._metrics.resumptions.labels(session.value).inc()
            LOG.info("resume token refused", extra=fields(reason=session.value))
            return None
        self._metrics.resumptions.labels("resumed").inc()
        return self._open[session]

    async def end(self, grace_s: float) -> None:
        """Begin none any more, say goodbye to everybody, and wait at most `grace_s` for them."""
        self.stopping = True
        for call in list(self._open.values()):
            call.session.stop(CloseReason.SERVER_STOPPING)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._empty.wait()
        for call in list(self._open.values()):
            LOG.warning("conversation did not end in time", extra=fields(conversation=call.name))
            call.task.cancel()

    async def supervised(self, work: Awaitable[CloseReason], what: str) -> CloseReason:
        """Why it ended. An error of ours ends this one thing only."""
        try:
            return await work
        except Exception:  # counted and logged; everybody else goes on
            self._metrics.session_faults.inc()
            LOG.exception("%s failed", what)
            return CloseReason.FAULT

    def _refusal(self) -> CloseReason | None:
        if self.stopping:
            return CloseReason.SERVER_STOPPING
        if self.engines is None:
            return CloseReason.ENGINES
        if len(self._open) >= self._config.server.max_conversations and not self._make_room():
            return CloseReason.FULL
        return None

    def _make_room(self) -> bool:
        """Who is here comes before who left: end the conversation that was left first, if one was."""
        left = [call for call in self._open.values() if call.session.left_at is not None]
        if not left:
            return False
        first = min(left, key=lambda call: call.session.left_at or 0.0)
        first.session.stop(CloseReason.PEER_LEFT)
        self._close(first)
        return True

    async def _live(self, name: str, session: RunningSession) -> None:
        call = self._open[name]
        try:
            call.over = await self.supervised(session.run(), "conversation")
        finally:
            self._close(call)

    def _close(self, call: Open) -> None:
        if self._open.get(call.name) is call:
            del self._open[call.name]
            self._passes.close(call.name)
        self._metrics.conversations.set(len(self._open))
        if not self._open:
            self._empty.set()

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
            resume=self._passes.open(name),
            observe=observe,
        )
