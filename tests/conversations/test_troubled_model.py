"""Ultravox's process dies, hangs or loses its GPU in the middle of an answer: the conversation says so
and goes on. In real time, with the real engine and worker; the model in it is a fake that gets into trouble.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.serving import eventually
from tests.support.talk import scripted_engines
from tests.support.watch import Conversing, conversing
from ultraandchat.engines.settings import HubSettings
from ultraandchat.engines.ultravox import engine as ultravox
from ultraandchat.engines.ultravox.settings import UltravoxSettings
from ultraandchat.events import Failed, ReplyClosed, SessionEvent
from ultraandchat.transport.wire import Say

pytestmark = pytest.mark.usefixtures("fakes_can_be_imported")

MODELS = "tests.support.ultravox_models"


class Talk:
    """A conversation by typing."""

    def __init__(self, model: ultravox.Ultravox, conversing: Conversing) -> None:
        self.model = model
        self._transport = conversing.transport
        self._watch = conversing.watch

    async def says(self, text: str) -> None:
        await self._transport.tell(Say(text))

    async def failed(self, times: int = 1) -> list[str]:
        """Reasons, once so many replies have failed."""

        def reasons() -> list[str]:
            return [event.reason for event in self._watch.events if isinstance(event, Failed)]

        await self._watch.until(lambda event: len(reasons()) >= times)
        return reasons()

    async def answered(self, words: str) -> str:
        """The whole reply in which these words are."""

        def whole(event: SessionEvent) -> bool:
            return isinstance(event, ReplyClosed) and words in event.text

        await self._watch.until(whole)
        (reply,) = [
            event.text
            for event in self._watch.events
            if isinstance(event, ReplyClosed) and words in event.text
        ]
        return reply


@asynccontextmanager
async def talking(factory: str, settings: UltravoxSettings) -> AsyncIterator[Talk]:
    opening = ultravox.open_ultravox(settings, HubSettings(), factory=f"{MODELS}:{factory}")
    async with opening as model, conversing(scripted_engines(language=model)) as under_way:
        yield Talk(model, under_way)


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("die", "its process was killed (SIGKILL), as a system does when memory runs out"),
        ("assert", "the GPU failed in the middle of an answer"),
        ("hang", "its model hangs"),
    ],
)
async def test_a_trouble_costs_one_reply_is_said_and_the_next_is_answered(
    trouble: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble == "hang":  # noticed soon; elsewhere a busy machine must not be taken for one
        monkeypatch.setattr(ultravox, "HANG_S", 4.0)
    async with talking("open_model", UltravoxSettings(checkpoint="tiny")) as talk:
        await talk.says("hello")
        await talk.answered("I heard 'hello'.")
        await talk.says(trouble)
        assert await talk.failed() == [reason]
        await talk.says("are you back")
        assert "That was message" in await talk.answered("I heard 'are you back'.")
        assert await talk.failed() == [reason]
        status = talk.model.status()
        assert (status.state, status.restarts) == ("ready", 1)


async def test_a_gpu_that_does_not_come_back_is_said_at_every_turn(tmp_path: Path) -> None:
    settings = UltravoxSettings(checkpoint=str(tmp_path / "remembers"))
    async with talking("open_vanishing", settings) as talk:
        await talk.says("hello")
        await talk.answered("I heard 'hello'.")
        await talk.says("assert")
        assert await talk.failed() == ["the GPU failed in the middle of an answer"]
        await eventually(lambda: talk.model.status().state == "failed")
        await talk.says("are you back")
        assert (await talk.failed(2))[1] == "the GPU is gone"
        assert talk.model.status().detail == "the GPU is gone"
        assert "nvidia-smi" in talk.model.status().remedy
