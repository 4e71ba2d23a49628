"""A voice's process is killed in the middle of a reply: that costs this reply and nothing else.

In real time, with the real worker mechanism and the real espeak-ng; everything else is scripted.
"""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable

import pytest

from tests.support.talk import scripted_engines
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import Prompt, ReplyPart
from ultraandchat.engines.espeak_model import RATE, VOICES
from ultraandchat.engines.worker import WorkerSpec, open_worker
from ultraandchat.engines.worker_speech import WorkerSpeech
from ultraandchat.events import Failed, ReplyAudible, ReplyClosed, SessionEvent
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.ticker import Ticker
from ultraandchat.session import Session, SessionConfig
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import Hello, Say
from ultraandchat.turn.policy import TurnPolicy

pytestmark = pytest.mark.speech

LONG = "This sentence has a good many words in it, so that it is heard for a while. "
PATIENCE_S = 30.0


class Watch:
    """The events so far, and waiting for one."""

    def __init__(self) -> None:
        self.events: list[SessionEvent] = []
        self._more = asyncio.Event()

    def __call__(self, event: SessionEvent) -> None:
        self.events.append(event)
        self._more.set()

    async def until(self, true: Callable[[SessionEvent], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not any(true(event) for event in self.events):
                self._more.clear()
                await self._more.wait()


class Pausing:
    """A language model that waits between its two clauses, until it is told to go on."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def respond(
        self, prompt: Prompt, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]:
        yield LONG
        await self.go_on.wait()
        yield LONG


async def test_a_killed_voice_costs_that_reply_and_speaks_again() -> None:
    """The second clause is asked of a process that has just been killed."""
    ticker, watch, language = Ticker(), Watch(), Pausing()
    spec = WorkerSpec("espeak", "ultraandchat.engines.espeak_model:open_model", wait_s=0.0)
    async with open_worker(spec) as worker, asyncio.TaskGroup() as tasks:
        speech = WorkerSpeech(worker, rate=RATE, voices=VOICES, about="", ascii_only=False)
        session = Session(
            scripted_engines(language=language, speech=speech),
            ticker,
            name="killed",
            turn=TurnPolicy(),
            playout=PlayoutPolicy(),
            config=SessionConfig(),
            observe=watch,
        )
        transport = MemoryTransport()
        session.attach(transport)
        ticking = tasks.create_task(ticker.run())
        running = tasks.create_task(session.run())
        await transport.tell(Hello())
        await transport.tell(Say("speak"))
        await watch.until(lambda event: isinstance(event, ReplyAudible))
        first = worker.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_S):
            while worker.pid == first:
                await ticker.tick()
        language.go_on.set()
        await watch.until(lambda event: isinstance(event, Failed))
        async with asyncio.timeout(PATIENCE_S):
            while worker.pid is None:
                await ticker.tick()
        await transport.tell(Say("again"))
        whole = f"{LONG}{LONG}".strip()
        await watch.until(lambda event: isinstance(event, ReplyClosed) and event.text == whole)
        session.stop(CloseReason.PEER_LEFT)
        assert await running is CloseReason.PEER_LEFT
        ticking.cancel()
