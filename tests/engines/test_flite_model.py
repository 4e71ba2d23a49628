"""The program is run for each clause, killed when nobody listens, and never waited for without end.

Programs that misbehave are small scripts in its place; `test_contract.py` runs the real one.
"""

import time
import wave
from pathlib import Path

import numpy as np
import pytest

from ultraandchat.engines import flite_model
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.flite import open_flite
from ultraandchat.engines.flite_model import FliteModel

LISTS = 'if [ "$1" = -lv ]; then echo "Voices available: kal slt rms"; exit; fi\n'


def program(folder: Path, script: str) -> str:
    """A stand-in for flite: `$6` is nothing, the last argument is the file to write."""
    path = folder / "flite"
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    return str(path)


def never() -> bool:
    return False


def test_only_voices_that_say_anything_at_16_khz_are_offered(tmp_path: Path) -> None:
    assert FliteModel(program(tmp_path, LISTS)).voices(never) == ["slt", "rms"]


def test_without_such_a_voice_it_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="none of the voices"):
        FliteModel(program(tmp_path, 'echo "Voices available: awb_time"'))


@pytest.mark.parametrize("script", ["exit 1", "kill -9 $$"])
def test_a_program_that_does_not_run_is_unavailable(tmp_path: Path, script: str) -> None:
    with pytest.raises(EngineUnavailable, match="does not run"):
        FliteModel(program(tmp_path, script))


async def test_a_machine_without_flite_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineUnavailable, match="apt install flite"):
        async with open_flite():
            pass


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "exit code 3"),
        ("cat >/dev/null; exit 0", "made no sound"),
        ("cat >/dev/null; kill -9 $$", "exit code -9"),
        ('cat >/dev/null; eval "echo junk >\\${$#}"', "made no sound"),
    ],
)
def test_a_failed_clause_is_an_engine_error(tmp_path: Path, script: str, reason: str) -> None:
    model = FliteModel(program(tmp_path, LISTS + script))
    with pytest.raises(EngineError, match=reason):
        list(model.synthesize(never, "Yes.", "slt", 1.0))


def test_a_program_that_hangs_is_killed_when_nobody_listens(tmp_path: Path) -> None:
    model = FliteModel(program(tmp_path, LISTS + f"echo $$ > {tmp_path}/pid; exec sleep 60"))
    begun = time.monotonic()
    assert list(model.synthesize((tmp_path / "pid").exists, "Yes.", "slt", 1.0)) == []
    assert time.monotonic() - begun < 20
    assert not Path("/proc", (tmp_path / "pid").read_text().strip() or "none").exists()


def test_a_program_that_hangs_is_killed_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = FliteModel(program(tmp_path, LISTS))
    monkeypatch.setattr(flite_model, "LONGEST_S", 0.2)
    program(tmp_path, LISTS + "exec sleep 60")
    with pytest.raises(EngineError, match="in time"):
        list(model.synthesize(never, "Yes.", "slt", 1.0))


def test_text_goes_in_by_stdin_and_speed_as_its_inverse(tmp_path: Path) -> None:
    log = tmp_path / "log"
    model = FliteModel(program(tmp_path, LISTS + f'echo "$@" > {log}; cat >> {log}; exit 1'))
    with pytest.raises(EngineError):
        list(model.synthesize(never, "-o x; rm -rf $HOME", "rms", 2.0))
    arguments, text = log.read_text().splitlines()
    assert arguments.startswith("-voice rms --setf duration_stretch=0.500 -f /dev/stdin -o ")
    assert text == "-o x; rm -rf $HOME"


def test_sound_of_another_rate_is_an_engine_error(tmp_path: Path) -> None:
    header = tmp_path / "kal.wav"
    with wave.open(str(header), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.ones(800, "<i2").tobytes())
    copy = f'cat >/dev/null; eval "cp {header} \\${{$#}}"'
    model = FliteModel(program(tmp_path, LISTS + copy))
    with pytest.raises(EngineError, match="16000 Hz"):
        list(model.synthesize(never, "Yes.", "slt", 1.0))
