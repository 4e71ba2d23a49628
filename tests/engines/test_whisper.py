"""Whisper beside the conversation, over a real worker process whose model is a fake one.

The real faster-whisper is in `tests/models/test_whisper.py`; here nothing of it is installed.
"""

import asyncio
import importlib.util
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace

import numpy as np
import pytest
import pytest_asyncio

from tests.engines.contract import TranscriberContract
from tests.support.serving import eventually
from tests.support.talk import Talk, converse, scripted_engines, speaks
from tests.support.whisper_models import CRASHING, SLOW
from ultraandchat.audio.frame import HEARING_RATE, Pcm16
from ultraandchat.engines.base import EngineError, EngineOverloaded, EngineUnavailable
from ultraandchat.engines.scripted import Reply, ScriptedSettings
from ultraandchat.engines.settings import WhisperSettings
from ultraandchat.engines.weights.settings import HubSettings
from ultraandchat.engines.whisper import Whisper, open_whisper
from ultraandchat.engines.worker import WorkerSpec
from ultraandchat.events import Failed
from ultraandchat.transport.wire import UserCaption
from ultraandchat.turn.events import TurnId, Utterance

pytestmark = pytest.mark.usefixtures("fakes_can_be_imported")

FAKE = "tests.support.whisper_models:open_model"
SETTINGS = WhisperSettings(model="small", device="cpu", language="en", deadline_ms=30_000)
HUB = HubSettings(offline=True, cache="/models", endpoint="http://mirror", token="hf-secret")


@pytest_asyncio.fixture
async def whisper() -> AsyncIterator[Whisper]:
    async with open_whisper(SETTINGS, HUB, factory=FAKE) as opened:
        yield opened


def said(samples: int = HEARING_RATE, turn: int = 1) -> Utterance:
    return Utterance(TurnId(turn), np.full(samples, 7, np.int16), 0, samples, heard_at=0.0)


class TestContract(TranscriberContract):
    @pytest.fixture
    def transcriber(self, whisper: Whisper) -> Whisper:
        return whisper


async def test_the_words_of_all_windows_are_one_transcript(whisper: Whisper) -> None:
    found = await whisper.open(lambda words: None).transcribe(said())
    assert (found.text, found.source) == ("16000 samples, the loudest 7", "whisper")


async def test_its_process_gets_the_settings(whisper: Whisper) -> None:
    status = whisper.status()
    assert (status.kind, status.name, status.state) == ("transcriber", "whisper", "ready")
    hub = ("offline=True", "cache=/models", "endpoint=http://mirror", "token=9")
    for told in ("model=small", "device=cpu", "language=en", *hub):
        assert told in status.detail


async def test_an_utterance_that_crashes_it_has_no_words_and_the_next_has(whisper: Whisper) -> None:
    ear = whisper.open(lambda words: None)
    with pytest.raises(EngineError, match="whisper"):
        await ear.transcribe(said(CRASHING))
    await eventually(lambda: whisper.status().state == "ready")  # a call waits for 5 s at most
    assert (await ear.transcribe(said())).text
    assert whisper.status().restarts == 1


async def test_what_is_too_slow_is_given_up_and_the_process_is_free_again() -> None:
    hasty = replace(SETTINGS, deadline_ms=300)
    async with open_whisper(hasty, HUB, factory=FAKE) as whisper:
        ear = whisper.open(lambda words: None)
        with pytest.raises(EngineError, match="too slow"):
            await ear.transcribe(said(SLOW))
    async with open_whisper(SETTINGS, HUB, factory=FAKE) as whisper:
        ear = whisper.open(lambda words: None)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ear.transcribe(said(SLOW)), 0.3)
        assert (await ear.transcribe(said())).text


async def test_where_it_cannot_run_is_told_with_the_remedy() -> None:
    with pytest.raises(EngineUnavailable, match="no GPU cuda") as raised:
        async with open_whisper(SETTINGS, HUB, factory="tests.support.whisper_models:open_none"):
            pass
    assert raised.value.remedy == "Set another device."


async def test_without_faster_whisper_the_command_that_installs_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "faster_whisper" else look(name)
    )
    with pytest.raises(EngineUnavailable, match=r"ultraandchat\[gpu\]"):
        async with open_whisper(SETTINGS, HUB):
            pass


# --- in conversations, on a virtual clock -------------------------------------------------------

QUICK = ScriptedSettings(clause_s=0.5)


class Process:
    """Stands for the worker: takes `takes_s`, then writes or fails."""

    def __init__(self, takes_s: float, error: EngineError | None = None) -> None:
        self.spec = WorkerSpec("whisper", "nothing:nothing")
        self._takes_s = takes_s
        self._error = error
        self.given_up = 0

    async def stream(self, method: str, pcm: Pcm16) -> AsyncGenerator[str, None]:
        try:
            await asyncio.sleep(self._takes_s)
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self._error is not None:
            raise self._error
        yield f" {len(pcm) / HEARING_RATE:.0f} seconds "


def story(process: Process, until: float = 12.0) -> tuple[Talk, list[str]]:
    settings = replace(SETTINGS, deadline_ms=20_000)
    whisper = Whisper(process, settings, "")  # type: ignore[arg-type]
    engines = scripted_engines(
        replies=[Reply("One two three.")], settings=QUICK, transcriber=whisper
    )
    talk = converse(speaks(at=0.5, for_=1.2), engines=engines, until=until)
    return talk, [m.text for m in talk.messages(UserCaption) if m.final]


@pytest.mark.parametrize(
    "process",
    [
        Process(5.0),
        Process(60.0),
        Process(0.2, EngineError("whisper", "it broke")),
        Process(0.0, EngineOverloaded("whisper", "it has too much to do at the moment")),
    ],
)
def test_slow_or_failing_it_never_delays_the_reply_nor_spoils_it(process: Process) -> None:
    alone, _ = story(Process(0.0))
    talk, _ = story(process)
    assert talk.first_sound() == pytest.approx(alone.first_sound(), abs=1e-9)
    assert talk.history[0].reply == "One two three."
    assert not talk.all(Failed)


def test_late_captions_reach_page_and_history() -> None:
    talk, captions = story(Process(5.0))
    assert captions == ["2 seconds"]
    assert talk.history[0].words == "2 seconds"


def test_captions_later_than_the_deadline_never_come() -> None:
    process = Process(60.0)
    talk, captions = story(process, until=90.0)
    assert captions == []
    assert process.given_up == 1
    assert not talk.open_tasks
