"""A voice's process is killed in the middle of a reply: that costs this reply and nothing else.

In real time, with the real worker mechanism and the real espeak-ng; everything else is scripted.
"""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator

import pytest

from tests.support.serving import eventually
from tests.support.talk import scripted_engines
from tests.support.watch import conversing
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import Prompt, ReplyPart
from ultraandchat.engines.espeak_model import RATE, VOICES
from ultraandchat.engines.worker import WorkerSpec, open_worker
from ultraandchat.engines.worker_speech import WorkerSpeech
from ultraandchat.events import Failed, ReplyAudible, ReplyClosed
from ultraandchat.transport.wire import Say

pytestmark = pytest.mark.speech

LONG = "This sentence has a good many words in it, so that it is heard for a while. "


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

    async def prepare(self, conversation: Conversation) -> None: ...


async def test_a_killed_voice_costs_that_reply_and_speaks_again() -> None:
    """The second clause is asked of a process that has just been killed."""
    language = Pausing()
    spec = WorkerSpec("espeak", "ultraandchat.engines.espeak_model:open_model", wait_s=0.0)
    async with open_worker(spec) as worker:
        speech = WorkerSpeech(worker, rate=RATE, voices=VOICES, about="", ascii_only=False)
        async with conversing(scripted_engines(language=language, speech=speech)) as talk:
            await talk.transport.tell(Say("speak"))
            await talk.watch.until(lambda event: isinstance(event, ReplyAudible))
            first = worker.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)
            await eventually(lambda: worker.pid != first)
            language.go_on.set()
            await talk.watch.until(lambda event: isinstance(event, Failed))
            await eventually(lambda: worker.pid is not None)
            await talk.transport.tell(Say("again"))
            whole = f"{LONG}{LONG}".strip()
            await talk.watch.until(
                lambda event: isinstance(event, ReplyClosed) and event.text == whole
            )
