"""Ultravox in a conversation, its model a fake one in a real process: what its death costs. Real time."""

import os
import signal

import pytest

from tests.support.talk import scripted_engines
from tests.support.watch import conversing
from ultraandchat.engines.scripted import ScriptedSettings, ScriptedSpeech
from ultraandchat.engines.ultravox.engine import Ultravox
from ultraandchat.engines.ultravox.settings import UltravoxSettings
from ultraandchat.engines.worker import WorkerSpec, open_worker
from ultraandchat.events import Failed, ReplyAudible, ReplyClosed
from ultraandchat.transport.wire import ReplyRead, Say

pytestmark = pytest.mark.usefixtures("fakes_can_be_imported")

SPEC = WorkerSpec(
    "ultravox",
    "tests.support.ultravox_models:open_model",
    {"checkpoint": "fake"},
    first_pause_s=0.01,
    wait_s=30.0,
)


async def test_a_model_that_dies_in_the_middle_of_a_reply_is_told_of_and_answers_again() -> None:
    async with open_worker(SPEC) as worker:
        engines = scripted_engines(
            language=Ultravox(worker, UltravoxSettings()),
            speech=ScriptedSpeech(ScriptedSettings(clause_s=0.3, speed=100.0)),
        )
        async with conversing(engines) as talk:
            await talk.transport.tell(Say("go on"))
            await talk.watch.until(lambda event: isinstance(event, ReplyAudible))
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            await talk.watch.until(lambda event: isinstance(event, ReplyClosed))
            (failed,) = [event for event in talk.watch.events if isinstance(event, Failed)]
            assert (failed.engine, failed.reason) == (
                "ultravox",
                "its process was killed (SIGKILL), as a system does when memory runs out",
            )
            await talk.transport.tell(Say("hello"))
            await talk.watch.until(
                lambda event: (
                    isinstance(event, ReplyClosed) and event.text.startswith("I heard 'hello'.")
                )
            )
            first, second = (exchange.reply for exchange in talk.session.history.exchanges())
            read = [m for _, m in talk.transport.messages if isinstance(m, ReplyRead)]
        # What was written before it died was said, and is told to the model that came after it.
        assert first == "I heard 'go on'."
        assert second == "I heard 'hello'. That was message 3."
    assert [(one.prompt_tokens, one.reused_tokens, one.read_ms) for one in read] == [(90, 60, 17.0)]
    assert worker.status().restarts == 1
