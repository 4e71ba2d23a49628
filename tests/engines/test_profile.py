"""What "auto" is: the GPU's profile where it can run, else the demo's, with one line why."""

import importlib.util
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from tests.support.nvml import no_gpu, one_gpu
from ultraandchat.engines.profile import Settled, settle
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.ultravox.settings import UltravoxSettings
from ultraandchat.engines.weights.settings import HubSettings

GB = 10**9
AUTO = EnginesConfig()


Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def _hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A token, an empty cache on a large disk, and nothing that forbids to ask."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN", "hf_it")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(200 * GB, 0, 100 * GB))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra `gpu`."""
    look = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: object() if name == "torch" else look(name)
    )


def test_a_machine_without_a_gpu_has_the_demo_and_says_why(
    monkeypatch: pytest.MonkeyPatch, installed: None
) -> None:
    no_gpu(monkeypatch)
    settled = settle(AUTO)
    assert settled.engines.profile == "demo"
    assert settled.why == (
        "No Ultravox here: this machine has no NVIDIA GPU that its driver tells of."
    )


def test_a_large_gpu_has_ultravox(monkeypatch: pytest.MonkeyPatch, installed: None) -> None:
    one_gpu(monkeypatch, 80 * GB)
    settled = settle(AUTO)
    assert settled.engines.profile == "gpu"
    assert "ultravox-v0_6-llama-3_1-8b" in settled.why


@pytest.mark.parametrize(
    ("free", "checkpoint", "profile"),
    [
        (24 * GB, "fixie-ai/ultravox-v0_6-llama-3_1-8b", "gpu"),
        (16 * GB, "fixie-ai/ultravox-v0_6-llama-3_1-8b", "gpu"),  # in eight bits
        (8 * GB, "fixie-ai/ultravox-v0_6-llama-3_1-8b", "demo"),
        (8 * GB, "fixie-ai/ultravox-v0_5-llama-3_2-1b", "gpu"),
        (2 * GB, "fixie-ai/ultravox-v0_5-llama-3_2-1b", "demo"),
    ],
)
def test_it_depends_on_the_memory_that_is_free(
    monkeypatch: pytest.MonkeyPatch, installed: None, free: int, checkpoint: str, profile: str
) -> None:
    one_gpu(monkeypatch, free)
    settled = settle(EnginesConfig(ultravox=UltravoxSettings(checkpoint=checkpoint)))
    assert settled.engines.profile == profile


def test_too_little_memory_is_told_with_what_would_fit(
    monkeypatch: pytest.MonkeyPatch, installed: None
) -> None:
    one_gpu(monkeypatch, 8 * GB)
    assert "8.0 GB free" in settle(AUTO).why
    assert "ultravox-v0_5-llama-3_2-1b" in settle(AUTO).why


def test_a_gpu_without_torch_has_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    one_gpu(monkeypatch, 80 * GB)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "torch is not installed: pip install" in settle(AUTO).why


def test_another_interpreter_is_believed_to_have_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    one_gpu(monkeypatch, 80 * GB)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    config = EnginesConfig(ultravox=UltravoxSettings(python="/opt/gpu/bin/python"))
    assert settle(config).engines.profile == "gpu"


def test_a_gpu_that_is_not_there_is_none(monkeypatch: pytest.MonkeyPatch, installed: None) -> None:
    one_gpu(monkeypatch, 80 * GB)
    config = EnginesConfig(ultravox=UltravoxSettings(device="cuda:1"))
    assert settle(config).engines.profile == "demo"


def test_the_processor_is_never_chosen_unasked(
    monkeypatch: pytest.MonkeyPatch, installed: None
) -> None:
    one_gpu(monkeypatch, 80 * GB)
    assert settle(EnginesConfig(ultravox=UltravoxSettings(device="cpu"))).engines.profile == "demo"


@pytest.mark.parametrize("profile", ["gpu", "demo", "scripted"])
def test_what_the_operator_chose_is_taken_without_a_word(profile: str) -> None:
    config = EnginesConfig(profile=profile)  # type: ignore[arg-type]
    assert settle(config) == Settled(config, "")


def test_weights_that_will_not_come_leave_the_demo_instead_of_a_server_that_does_not_start(
    monkeypatch: pytest.MonkeyPatch, installed: None
) -> None:
    one_gpu(monkeypatch, 80 * GB)
    offline = EnginesConfig(hub=HubSettings(offline=True))
    assert "the hub may not be asked" in settle(offline).why
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(200 * GB, 0, 10 * GB))
    assert "about 17.4 GB are to be downloaded" in settle(AUTO).why
    monkeypatch.delenv("HF_TOKEN")
    why = settle(AUTO).why
    assert "meta-llama/Llama-3.1-8B-Instruct is given only to those who accepted" in why
    assert "HF_TOKEN" in why
    assert settle(AUTO).engines.profile == settle(offline).engines.profile == "demo"
