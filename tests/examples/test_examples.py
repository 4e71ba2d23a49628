"""Each example, run as a person would run it."""

import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUESTION = ROOT / "tests/data/speech/goforward.wav"
PATIENCE_S = 60


def example(name: str, *arguments: str | Path) -> str:
    """What it prints."""
    command = [sys.executable, ROOT / "examples" / name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def seconds(file: Path) -> float:
    with wave.open(str(file)) as sound:
        return sound.getnframes() / sound.getframerate()


@contextmanager
def server(*arguments: str) -> Iterator[str]:
    """A scripted one in a process of its own; gives the first address that it prints."""
    command = [sys.executable, "-m", "ultraandchat", "serve", "--profile", "scripted", *arguments]
    command += ["--port", "0", "--set", "logs.directory=", "--set", "engines.scripted.clause_s=0.3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = list(takewhile(lambda line: not line.startswith("Ready"), process.stdout))
            yield next(line.strip() for line in lines if line.strip().startswith("http"))
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def test_a_file_is_answered_by_a_file(tmp_path: Path) -> None:
    printed = example("file_to_file.py", QUESTION, tmp_path / "answer.wav")
    assert "agent: One two three. Four five six." in printed
    assert seconds(tmp_path / "answer.wav") == pytest.approx(1.0, abs=0.1)


def test_an_own_voice_speaks_every_clause(tmp_path: Path) -> None:
    text = "Good morning. How are you?"
    printed = example("own_synthesizer.py", tmp_path / "hum.wav", text)
    assert "clause 0: Good morning." in printed
    assert seconds(tmp_path / "hum.wav") == pytest.approx(5 * 0.2, abs=0.05)


@pytest.mark.parametrize("arguments", [(), ("--host", "0.0.0.0")])
def test_a_client_without_a_browser_prints_its_latencies(arguments: tuple[str, ...]) -> None:
    """Without a token, and with the one in the address."""
    with server(*arguments) as url:
        printed = example("headless_client.py", url, QUESTION)
    assert "first sound after" in printed
    assert "end silence" in printed
    assert "One two three." in printed
