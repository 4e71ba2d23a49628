"""Engines open together, warm, and close; what cannot run is told by name."""

import asyncio
from contextlib import aclosing

import pytest

from tests.engines.contract import prompt, sound_of
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.open import open_engines
from ultraandchat.engines.settings import ChatSettings, EnginesConfig

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
