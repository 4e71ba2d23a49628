"""Engines open together, warm, and close; what cannot run is told by name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest

from tests.engines.contract import prompt, sound_of
from tests.support.flite_server import FACTORY
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.chatterbox import engine as chatterbox
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.open import open_engines
from ultraandchat.engines.settings import ChatSettings, EnginesConfig, UltravoxServerSettings

SCRIPTED = EnginesConfig(profile="scripted")


async def test_scripted_engines_have_real_voice_activity() -> None:
    async with open_engines(SCRIPTED) as engines:
        states = {(status.kind, status.name): status.state for status in engines.status()}
        assert states == {
            ("voice activity", "silero"): "ready",
            ("transcriber", "scripted"): "ready",
            ("language", "scripted"): "ready",
            ("speech", "scripted"): "ready",
        }
        assert type(engines.gate).__name__ == "WebRtcVad"


@pytest.mark.speech
async def test_the_demo_answers_aloud() -> None:
    async with open_engines(EnginesConfig()) as engines:
        assert all(status.state == "ready" for status in engines.status())
        kinds = {status.kind for status in engines.status()}
        assert kinds == {"voice activity", "transcriber", "language", "speech"}
        async with aclosing(
            engines.language.respond(prompt("what is two plus two"), Conversation())
        ) as parts:
            text = "".join([part async for part in parts if isinstance(part, str)])
        assert len(await sound_of(engines.speech, text)) > 0
        greeting = await sound_of(engines.speech, engines.greeting)
        assert 0.5 < len(greeting) / engines.speech.rate < 4.5


async def test_a_chat_server_is_not_needed_to_open() -> None:
    chat = ChatSettings(base_url="http://localhost:9/v1")
    config = EnginesConfig(profile="scripted", language="skills", chat=chat)
    async with open_engines(config) as engines:
        names = [status.name for status in engines.status() if status.kind == "language"]
        assert names == ["skills", "chat"]


async def test_a_server_that_hears_is_not_needed_to_open() -> None:
    server = UltravoxServerSettings(base_url="http://localhost:9/v1", model="mine")
    config = EnginesConfig(profile="scripted", language="ultravox-server", ultravox_server=server)
    async with open_engines(config) as engines:
        (status,) = [status for status in engines.status() if status.kind == "language"]
        assert (status.name, status.state) == ("ultravox-server", "ready")
        assert status.detail == "mine at localhost"


async def test_without_a_transcriber_only_typed_words_are_answered() -> None:
    config = EnginesConfig(profile="scripted", transcriber="none", language="skills")
    async with open_engines(config) as engines:
        assert engines.transcriber is None
        assert "only typed text" in engines.about


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (EnginesConfig(profile="scripted", voice="bass"), "no voice bass"),
        (EnginesConfig(profile="scripted", language="chat"), "base_url is not set"),
        (
            EnginesConfig(profile="scripted", language="ultravox-server"),
            r"ultravox_server\.base_url is not set",
        ),
    ],
)
async def test_a_setting_that_cannot_be_is_told(config: EnginesConfig, named: str) -> None:
    with pytest.raises(EngineUnavailable, match=named):
        async with open_engines(config):
            pass


async def test_the_server_does_not_start_without_silero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ultraandchat.engines.silero.WEIGHTS", "nowhere.npz")
    with pytest.raises(EngineUnavailable, match="silero"):
        async with open_engines(SCRIPTED):
            pass


async def test_the_first_of_several_troubles_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    config = EnginesConfig(profile="scripted", language="chat", speech="flite")
    with pytest.raises(EngineUnavailable, match="chat"):
        async with open_engines(config):
            pass


@pytest.mark.parametrize("error", [RuntimeError("ours"), EngineError("x", "y"), TimeoutError()])
async def test_an_error_of_the_block_comes_out_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        async with open_engines(SCRIPTED):
            raise error
    assert raised.value is error


async def test_cancelling_the_block_closes_it() -> None:
    opened = asyncio.Event()

    async def hold() -> None:
        async with open_engines(EnginesConfig(profile="scripted", speech="espeak")):
            opened.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(hold())
        await opened.wait()
        task.cancel()
    assert task.cancelled()


@pytest.mark.speech
async def test_captions_are_no_reason_not_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whisper's weights cannot be had; only the profile, no operator, asked for it."""

    @asynccontextmanager
    async def no_whisper(*given: object) -> AsyncIterator[None]:
        raise EngineUnavailable("whisper", "the hub does not answer", "Try again later.")
        yield

    monkeypatch.setattr("ultraandchat.engines.whisper.open_whisper", no_whisper)
    monkeypatch.setattr("ultraandchat.engines.choice._beside_ultravox", lambda whisper: "whisper")
    config = EnginesConfig(profile="gpu", language="scripted", speech="scripted")
    async with open_engines(config) as engines:
        heard = [status for status in engines.status() if status.kind == "transcriber"]
        assert {status.state for status in heard} == {"ready"}
        assert all("instead of Whisper: the hub does not answer" in one.detail for one in heard)
    asked_for = replace(config, transcriber="whisper")
    with pytest.raises(EngineUnavailable, match="does not answer"):
        async with open_engines(asked_for):
            pass


@pytest.mark.speech
async def test_a_better_voice_is_no_reason_not_to_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Chatterbox cannot run; only the profile, no operator, asked for it."""

    @asynccontextmanager
    async def no_chatterbox(*given: object, **how: object) -> AsyncIterator[None]:
        raise EngineUnavailable("chatterbox", "torch is not installed", "Install it.")
        yield

    monkeypatch.setattr("ultraandchat.engines.chatterbox.engine.open_chatterbox", no_chatterbox)
    config = EnginesConfig(
        profile="gpu", language="ultravox-server", transcriber="scripted", voice="anna",
        ultravox_server=UltravoxServerSettings(base_url="http://localhost:9/v1"),
    )  # fmt: skip
    async with open_engines(config) as engines:
        (spoken,) = [status for status in engines.status() if status.kind == "speech"]
        assert spoken.name in ("flite", "espeak")
        assert spoken.state == "ready"
        assert spoken.detail.endswith("instead of Chatterbox: torch is not installed")
        assert len(await sound_of(engines.speech, "Yes.")) > 0
    (line,) = [one for one in caplog.records if one.levelname == "WARNING"]
    assert line.getMessage() == (
        f"chatterbox: torch is not installed; {spoken.name} speaks instead. Install it."
    )
    with pytest.raises(EngineUnavailable, match="torch is not installed"):
        async with open_engines(replace(config, speech="chatterbox")):
            pass


@pytest.mark.speech
@pytest.mark.usefixtures("fakes_can_be_imported")
async def test_a_voice_that_its_own_process_refuses_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened = partial(chatterbox.open_chatterbox, factory=FACTORY)
    monkeypatch.setattr(chatterbox, "open_chatterbox", opened)
    config = EnginesConfig(
        profile="gpu", language="scripted", transcriber="scripted",
        chatterbox=ChatterboxSettings(checkpoint="refused"),
    )  # fmt: skip
    async with open_engines(config) as engines:
        (spoken,) = [status for status in engines.status() if status.kind == "speech"]
        assert spoken.detail.endswith("instead of Chatterbox: the GPU has 1.0 GB free")
        assert spoken.remedy == "Free the GPU."
        assert [
            task.get_name() for task in asyncio.all_tasks() if "chatterbox" in task.get_name()
        ] == []
    assert sum(one.levelname == "WARNING" for one in caplog.records) == 1
    with pytest.raises(EngineUnavailable, match="Free the GPU"):
        async with open_engines(replace(config, speech="chatterbox")):
            pass
