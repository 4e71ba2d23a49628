"""What `check` says of Ultravox on machines with a GPU, with its interpreter and its weights as they may be."""

import argparse
import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.engines.ultravox.support import CHECKPOINTS, copied, taken_apart
from tests.engines.ultravox.test_fitness import GOOD, changed
from tests.support.nvml import one_gpu
from ultraandchat.commands import check_ultravox
from ultraandchat.commands.check import run
from ultraandchat.config import Config
from ultraandchat.engines.ultravox.fitness import Device, Facts
from ultraandchat.engines.weights.stored import Entry, Listing, Stored

GB = 10**9
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An 80 GB GPU, a large disk, and an empty home."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN_PATH", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    one_gpu(monkeypatch, 80 * GB)
    disk(monkeypatch, 100 * GB)


def disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(200 * GB, 0, free))


def interpreter(tmp_path: Path, facts: Facts | str) -> str:
    """A Python that answers the probe so."""
    answer = facts if isinstance(facts, str) else msgspec.json.encode(facts).decode()
    (tmp_path / "answer").write_text(answer)
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho 'torch told something' >&2\ncat {tmp_path}/answer\n")
    program.chmod(0o755)
    return str(program)


def check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], facts: Facts | str = GOOD, **more: Any
) -> tuple[int, str]:
    """Status and text, its lines unfolded."""
    settings = {
        "engines.profile": "scripted",
        "server.port": "0",
        "logs.directory": "",
        "engines.language": "ultravox",
        "engines.ultravox.python": interpreter(tmp_path, facts),
        **more,
    }
    overrides = [f"{name}={value}" for name, value in settings.items()]
    status = run(Config.load(environ={}, overrides=overrides), argparse.Namespace())
    return status, " ".join(capsys.readouterr().out.split())


TOKEN = {"engines.hub.token": "hf_secret"}


def test_a_good_machine_can_start_and_is_told_what_it_will_download(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = check(tmp_path, capsys, **TOKEN)
    assert status == 0
    assert "torch 2.13.0+cu130, transformers 5.23.0, CUDA 13.0, NVIDIA H100" in said
    assert "80.0 GB free; it needs 2" in said
    assert "(about 17.4 GB) will be downloaded" in said
    assert "hf_secret" not in said


def test_blackwell_with_an_old_torch_cannot_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = changed(archs=("sm_80", "sm_90"), devices=(Device("NVIDIA B200", (10, 0)),))
    status, said = check(tmp_path, capsys, facts, **TOKEN)
    assert status == 1
    assert "torch for Ultravox: pip install --upgrade torch" in said


def test_an_old_driver_cannot_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = check(tmp_path, capsys, changed(driver_cuda=12_040, devices=()), **TOKEN)
    assert status == 1
    assert "580.65" in said


@pytest.mark.parametrize("answer", ["", "Segmentation fault", "[]"])
def test_an_interpreter_that_gives_no_answer_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    status, said = check(tmp_path, capsys, answer, **TOKEN)
    assert status == 1
    assert "(torch told something)" in said
    assert "Set engines.ultravox.python" in said


def test_an_interpreter_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = check(
        tmp_path, capsys, **TOKEN, **{"engines.ultravox.python": "/nowhere/python"}
    )
    assert status == 1
    assert "/nowhere/python cannot be started (No such file or directory)" in said


def test_an_interpreter_that_hangs_is_given_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_ultravox, "ANSWER_S", 0.1)
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    status, said = check(tmp_path, capsys, **TOKEN, **{"engines.ultravox.python": str(slow)})
    assert status == 1
    assert "did not import torch within 0.1 s" in said


def test_too_little_memory_names_what_would_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one_gpu(monkeypatch, 8 * GB)
    status, said = check(tmp_path, capsys, **TOKEN)
    assert status == 1
    assert "the GPU has 8.0 GB free" in said
    assert "engines.ultravox.checkpoint=fixie-ai/ultravox-v0_5-llama-3_2-1b" in said


def test_a_licence_wants_a_token_before_anything_is_downloaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, said = check(tmp_path, capsys)
    assert status == 1
    assert "huggingface.co/meta-llama/Llama-3.1-8B-Instruct and set HF_TOKEN" in said
    assert "engines.ultravox.text_model" in said
    monkeypatch.setenv("HF_TOKEN", "hf_it")
    assert check(tmp_path, capsys)[0] == 0
    monkeypatch.delenv("HF_TOKEN")
    open_copy = {"engines.ultravox.text_model": "someone/an-open-copy"}
    assert check(tmp_path, capsys, **open_copy)[0] == 0


def test_a_small_disk_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk(monkeypatch, 10 * GB)
    status, said = check(tmp_path, capsys, **TOKEN)
    assert status == 1
    assert "10.0 GB free" in said
    assert "engines.hub.cache" in said


def test_what_came_before_a_cut_is_not_counted_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blobs = Stored(tmp_path / "hf" / "hub", "meta-llama/Llama-3.1-8B-Instruct").blobs
    blobs.mkdir(parents=True)
    with (blobs / f"{'1' * 64}.part").open("wb") as part:
        part.truncate(10 * GB)  # a hole, which takes no room
    assert "(about 7.4 GB) will be downloaded" in check(tmp_path, capsys, **TOKEN)[1]


def test_offline_without_weights_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = check(tmp_path, capsys, **TOKEN, **{"engines.hub.offline": "true"})
    assert status == 1
    assert "the hub may not be asked" in said


def test_weights_in_a_folder_are_all_there_is_to_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = {"engines.ultravox.checkpoint": str(CHECKPOINTS[1]), "engines.hub.offline": "true"}
    status, said = check(tmp_path, capsys, **here, **{"engines.ultravox.window": "1024"})
    assert status == 0
    assert "all on this disk" in said


def test_a_damaged_checkpoint_is_told_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(CHECKPOINTS[1], tmp_path / "it")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-100])
    status, said = check(tmp_path, capsys, **{"engines.ultravox.checkpoint": str(folder)})
    assert status == 1
    assert "is cut short" in said


def stored(cache: Path, name: str, folder: Path) -> None:
    """A repository of the hub's cache with these files."""
    repository, commit = Stored(cache, name), "1" * 40
    files = {file.name: Entry(file.stat().st_size, "2" * 40) for file in folder.iterdir()}
    repository.keep(commit, Listing(files))
    shutil.copytree(folder, repository.snapshot(commit))
    (repository.folder / "refs").mkdir()
    (repository.folder / "refs" / "main").write_text(commit)


def test_what_lacks_of_a_release_is_named_part_by_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Projector, language model and encoder in repositories of their own."""
    folders = taken_apart(CHECKPOINTS[0], tmp_path / "apart")
    cache = tmp_path / "cache"
    of = {
        "engines.ultravox.checkpoint": "someone/ultravox",
        "engines.hub.cache": str(cache),
        "engines.ultravox.window": "1024",
    }
    lacking = ["someone/ultravox", "someone/text and someone/audio", "someone/audio"]
    for folder, expected in zip(folders, lacking, strict=True):
        status, said = check(tmp_path, capsys, **of)
        assert status == 0
        assert f"{expected} (" in said
        assert "will be downloaded to" in said
        stored(cache, f"someone/{folder.name}", folder)
    assert "all on this disk" in check(tmp_path, capsys, **of)[1]


def test_the_probe_tells_of_this_interpreter() -> None:
    from ultraandchat.engines.ultravox.probe import facts

    found = json.loads(msgspec.json.encode(facts()))
    assert found["python"].startswith("3.")
    assert "huggingface_hub" in found["versions"]
