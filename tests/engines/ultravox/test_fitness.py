"""torch against driver and GPU: what fits runs, and what does not is told with what mends it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox.fitness import NEEDED, NEWER_BUILD, Device, Facts, require

ROOT = Path(__file__).parents[3]

VERSIONS = {
    "torch": "2.13.0+cu130",
    "transformers": "5.23.0",
    "safetensors": "0.8.0",
    "tokenizers": "0.23.3",
    "huggingface_hub": "2.4.0",
}
ARCHS = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120")
H100 = Device("NVIDIA H100", (9, 0))
GOOD = Facts("3.11.9", VERSIONS, "", "13.0", ARCHS, 13_000, (H100,))


def changed(**changes: Any) -> Facts:
    return msgspec.structs.replace(GOOD, **changes)


def refusal(facts: Facts, index: int | None = 0) -> EngineUnavailable:
    with pytest.raises(EngineUnavailable) as refused:
        require(facts, index)
    return refused.value


def test_what_fits_is_not_spoken_of() -> None:
    require(GOOD, 0)
    require(changed(cuda="", archs=(), driver_cuda=0, devices=()), None)  # on the processor


@dataclass(frozen=True)
class Pair:
    """A GPU, and builds of torch."""

    capability: tuple[int, int]
    archs: str
    runs: bool


PAIRS = [
    Pair((9, 0), "sm_80 sm_90", True),
    Pair((8, 9), "sm_80 sm_86 sm_90", True),  # Ada runs what was built for Ampere
    Pair((8, 0), "sm_86 sm_90", False),  # an older minor version does not
    Pair((12, 0), "sm_50 sm_80 sm_90", False),  # Blackwell, torch of 2024
    Pair((10, 0), "sm_90 sm_120", False),
    Pair((12, 1), "sm_120", True),
    Pair((12, 0), "sm_90 compute_90", True),  # PTX is compiled for it by the driver
    Pair((8, 0), "compute_90", False),
    Pair((10, 0), "sm_90a", False),
    Pair((9, 0), "sm_90a", True),
    Pair((6, 1), "sm_75 sm_80", False),
]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_kernels_run_on_the_gpus_that_they_are_built_for(pair: Pair) -> None:
    facts = changed(
        archs=tuple(pair.archs.split()), devices=(Device("NVIDIA Some", pair.capability),)
    )
    if pair.runs:
        require(facts, 0)
    else:
        assert "NVIDIA Some has compute capability" in refusal(facts).reason


def test_blackwell_on_an_old_torch_wants_a_newer_one() -> None:
    facts = changed(
        versions={**VERSIONS, "torch": "2.9.0+cu124"},
        cuda="12.4",
        archs=("sm_50", "sm_80", "sm_90"),
        devices=(Device("NVIDIA GeForce RTX 5090", (12, 0)),),
    )
    refused = refusal(facts)
    assert refused.reason == (
        "NVIDIA GeForce RTX 5090 has compute capability 12.0, and torch 2.9.0+cu124 is built for"
        " sm_50 sm_80 sm_90 only"
    )
    assert refused.remedy == NEWER_BUILD


def test_a_gpu_that_new_builds_have_given_up_wants_an_older_one() -> None:
    refused = refusal(changed(devices=(Device("Tesla V100", (7, 0)),)))
    assert "cu126" in refused.remedy


def test_a_driver_older_than_torchs_cuda_is_told_with_the_one_it_needs() -> None:
    """As on a pod whose host has driver 570: torch itself says only that there is no GPU."""
    refused = refusal(changed(driver_cuda=12_080, devices=()))
    assert "knows CUDA up to 12.8, and torch 2.13.0+cu130 is built with 13.0" in refused.reason
    assert "580.65" in refused.remedy
    assert "cu126" in refused.remedy


def test_within_one_major_version_an_older_driver_will_do() -> None:
    require(changed(cuda="12.6", driver_cuda=12_020), 0)


def test_no_driver_no_cuda_in_torch_and_no_gpu_are_three_things() -> None:
    assert "no GPU with NVIDIA's driver" in refusal(changed(driver_cuda=0, devices=())).reason
    assert "without CUDA" in refusal(changed(cuda="", archs=(), devices=())).reason
    assert "CUDA_VISIBLE_DEVICES" in refusal(changed(devices=())).remedy


def test_a_gpu_of_another_number_is_told_with_those_that_are_there() -> None:
    assert refusal(GOOD, 1).remedy == "Set engines.ultravox.device=cuda:0."


@pytest.mark.parametrize("package", list(NEEDED))
def test_a_package_that_lacks_is_named(package: str) -> None:
    versions = {name: version for name, version in VERSIONS.items() if name != package}
    refused = refusal(changed(versions=versions), None)
    assert refused.reason == f"{package} not installed for Python 3.11.9"
    assert "ultraandchat[gpu]" in refused.remedy


def test_a_package_that_is_too_old_is_named() -> None:
    refused = refusal(changed(versions={**VERSIONS, "transformers": "4.57.6"}))
    assert refused.reason == "transformers 4.57.6 is older than 5.18"


def test_a_torch_that_cannot_be_imported_says_why() -> None:
    assert "libcudart.so.13" in refusal(changed(fault="libcudart.so.13: cannot open")).reason


def test_what_is_needed_is_what_the_extra_asks_for() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for name, oldest in NEEDED.items():
        asked = next(line for line in extras["gpu"] if line.startswith(name))
        assert f">={'.'.join(map(str, oldest))}" in asked
