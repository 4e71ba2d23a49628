"""Chatterbox in conversations on the real server, flite standing for its model in a real process. Real time."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from tests.engines.contract import sound_of
from tests.support.clips import READING, encoded
from tests.support.flite_server import FACTORY
from tests.support.serving import Phone, eventually, phone, serving
from ultraandchat.audio.level import dbfs
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import EngineLost, Engines, Prompt, ReplyPart, Voice
from ultraandchat.engines.chatterbox import engine
from ultraandchat.engines.chatterbox.engine import Chatterbox
from ultraandchat.engines.chatterbox.known import LOST
from ultraandchat.engines.open import open_engines
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.ultravox import engine as ultravox
from ultraandchat.server.app import Server
from ultraandchat.transport.wire import (
    Hello,
    Interrupt,
    Notice,
    ReplyDone,
    Say,
    State,
    Welcome,
)

pytestmark = pytest.mark.usefixtures("fakes_can_be_imported")

LONG = "This sentence has a good many words in it, so that it is heard for a while. "
LOSS = EngineLost("chatterbox", "")


class Parrot:
    """Answers with what it was told."""

    async def respond(
        self, prompt: Prompt, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]:
        yield (await prompt.words()).text

    async def prepare(self, conversation: Conversation) -> None: ...


@dataclass
class Talking:
    server: Server
    engines: Engines
    voice: Chatterbox

    def running(self) -> int:
        """Jobs of the voice."""
        return self.voice.status().running

    async def metrics(self) -> str:
        async with aiohttp.ClientSession() as http, http.get(f"{self.server.url}/metrics") as got:
            return await got.text()

    async def health(self) -> dict[str, object]:
        async with aiohttp.ClientSession() as http, http.get(f"{self.server.url}/health") as got:
            found: dict[str, object] = await got.json()
            return found


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = partial(engine.open_chatterbox, factory=FACTORY)
    monkeypatch.setattr(engine, "open_chatterbox", opened)
    monkeypatch.setattr("ultraandchat.engines.chatterbox.kept.LOOK_S", 0.05)


@asynccontextmanager
async def talking(tmp_path: Path, *settings: str) -> AsyncIterator[Talking]:
    """The real server with the engines that it opens itself, but for who answers."""
    opened: list[Engines] = []

    @asynccontextmanager
    async def parroting(config: EnginesConfig) -> AsyncGenerator[Engines, None]:
        async with open_engines(config) as engines:
            opened.append(replace(engines, language=Parrot()))
            yield opened[0]

    voices = tmp_path / "voices"
    voices.mkdir(exist_ok=True)
    chosen = ("engines.profile=scripted", "engines.speech=chatterbox")
    place = f"engines.chatterbox.voices={voices}"
    async with serving(*chosen, place, *settings, open_engines=parroting) as server:
        speech = opened[0].speech
        assert isinstance(speech, Chatterbox)
        yield Talking(server, opened[0], speech)


async def heard(caller: Phone) -> str:
    """What was heard of the reply, once it is over."""
    done = await caller.until(ReplyDone)
    assert isinstance(done, ReplyDone)
    return done.heard


async def answered(caller: Phone, text: str) -> str:
    """What was heard of the reply to this."""
    await caller.tells(Say(text))
    return await heard(caller)


def seconds(caller: Phone) -> float:
    """Of sound, without silent frames."""
    return sum(0.02 for frame in caller.frames if dbfs(frame.samples) > -50)


@pytest.mark.usefixtures("stand_in")
async def test_a_reply_is_heard_whole_and_the_page_and_health_know_who_speaks(
    tmp_path: Path,
) -> None:
    async with talking(tmp_path) as talk, phone(talk.server.url) as caller:
        welcome = await caller.begins()
        assert await answered(caller, LONG + "And a second one.") == LONG + "And a second one."
        alone = await sound_of(talk.voice, LONG.strip())
        health = await talk.health()
    assert welcome.voices == ["default"]
    assert ("speech", "chatterbox", "ready") in [(e.kind, e.name, e.state) for e in welcome.engines]
    assert len(caller.sound) / 24_000 > len(alone) / 24_000 + 0.5
    assert seconds(caller) > 0.6 * len(alone) / 24_000
    assert health["models"] == {"ultravox": False, "tts": True}
    assert health["status"] == "healthy"


@pytest.mark.usefixtures("stand_in")
async def test_interrupting_ends_the_job_of_the_voice(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk, phone(talk.server.url) as caller:
        await caller.begins()
        await caller.tells(Say("slow and endless."))
        await caller.until_sound()
        assert talk.running() == 1
        await caller.tells(Interrupt())
        await caller.until(ReplyDone)
        await eventually(lambda: talk.running() == 0)
        assert await answered(caller, "And on it goes.") == "And on it goes."


@pytest.mark.usefixtures("stand_in")
async def test_a_voice_that_dies_in_a_reply_says_so_itself_and_speaks_on_in_the_same_voice(
    tmp_path: Path,
) -> None:
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices" / "anna.wav").write_bytes(encoded(READING))
    async with talking(tmp_path) as talk, phone(talk.server.url) as caller:
        await caller.tells(Hello(voice="anna"))
        assert "anna" in (await caller.until(Welcome)).voices  # type: ignore[union-attr]
        await answered(caller, LONG)
        usual = await sound_of(talk.voice, LONG.strip(), Voice("anna"))
        await eventually(lambda: talk.engines.phrases.apology(LOSS, Voice("anna")) == LOST)
        await caller.tells(Say("Now it will crash. " * 6))
        notice = await caller.until(Notice)
        assert isinstance(notice, Notice)
        assert notice.text == "its process ended by itself (exit code 134)"
        await heard(caller)
        assert await heard(caller) == LOST
        await eventually(lambda: talk.voice.status().state == "ready")
        before = len(caller.frames)
        assert await answered(caller, LONG) == LONG.strip()
        again = await sound_of(talk.voice, LONG.strip(), Voice("anna"))
        assert talk.voice.status().restarts == 1
    assert np.array_equal(again, usual)
    sound = sum(len(f.samples) for f in caller.frames[before:]) / 24_000
    assert sound > 0.9 * len(usual) / 24_000


@pytest.mark.usefixtures("stand_in")
async def test_what_is_known_is_said_while_there_is_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The greeting of a caller who comes just then; the process is away for as long as the test."""
    monkeypatch.setattr(
        engine, "WorkerSpec", partial(engine.WorkerSpec, first_pause_s=600.0, wait_s=0.0)
    )
    greeting = "Good day to you. What can I do for you?"
    async with talking(tmp_path, f"session.greeting={greeting}") as talk:
        await eventually(lambda: talk.voice.known.ready(greeting, Voice()))
        await eventually(lambda: talk.engines.phrases.apology(LOSS, Voice()) == LOST)
        async with phone(talk.server.url) as caller:
            await caller.begins()
            await caller.until(ReplyDone)
            await caller.tells(Say("It will crash at once. " * 4))
            await caller.until(Notice)
            await heard(caller)
            assert await heard(caller) == LOST
            assert talk.voice.status().state == "restarting"
        async with phone(talk.server.url) as other:
            await other.begins()
            assert await heard(other) == greeting
            assert seconds(other) > 1.0
            assert await answered(other, "Are you there?") == ""
            assert await heard(other) == LOST


