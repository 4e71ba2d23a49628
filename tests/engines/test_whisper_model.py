"""Where Whisper runs, with what, and what its failures mean; faster-whisper and CTranslate2 are fakes.

They are fakes of what a GPU and its libraries do, which no test here has. The real ones, on the processor, are in
`tests/models/test_whisper.py`.
"""

import ctypes
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ultraandchat.audio.frame import HEARING_RATE
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.whisper_model import NEEDED, REPOSITORIES, Whisper, open_model
from ultraandchat.engines.worker_wire import Poisoned

NOISE = np.full(HEARING_RATE, 5, np.int16)


@dataclass
class Segment:
    text: str
    avg_logprob: float = -0.2
    compression_ratio: float = 1.0
    no_speech_prob: float = 0.0


class Machine:
    """GPUs, libraries and a model, as these fakes pretend."""

    def __init__(self) -> None:
        self.gpus = 0
        self.libraries: set[str] = set()
        self.load_error: Exception | None = None
        self.run_error: Exception | None = None
        self.said = [Segment(" Hello."), Segment(" there.")]
        self.loaded: dict[str, Any] = {}
        self.asked: dict[str, Any] = {}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()

    class WhisperModel:
        supported_languages = ("en", "de")

        def __init__(self, path: str, **options: Any) -> None:
            if made.load_error is not None:
                raise made.load_error
            made.loaded = {"path": path, **options}

        def transcribe(self, sound: Any, **options: Any) -> tuple[Iterator[Segment], None]:
            made.asked = {"seconds": len(sound) / HEARING_RATE, **options}
            return self._segments(), None

        def _segments(self) -> Iterator[Segment]:
            if made.run_error is not None:
                raise made.run_error
            yield from made.said

    def opened(name: str, mode: int = 0) -> object:
        if Path(name).name not in made.libraries:
            raise OSError(f"{name}: cannot open shared object file")
        return object()

    faster_whisper, ctranslate2 = ModuleType("faster_whisper"), ModuleType("ctranslate2")
    faster_whisper.WhisperModel = WhisperModel  # type: ignore[attr-defined]
    ctranslate2.get_cuda_device_count = lambda: made.gpus  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper", faster_whisper)
    monkeypatch.setitem(sys.modules, "ctranslate2", ctranslate2)
    monkeypatch.setattr(ctypes, "CDLL", opened)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NEEDED:
        (tmp_path / name).write_text("{}")
    return tmp_path


def opened(folder: Path, **changed: Any) -> Whisper:
    arguments: dict[str, Any] = {
        "model": str(folder),
        "revision": "",
        "device": "auto",
        "precision": "auto",
        "language": "",
        "offline": True,
        "cache": "",
        "endpoint": "",
        "token": "",
    }
    return open_model(lambda stage, done, total: None, **{**arguments, **changed})


def test_on_a_processor_it_is_in_eight_bits(machine: Machine, folder: Path) -> None:
    whisper = opened(folder)
    assert (machine.loaded["device"], machine.loaded["compute_type"]) == ("cpu", "int8")
    assert "int8, on the processor" in whisper.about(lambda: False)


@pytest.mark.parametrize(("device", "index"), [("auto", 0), ("cuda", 0), ("cuda:1", 1)])
def test_on_a_gpu_it_is_in_halves(machine: Machine, folder: Path, device: str, index: int) -> None:
    machine.gpus, machine.libraries = 2, {"libcublasLt.so.12", "libcublas.so.12"}
    opened(folder, device=device)
    assert machine.loaded["device"] == "cuda"
    assert machine.loaded["device_index"] == index
    assert machine.loaded["compute_type"] == "float16"


def test_a_gpu_that_is_not_there_is_refused(machine: Machine, folder: Path) -> None:
    with pytest.raises(EngineUnavailable, match="no GPU cuda:3") as raised:
        opened(folder, device="cuda:3")
    assert "engines.whisper.device=cpu" in raised.value.remedy


@pytest.mark.parametrize("there", [set(), {"libcublasLt.so.12"}])
def test_a_gpu_without_its_library_is_refused_with_the_command(
    machine: Machine, folder: Path, there: set[str]
) -> None:
    machine.gpus, machine.libraries = 1, there
    with pytest.raises(EngineUnavailable, match=r"libcublas(Lt)?\.so\.12") as raised:
        opened(folder, device="cuda")
    assert 'pip install "nvidia-cublas-cu12' in raised.value.remedy


def test_unasked_it_then_takes_the_processor_and_says_why(machine: Machine, folder: Path) -> None:
    machine.gpus = 1
    about = opened(folder).about(lambda: False)
    assert machine.loaded["device"] == "cpu"
    assert "on the processor: libcublasLt.so.12 (CUDA 12) is not here" in about
    assert "nvidia-cublas-cu12" in about


def test_halves_on_a_processor_are_refused(machine: Machine, folder: Path) -> None:
    with pytest.raises(EngineUnavailable, match="no fp16 on the processor"):
        opened(folder, precision="fp16")


def test_a_language_it_does_not_know_is_refused(machine: Machine, folder: Path) -> None:
    with pytest.raises(EngineUnavailable, match="no language xx"):
        opened(folder, language="xx")


@pytest.mark.parametrize("missing", NEEDED)
def test_a_folder_without_all_its_files_is_refused(
    machine: Machine, folder: Path, missing: str
) -> None:
    (folder / missing).unlink()
    with pytest.raises(EngineUnavailable, match=missing):
        opened(folder)
    assert not machine.loaded


def test_too_little_memory_for_the_model_is_told(machine: Machine, folder: Path) -> None:
    machine.load_error = RuntimeError("CUDA failed with error out of memory")
    with pytest.raises(EngineUnavailable, match="no memory left") as raised:
        opened(folder)
    assert "engines.whisper.model=small" in raised.value.remedy


def test_without_faster_whisper_it_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(EngineUnavailable, match="cannot be imported") as raised:
        opened(folder)
    assert "pip install" in raised.value.remedy


def test_it_is_asked_greedily_for_this_window_alone(machine: Machine, folder: Path) -> None:
    whisper = opened(folder, language="de")
    assert list(whisper.transcribe(lambda: False, NOISE)) == [" Hello.", " there."]
    wanted = {"beam_size": 1, "temperature": 0.0, "language": "de", "vad_filter": False}
    assert wanted.items() <= machine.asked.items()
    assert machine.asked["without_timestamps"] is True
    assert machine.asked["condition_on_previous_text"] is False


def test_what_nobody_said_is_left_out(machine: Machine, folder: Path) -> None:
    machine.said = [Segment(" Go on."), Segment(" Thank you.", no_speech_prob=0.5)]
    assert list(opened(folder).transcribe(lambda: False, NOISE)) == [" Go on."]


def test_out_of_memory_costs_the_utterance(machine: Machine, folder: Path) -> None:
    whisper = opened(folder)
    machine.run_error = RuntimeError("CUDA failed with error out of memory")
    with pytest.raises(EngineError, match="no memory left"):
        list(whisper.transcribe(lambda: False, NOISE))


def test_any_other_failure_of_the_gpu_costs_the_process(machine: Machine, folder: Path) -> None:
    whisper = opened(folder)
    machine.run_error = RuntimeError("CUDA failed with error an illegal memory access")
    with pytest.raises(Poisoned, match="GPU"):
        list(whisper.transcribe(lambda: False, NOISE))


def test_every_short_name_is_a_repository() -> None:
    assert all("/" in name for name in REPOSITORIES.values())
    assert {"large-v3-turbo", "base.en", "small"} <= set(REPOSITORIES)
