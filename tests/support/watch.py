"""A conversation in real time, watched: a session on a memory transport, its events, and waiting for one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ultraandchat.audio.frame import Samples
from ultraandchat.engines.base import Engines
from ultraandchat.events import SessionEvent
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.ticker import Ticker
from ultraandchat.session import Session, SessionConfig
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import Hello
from ultraandchat.turn.policy import TurnPolicy

PATIENCE_S = 60.0
FRAME = 320
"""Samples of 20 ms at 16 kHz."""


class Watch:
    """The events so far, and waiting for one."""

    def __init__(self) -> None:
        self.events: list[SessionEvent] = []
        self._more = asyncio.Event()
        self._then: list[Callable[[SessionEvent], None]] = []

    def also(self, then: Callable[[SessionEvent], None]) -> None:
        """Call this at once with every event from now on."""
        self._then.append(then)

    def __call__(self, event: SessionEvent) -> None:
        self.events.append(event)
        for then in self._then:
            then(event)
        self._more.set()

    async def until(self, true: Callable[[SessionEvent], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not any(true(event) for event in self.events):
                self._more.clear()
                await self._more.wait()


@dataclass(frozen=True)
class Conversing:
    """A conversation under way."""

    session: Session
    transport: MemoryTransport
    watch: Watch

    async def speaks(self, samples: Samples) -> None:
        """The caller's sound, 16 kHz, in frames and as it would come."""
        for at in range(0, len(samples) - FRAME + 1, FRAME):
            await self.transport.say(samples[at : at + FRAME])
            await asyncio.sleep(0.02)


@asynccontextmanager
async def conversing(
    engines: Engines,
    watch: Watch | None = None,
    config: SessionConfig | None = None,
    turn: TurnPolicy | None = None,
) -> AsyncIterator[Conversing]:
    """A session with these engines; stopped at the end."""
    watch = watch or Watch()
    ticker = Ticker()
    session = Session(
        engines,
        ticker,
        name="watched",
        turn=turn or TurnPolicy(),
        playout=PlayoutPolicy(),
        config=config or SessionConfig(greeting=""),
        observe=watch,
    )
    transport = MemoryTransport()
    session.attach(transport, Hello())
    async with asyncio.TaskGroup() as tasks:
        ticking = tasks.create_task(ticker.run())
        running = tasks.create_task(session.run())
        yield Conversing(session, transport, watch)
        session.stop(CloseReason.PEER_LEFT)
        assert await running is CloseReason.PEER_LEFT
        ticking.cancel()