@pytest.mark.usefixtures("stand_in")
async def test_verdicts_of_the_guard_are_metrics(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk, phone(talk.server.url) as caller:
        await caller.begins()
        await answered(caller, "Now you babble.")
        text, health = await talk.metrics(), await talk.health()
    assert 'ultraandchat_speech_guard_total{verdict="loop"} 1.0' in text
    assert 'ultraandchat_speech_guard_total{verdict="tail"} 1.0' in text
    speech = next(e for e in health["engines"] if e["kind"] == "speech")  # type: ignore[attr-defined]
    assert speech["verdicts"] == {"loop": 1, "tail": 1}


@pytest.mark.usefixtures("stand_in")
async def test_two_conversations_share_one_voice_and_neither_starves(tmp_path: Path) -> None:
    said = f"slow {LONG}{LONG}".strip()
    async with (
        talking(tmp_path, "engines.chatterbox.slots=2") as talk,
        phone(talk.server.url) as one,
        phone(talk.server.url) as two,
    ):
        for caller in (one, two):
            await caller.begins()
            await caller.tells(Say(said))
        await asyncio.gather(one.until_sound(), two.until_sound())
        assert await asyncio.gather(heard(one), heard(two)) == [said, said]
    assert len(one.sound) == pytest.approx(len(two.sound), rel=0.02)


@pytest.mark.usefixtures("stand_in")
async def test_one_more_than_the_voice_can_bear_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "JOBS_PER_SLOT", 1)
    async with talking(tmp_path, "engines.chatterbox.slots=1") as talk:
        await eventually(lambda: talk.engines.phrases.apology(LOSS, Voice()) == LOST)
        async with (
            phone(talk.server.url) as first,
            phone(talk.server.url) as second,
            phone(talk.server.url) as third,
        ):
            for caller in (first, second, third):
                await caller.begins()
            await first.tells(Say("slow and endless."))
            await first.until_sound()
            await second.tells(Say("Let me come next."))
            await eventually(lambda: talk.voice.status().waiting == 1)
            await third.tells(Say("Me too, please."))
            notice = await third.until(Notice)
            assert isinstance(notice, Notice)
            assert notice.text == "it has too much to do at the moment"
            await first.tells(Interrupt())
            assert await heard(second) == "Let me come next."
            while await third.until(State) != State("listening", 2):
                pass
            assert await answered(third, "Me too, please.") == "Me too, please."


@pytest.mark.usefixtures("stand_in")
async def test_nothing_that_is_said_or_printed_comes_into_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logs = tmp_path / "logs"
    settings = (f"logs.directory={logs}", "logs.level=info")
    async with talking(tmp_path, *settings) as talk, phone(talk.server.url) as caller:
        await caller.begins()
        await answered(caller, "A walnut is a nut.")
    written = "".join(path.read_text() for path in logs.iterdir())
    assert "chatterbox: ready" in written
    assert "walnut" not in written
    assert "Sampling" not in written
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


@pytest.mark.usefixtures("stand_in")
async def test_the_gpu_profile_is_ultravox_and_chatterbox_and_health_says_that_both_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each model a stand-in in a process of its own; all else as `--profile gpu` has it."""
    hearing = "tests.support.ultravox_models:open_model"
    monkeypatch.setattr(ultravox, "open_ultravox", partial(ultravox.open_ultravox, factory=hearing))
    settings = ("engines.profile=gpu", "engines.transcriber=none", "session.greeting=")
    voices = f"engines.chatterbox.voices={tmp_path}"
    async with (
        serving(*settings, voices, open_engines=open_engines) as server,
        phone(server.url) as caller,
    ):
        await caller.begins()
        assert await answered(caller, "hello") == "I heard 'hello'. That was message 1."
        assert seconds(caller) > 0.5
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{server.url}/health") as got:
                health = await got.json()
            async with http.get(f"{server.url}/config.json") as got:
                facts = await got.json()
    assert health["models"] == {"ultravox": True, "tts": True}
    assert "Chatterbox turbo speaks its answers" in facts["about"]
    assert facts["voices"] == ["default"]
    assert facts["library"] is True
