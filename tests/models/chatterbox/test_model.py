"""The worker's factory: a folder of a release becomes a voice that speaks, with everything that belongs to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.models.chatterbox.checkpoints import conditionals, small
from tests.models.chatterbox.conftest import Release
from tests.models.chatterbox.test_load import linked
from tests.support.clips import READING, encoded
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.chatterbox.model import open_model
from ultraandchat.engines.chatterbox.package import package
from ultraandchat.engines.chatterbox.speaking import Chatterbox
from ultraandchat.engines.chatterbox.variants import VARIANTS
from ultraandchat.engines.worker_wire import Poisoned, Progress

pytestmark = pytest.mark.timeout(300)
"""Gigabytes of weights, on a machine that may have other things to do."""


Told = list[tuple[str, int, int]]

ASKED = {"text": "Hello there, how are you?", "seed": 1}


def opened(checkpoint: str, store: Path, progress: Progress, **changes: Any) -> Chatterbox:
    arguments: dict[str, Any] = {
        "variant": "turbo", "checkpoint": checkpoint, "revision": "", "device": "cpu",
        "precision": "auto", "slots": 1, "graph": False, "watermark": True, "store": str(store),
        "offline": True, "cache": "", "endpoint": "", "token": "",
    }  # fmt: skip
    with small():
        return open_model(progress, **{**arguments, **changes})


def never() -> bool:
    return False


def first_block(model: Chatterbox, asked: dict[str, Any]) -> Any:
    steps = model.synthesize(never, asked)
    block = next(item for item in steps if isinstance(item, np.ndarray))
    steps.close()
    return block


@pytest.fixture(scope="module")
def turbo(
    releases: Release, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Chatterbox, Path, Told]:
    folder = tmp_path_factory.mktemp("turbo")
    linked(releases("turbo"), folder / "release")
    conditionals(package(), VARIANTS["turbo"]).save(folder / "release" / "conds.pt")
    told: Told = []
    store = folder / "store"
    model = opened(str(folder / "release"), store, lambda *what: told.append(what))
    return model, store, told


def test_it_opens_in_stages_and_has_spoken_once(turbo: tuple[Chatterbox, Path, Told]) -> None:
    _, _, told = turbo
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["load", "warm-up (eager)", "warm-up"]
    assert told[-1] == ("warm-up", 1, 1)


def test_the_same_seed_says_the_same_in_blocks_of_the_right_kind(
    turbo: tuple[Chatterbox, Path, Told],
) -> None:
    model, _, _ = turbo
    block = first_block(model, ASKED)
    assert block.dtype == np.int16
    assert len(block) % 960 == 0
    assert np.array_equal(block, first_block(model, ASKED))


def test_a_clip_is_prepared_stored_and_spoken_with(
    turbo: tuple[Chatterbox, Path, Told], tmp_path: Path
) -> None:
    model, store, _ = turbo
    clip = tmp_path / "ann.wav"
    clip.write_bytes(encoded(READING[: 16_000 * 6]))
    *_, answer = model.prepare_voice(never, {"voice": "ann", "clip": str(clip)})
    assert (store / f"{answer['digest']}.safetensors").is_file()
    asked = {**ASKED, "voice": "ann", "clip": str(clip)}
    assert not np.array_equal(first_block(model, asked), first_block(model, ASKED))


def test_a_clip_that_cannot_serve_ends_that_reply_only(
    turbo: tuple[Chatterbox, Path, Told], tmp_path: Path
) -> None:
    model, _, _ = turbo
    clip = tmp_path / "bad.wav"
    clip.write_bytes(b"not audio at all")
    with pytest.raises(EngineError, match="voice bad cannot be used: this is no sound file"):
        list(model.prepare_voice(never, {"voice": "bad", "clip": str(clip)}))
    with pytest.raises(EngineError, match="voice bad cannot be used"):
        first_block(model, {**ASKED, "voice": "bad", "clip": str(clip)})


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), EngineError, "out of memory"),
        (RuntimeError("CUDA error: device-side assert triggered"), Poisoned, "card failed"),
    ],
)
def test_the_devices_errors_are_this_replys_or_this_processs(
    turbo: tuple[Chatterbox, Path, Told],
    monkeypatch: pytest.MonkeyPatch,
    said: Exception,
    error: type[Exception],
    words: str,
) -> None:
    model, _, _ = turbo

    def fails(*given: object) -> object:
        raise said

    monkeypatch.setattr(model._writer, "write", fails)
    with pytest.raises(error, match=words):
        first_block(model, ASKED)
    monkeypatch.undo()
    assert len(first_block(model, ASKED))


def test_a_release_without_a_voice_of_its_own_opens_and_asks_for_a_clip(
    releases: Release, tmp_path: Path
) -> None:
    model = opened(str(releases("turbo")), tmp_path / "store", lambda *told: None, watermark=False)
    with pytest.raises(EngineError, match="no voice of its own"):
        first_block(model, ASKED)


def unavailable(call: Callable[[], object]) -> EngineUnavailable:
    with pytest.raises(EngineUnavailable) as caught:
        call()
    assert caught.value.engine == "chatterbox"
    return caught.value


def test_without_a_gpu_or_its_weights_it_says_what_to_do(tmp_path: Path) -> None:
    nothing = lambda *told: None  # noqa: E731
    error = unavailable(lambda: opened("", tmp_path, nothing, device="auto"))
    assert "engines.chatterbox.device=cpu" in error.remedy
    error = unavailable(lambda: opened("", tmp_path, nothing, cache=str(tmp_path)))
    assert "ResembleAI/chatterbox-turbo is not known to be whole" in error.reason
    assert "engines.chatterbox.checkpoint" in error.remedy
    error = unavailable(lambda: opened(str(tmp_path), tmp_path, nothing))
    assert "has no t3_turbo_v1.safetensors" in error.reason
