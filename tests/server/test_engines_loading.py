"""`/health` and `/config.json` while a model loads, through the real engines, worker and server; the model
is one that loads as the test tells it.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.server.test_status import got
from tests.support.serving import PATIENCE_S, quiet_config
from tests.support.worker_models import TOLD
from ultraandchat.engines import espeak
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.server.app import Server

pytestmark = pytest.mark.usefixtures("fakes_can_be_imported")

SETTINGS = ("engines.profile=scripted", "engines.speech=espeak")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that tells the model."""
    file = tmp_path / "told"
    monkeypatch.setenv(TOLD, str(file))
    monkeypatch.setattr(espeak, "MODEL", "tests.support.worker_models:open_as_told")
    return file


async def voice(server: Server, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """All that is told there, and what of the voice."""
    _, facts = await got(f"{server.url}/{path}")
    return facts, next((one for one in facts["engines"] if one["kind"] == "speech"), {})


async def until(server: Server, **wanted: Any) -> dict[str, Any]:
    """The whole of `/health`, once the voice is as wanted."""
    while True:
        facts, speech = await voice(server, "health")
        if all(speech.get(name) == value for name, value in wanted.items()):
            return facts
        await asyncio.sleep(0.02)


async def test_each_stage_is_seen_while_it_lasts_and_kept_with_its_time(told: Path) -> None:
    told.write_text("download 32 161")
    server = Server(quiet_config(*SETTINGS), environ={})
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        running = group.create_task(server.run())
        while not server.url:
            await asyncio.sleep(0.01)
        download = {"stage": "download", "done": 32, "total": 161}
        health = await until(server, state="loading", progress=download)
        assert health["status"] == "loading"
        assert {one["kind"]: one["state"] for one in health["engines"]} == {
            "voice activity": "ready",
            "transcriber": "ready",
            "language": "ready",
            "speech": "loading",
        }
        facts, speech = await voice(server, "config.json")
        assert (facts["ready"], speech["progress"]) == (False, download)
        told.write_text("warm-up 0 0")
        health = await until(server, progress={"stage": "warm-up", "done": 0, "total": 0})
        told.write_text("ready")
        health = await until(server, state="ready")
        (speech,) = [one for one in health["engines"] if one["kind"] == "speech"]
        assert [stage["name"] for stage in speech["stages"]] == ["start", "download", "warm-up"]
        assert speech["load_s"] == pytest.approx(sum(one["seconds"] for one in speech["stages"]))
        assert speech["progress"] is None
        while not (await voice(server, "config.json"))[0]["ready"]:
            await asyncio.sleep(0.02)
        server.stop()
        await running


async def test_a_gpu_that_is_not_there_ends_the_start_with_what_the_operator_can_do(
    told: Path,
) -> None:
    told.write_text("gone")
    with pytest.raises(EngineUnavailable, match=r"the GPU is gone\. Look at nvidia-smi"):
        async with asyncio.timeout(PATIENCE_S):
            await Server(quiet_config(*SETTINGS), environ={}).run()
