"""The library speaks and can be stopped; where it does not load, the program does the same."""

import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.espeak_model import RATE, VOICES, EspeakProgram, open_model

HEADER = "printf 'RIFF....WAVEfmt \\020\\0\\0\\0\\001\\0\\001\\0\\042\\126\\0\\0........data....'\n"


def program(folder: Path, script: str) -> EspeakProgram:
    path = folder / "espeak-ng"
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    return EspeakProgram(str(path))


def silent(stage: str, done: int, total: int) -> None:
    pass


def never() -> bool:
    return False


def test_without_the_library_the_program_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    program(tmp_path, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert isinstance(open_model(silent), EspeakProgram)


def test_without_both_it_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineUnavailable, match="apt install espeak-ng"):
        open_model(silent)


@pytest.mark.skipif(
    shutil.which("espeak-ng") is None and "CI" not in os.environ,
    reason="a fallback few machines need",
)
@pytest.mark.parametrize("voice", VOICES)
def test_the_real_program_speaks_with_every_voice(voice: str) -> None:
    model = EspeakProgram(str(shutil.which("espeak-ng")))
    blocks = list(model.synthesize(never, "It is ten past four.", voice, 1.0))
    assert all(block.dtype == np.int16 for block in blocks)
    sound = np.concatenate(blocks)
    assert 0.7 < len(sound) / RATE < 3
    assert np.max(np.abs(sound)) > 3000


def test_the_first_sound_of_the_program_does_not_wait_for_its_last(tmp_path: Path) -> None:
    model = program(tmp_path, f"cat >/dev/null\n{HEADER}yes xxxxxxx")
    sound = model.synthesize(never, "Yes.", "en-us", 1.0)
    assert len(next(sound)) > 0
    sound.close()


def test_the_program_is_killed_when_nobody_listens(tmp_path: Path) -> None:
    script = f"cat >/dev/null\necho $$ > {tmp_path}/pid\n{HEADER}exec yes xxxxxxx"
    begun = time.monotonic()
    list(program(tmp_path, script).synthesize((tmp_path / "pid").exists, "Yes.", "en-us", 1.0))
    assert time.monotonic() - begun < 20
    assert not Path("/proc", (tmp_path / "pid").read_text().strip() or "none").exists()


def test_a_program_that_fails_is_an_engine_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="exit code 3"):
        list(program(tmp_path, "exit 3").synthesize(never, "Yes.", "en-us", 1.0))


def test_sound_of_another_rate_is_an_engine_error(tmp_path: Path) -> None:
    script = f"cat >/dev/null\n{HEADER.replace('042', '043')}yes"
    with pytest.raises(EngineError, match="22050 Hz"):
        list(program(tmp_path, script).synthesize(never, "Yes.", "en-us", 1.0))
