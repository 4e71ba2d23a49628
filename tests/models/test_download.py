"""A release from the hub, its parts in repositories of their own, to the first words through the worker's process."""

from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tests.engines.ultravox.support import CHECKPOINTS, taken_apart
from tests.engines.weights.a_hub import AHub, Fault, a_hub
from tests.models.talk import Reply, go_on, request, typed, whole
from tests.models.test_model import arguments, in_a_process
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox.model import open_model
from ultraandchat.engines.worker import open_worker

PARTS = ("ultravox", "text", "audio")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AHub]:
    """The only one that any library knows of, so whoever calls one is seen here."""
    with a_hub() as one:
        monkeypatch.setenv("HF_ENDPOINT", one.address)
        for name, folder in zip(PARTS, taken_apart(CHECKPOINTS[0], tmp_path), strict=True):
            one.has(f"someone/{name}", {file.name: file.read_bytes() for file in folder.iterdir()})
        yield one


def from_the_hub(tmp_path: Path, **more: Any) -> dict[str, Any]:
    return arguments() | {
        "checkpoint": "someone/ultravox",
        "offline": False,
        "cache": str(tmp_path / "cache"),
        **more,
    }


async def test_a_release_is_downloaded_and_talks_and_the_next_start_is_offline(
    hub: AHub, tmp_path: Path
) -> None:
    what = request(typed("Hello"), max_tokens=8)
    expected = whole(
        open_model(lambda *told: None, **arguments(CHECKPOINTS[0])).respond(go_on, what)
    )
    for offline in (False, True):
        given = from_the_hub(tmp_path, offline=offline)
        async with open_worker(in_a_process(given)) as worker:
            reply = Reply()
            async with aclosing(worker.stream("respond", what, ahead=64)) as items:
                async for item in items:
                    reply.take(item)
            stages = [stage.name for stage in worker.status().stages]
        assert reply.text == expected.text
        assert ("download" in stages) is not offline
        asked, hub.asked = {one.path.partition("?")[0].split("/")[1] for one in hub.asked}, []
        assert asked == (set() if offline else {"api", "someone"})


def test_a_language_model_behind_a_licence_is_named_with_the_setting_to_go_around_it(
    hub: AHub, tmp_path: Path
) -> None:
    gated = {"X-Error-Code": "GatedRepo"}
    # Every file of it, whichever is asked for first; the checkpoint's own were had before.
    open_model(lambda *told: None, **from_the_hub(tmp_path))
    for blob in (tmp_path / "cache" / "models--someone--text" / "blobs").iterdir():
        blob.unlink()
    for file in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        hub.goes_wrong(file, Fault(status=401, headers=gated))
    with pytest.raises(EngineUnavailable) as refused:
        open_model(lambda *told: None, **from_the_hub(tmp_path))
    assert "someone/text is given only to those who accepted its licence" in refused.value.reason
    assert "engines.ultravox.text_model" in refused.value.remedy
