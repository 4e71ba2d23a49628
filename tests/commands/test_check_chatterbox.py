"""What `check` says of Chatterbox: its packages, memory beside Ultravox, weights and clips, as they may be."""

import argparse
import json
import wave
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.commands.test_check_ultravox import GB, TOKEN, _machine, disk  # noqa: F401
from tests.deploy.test_start import program
from tests.engines.ultravox.test_fitness import GOOD, changed
from tests.support.nvml import one_gpu
from ultraandchat.commands.check import run
from ultraandchat.config import Config
from ultraandchat.engines.chatterbox.fitness import NEEDED, WITHOUT_PINS
from ultraandchat.engines.chatterbox.release import needed, patterns
from ultraandchat.engines.chatterbox.variants import ORIGINAL, TURBO
from ultraandchat.engines.ultravox.fitness import Facts
from ultraandchat.engines.weights.stored import Entry, Listing, Stored

INSTALLED = {
    **{name: ".".join(map(str, oldest)) for name, oldest in NEEDED.items()},
    **WITHOUT_PINS,
    "setuptools": "80.10.2",
}


def interpreter(tmp_path: Path, facts: Facts = GOOD, **versions: str | None) -> str:
    """A Python that tells of itself so. A package of no version is not there."""
    there = {name: version for name, version in (INSTALLED | versions).items() if version}
    (tmp_path / "facts").write_text(msgspec.json.encode(facts).decode())
    (tmp_path / "versions").write_text(json.dumps(there))
    answers = (
        f'case "$*" in *installed*) cat {tmp_path}/versions ;; *) cat {tmp_path}/facts ;; esac'
    )
    return str(program(tmp_path / "python", f"#!/bin/sh\n{answers}\n"))


def check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], python: str = "", **more: Any
) -> tuple[int, str]:
    """Status and text, its lines unfolded."""
    python = python or interpreter(tmp_path)
    settings = {
        "engines.profile": "scripted",
        "server.port": "0",
        "logs.directory": "",
        "engines.language": "ultravox",
        "engines.speech": "chatterbox",
        "engines.ultravox.python": python,
        "engines.chatterbox.python": python,
        "engines.chatterbox.voices": str(tmp_path / "voices"),
        **TOKEN,
        **more,
    }
    overrides = [f"{name}={value}" for name, value in settings.items()]
    status = run(Config.load(environ={}, overrides=overrides), argparse.Namespace())
    return status, " ".join(capsys.readouterr().out.split())


def test_a_good_machine_can_start_and_is_told_what_it_will_download(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = check(tmp_path, capsys)
    assert status == 0, said
    assert "chatterbox-tts 0.1.7, resemble-perth 1.0.1" in said
    assert "memory for Ultravox 80.0 GB free, 4.0 of them for Chatterbox; it needs 21.1 GB" in said
    assert "memory for Chatterbox 80.0 GB free, 21.1 of them for Ultravox; it needs 4.0 GB" in said
    assert "ResembleAI/chatterbox-turbo (about 3.0 GB) will be downloaded to" in said
    assert f"voices default; clips in {tmp_path}/voices are voices" in said


@pytest.mark.parametrize(
    ("package", "version", "remedy"),
    [
        ("chatterbox-tts", None, "pip install --no-deps"),
        ("chatterbox-tts", "0.1.6", "pip install --no-deps"),
        ("librosa", None, "ultraandchat[gpu]"),
        ("setuptools", "84.0", "setuptools<81"),
    ],
)
def test_a_package_that_lacks_is_named_with_its_command(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    package: str,
    version: str | None,
    remedy: str,
) -> None:
    status, said = check(tmp_path, capsys, interpreter(tmp_path, **{package: version}))
    assert status == 1
    assert package in said
    assert remedy in said


@pytest.mark.parametrize("python", ["/nowhere/python", "false"])
def test_an_interpreter_that_gives_no_answer_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], python: str
) -> None:
    if python == "false":
        python = str(program(tmp_path / "bad", "#!/bin/sh\necho broken >&2\n"))
    status, said = check(tmp_path, capsys, **{"engines.chatterbox.python": python})
    assert status == 1
    assert python in said
    assert "Set engines.chatterbox.python" in said


def test_its_own_interpreters_torch_is_compared_with_the_driver(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old").mkdir()
    old = interpreter(tmp_path / "old", changed(driver_cuda=12_040, devices=()))
    status, said = check(tmp_path, capsys, **{"engines.chatterbox.python": old})
    assert status == 1
    assert "torch for Chatterbox: Install a driver of 580.65 or newer" in said


def test_a_card_that_bears_one_of_both_is_told_beforehand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one_gpu(monkeypatch, 16 * GB)  # 14.2 GB for Ultravox in eight bits, 4.0 for Chatterbox
    status, said = check(tmp_path, capsys)
    assert status == 1
    assert "memory for Ultravox: Set" in said
    one_gpu(monkeypatch, 20 * GB)
    status, said = check(tmp_path, capsys)
    assert status == 0, said
    assert "in int8" in said
    elsewhere = {"engines.language": "skills"}
    one_gpu(monkeypatch, 5 * GB)
    status, said = check(tmp_path, capsys, **elsewhere)
    assert status == 0, said
    assert "memory for Chatterbox 5.0 GB free" in said


def test_the_disk_must_hold_what_both_lack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk(monkeypatch, 19 * GB)  # 17.4 of Ultravox and 3.0
    status, said = check(tmp_path, capsys)
    assert status == 1
    assert "about 3.0 GB and 17.4 GB of Ultravox are to be downloaded" in said
    assert "engines.hub.cache" in said
    assert check(tmp_path, capsys, **{"engines.language": "skills"})[0] == 0


def test_offline_without_weights_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offline = {"engines.hub.offline": "true", "engines.language": "skills"}
    status, said = check(tmp_path, capsys, **offline)
    assert status == 1
    assert "ResembleAI/chatterbox-turbo not known to be whole on this disk" in said


def test_weights_that_are_here_are_not_downloaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, commit = tmp_path / "cache", "1" * 40
    repository = Stored(cache, TURBO.repository)
    repository.keep(commit, Listing({name: Entry(1, "2" * 40) for name in needed(TURBO)}))
    snapshot = repository.snapshot(commit)
    snapshot.mkdir(parents=True)
    for name in needed(TURBO):
        (snapshot / name).write_text("x")
    (repository.folder / "refs").mkdir()
    (repository.folder / "refs" / "main").write_text(commit)
    assert repository.whole("", patterns(TURBO))
    status, said = check(tmp_path, capsys, **{"engines.hub.cache": str(cache)})
    assert status == 0, said
    assert "weights of Chatterbox all on this disk" in said


def test_a_folder_of_another_release_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "original"
    folder.mkdir()
    for name in needed(ORIGINAL):
        (folder / name).touch()
    of = {"engines.chatterbox.checkpoint": str(folder)}
    status, said = check(tmp_path, capsys, **of)
    assert status == 1
    assert "has no t3_turbo_v1.safetensors" in said
    status, said = check(tmp_path, capsys, **of, **{"engines.chatterbox.variant": "original"})
    assert status == 0, said
    assert "all on this disk" in said


def test_clips_are_listed_with_what_is_wrong_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "voices"
    folder.mkdir()
    (folder / "noise.wav").write_bytes(b"no sound at all")
    with wave.open(str(folder / "hush.wav"), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(24_000)
        wav.writeframes(np.zeros(240_000, np.int16).tobytes())
    status, said = check(tmp_path, capsys)
    assert status == 0, said
    assert "voice noise" in said
    assert "voice hush" in said
    assert "docs/voices.md" in said
    status, said = check(tmp_path, capsys, **{"engines.voice": "hush"})
    assert status == 1
    assert "there is no voice hush" in said


def test_where_only_the_profile_chose_it_a_small_voice_is_no_reason_not_to_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = interpreter(tmp_path, **{"chatterbox-tts": None})
    profile = {"engines.profile": "gpu", "engines.speech": "profile", "engines.transcriber": "none"}
    status, said = check(tmp_path, capsys, python, **profile)
    assert status == 0, said
    assert "chatterbox-tts is not installed; " in said
    assert "speaks instead" in said
    assert "pip install --no-deps" in said


def test_where_only_the_profile_chose_it_the_card_is_ultravoxs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one_gpu(monkeypatch, 16 * GB)
    profile = {"engines.profile": "gpu", "engines.speech": "profile", "engines.transcriber": "none"}
    status, said = check(tmp_path, capsys, **profile)
    assert status == 0, said
    assert "memory for Ultravox 16.0 GB free; it needs" in said
    assert "memory for Chatterbox the GPU has 16.0 GB free, of which" in said
    assert "speaks instead" in said
