"""Whether an interpreter's torch can use this machine's GPU, judged from facts before anything is computed.

Otherwise CUDA says so in the first kernel, as "no kernel image is available", or torch that there is no GPU.
The facts are gathered by `probe.py`; here nothing is imported, so the server and its worker judge alike.
"""

import re
from collections.abc import Mapping

import msgspec

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox.tensors import ENGINE

NEEDED: Mapping[str, tuple[int, ...]] = {
    "torch": (2, 9),
    "transformers": (5, 18),
    "safetensors": (0, 8),
    "tokenizers": (0, 23, 1),
    "huggingface_hub": (2, 4),
}
"""The oldest that will do, as the extra `gpu` asks for them."""

DRIVERS = {11: "450.80", 12: "525.60", 13: "580.65"}
"""CUDA's major version → the oldest driver for Linux with which its programs run (CUDA's release notes)."""

EXTRA = 'pip install "ultraandchat[gpu]" -c constraints-gpu.txt'
NEWER_BUILD = "pip install --upgrade torch torchaudio -c constraints-gpu.txt"
OLDER_BUILD = (
    "pip install --force-reinstall torch torchaudio"
    " --index-url https://download.pytorch.org/whl/cu126"
)
"""CUDA 12.6: for drivers before 580, and the last for GPUs before Turing. torchaudio, which Chatterbox imports,
refuses a torch of another CUDA."""

WITHOUT = "use --profile demo (engines.ultravox.device=cpu is for tiny models)."


class Device(msgspec.Struct, frozen=True):
    """A GPU as torch sees it."""

    name: str
    capability: tuple[int, int]
    """Such as (9, 0)."""


class Facts(msgspec.Struct, frozen=True):
    """What `probe.py` found in an interpreter."""

    python: str
    """Its version."""
    versions: dict[str, str]
    """Of the packages in `NEEDED` that are there."""
    fault: str = ""
    """Why torch cannot be imported, where it is there and cannot."""
    cuda: str = ""
    """That torch is built with; empty for a build without."""
    archs: tuple[str, ...] = ()
    """What that build has kernels for: "sm_90", "compute_120"."""
    driver_cuda: int = 0
    """The newest CUDA that the driver knows, as 1000 · major + 10 · minor; 0 without a driver."""
    devices: tuple[Device, ...] = ()

    @property
    def about(self) -> str:
        """Versions in one line."""
        built = f"CUDA {self.cuda}" if self.cuda else "no CUDA"
        found = [f"{name} {version}" for name, version in self.versions.items()]
        return f"Python {self.python}, {', '.join(found[:2])}, {built}"


def require(facts: Facts, index: int | None, engine: str = ENGINE) -> None:
    """`EngineUnavailable` of this engine unless it can run: on the GPU of this number, or on the processor for None."""
    try:
        _require_packages(facts)
        if index is not None:
            _require_cuda(facts)
            _require_device(facts, index)
    except EngineUnavailable as error:
        remedy = error.remedy.replace(f"engines.{ENGINE}.", f"engines.{engine}.")
        raise EngineUnavailable(engine, error.reason, remedy) from None


def _require_packages(facts: Facts) -> None:
    absent = [name for name in NEEDED if name not in facts.versions]
    if absent:
        raise _unfit(f"{' and '.join(absent)} not installed for Python {facts.python}", EXTRA)
    if facts.fault:
        raise _unfit(f"torch cannot be imported ({facts.fault})", EXTRA)
    for name, oldest in NEEDED.items():
        if _numbers(facts.versions[name]) < oldest:
            at_least = ".".join(map(str, oldest))
            raise _unfit(f"{name} {facts.versions[name]} is older than {at_least}", EXTRA)


def _require_cuda(facts: Facts) -> None:
    torch = f"torch {facts.versions['torch']}"
    if not facts.driver_cuda:
        raise _unfit(
            "there is no GPU with NVIDIA's driver here, or this container does not show it",
            f"Install the driver, run the container with --gpus all, or {WITHOUT}",
        )
    if not facts.cuda:
        raise _unfit(
            f"{torch} is built without CUDA", f"{NEWER_BUILD} --force-reinstall, from PyPI."
        )
    knows, built = divmod(facts.driver_cuda, 1000), _numbers(facts.cuda)
    if knows[0] < built[0]:
        driver = DRIVERS.get(built[0])
        newer = f"a driver of {driver} or newer" if driver else "a newer driver"
        raise _unfit(
            f"the driver knows CUDA up to {knows[0]}.{knows[1] // 10}, and {torch} is built with {facts.cuda}",
            f"Install {newer}; or a build for this one: {OLDER_BUILD}",
        )


def _require_device(facts: Facts, index: int) -> None:
    if not facts.devices:
        raise _unfit(
            "torch finds no GPU here",
            f"Look at nvidia-smi and CUDA_VISIBLE_DEVICES, or {WITHOUT}",
        )
    if index >= len(facts.devices):
        last = len(facts.devices) - 1
        raise _unfit(
            f"torch finds no GPU of number {index} here, only {last + 1} from 0 on",
            f"Set engines.ultravox.device=cuda:{last}.",
        )
    device = facts.devices[index]
    if not facts.archs or any(_runs(arch, device.capability) for arch in facts.archs):
        return
    own = 10 * device.capability[0] + device.capability[1]
    newest = max(_arch(arch)[1] for arch in facts.archs)
    reason = (
        f"{device.name} has compute capability {device.capability[0]}.{device.capability[1]}, and torch"
        f" {facts.versions['torch']} is built for {' '.join(facts.archs)} only"
    )
    raise _unfit(reason, NEWER_BUILD if own > newest else OLDER_BUILD)


def _runs(arch: str, capability: tuple[int, int]) -> bool:
    """That code for `arch` runs on such a GPU: binaries on the same major version from their minor one on,
    those of one chip (sm_90a) on it alone, PTX (compute_120) on all that are as new."""
    kind, number, alone = _arch(arch)
    own = 10 * capability[0] + capability[1]
    if alone:
        return own == number
    return number <= own and (kind == "compute" or number // 10 == capability[0])


def _arch(text: str) -> tuple[str, int, bool]:
    found = re.fullmatch(r"(sm|compute)_(\d+)([a-z]?)", text)
    return (found[1], int(found[2]), bool(found[3])) if found else ("", 0, True)


def _numbers(version: str) -> tuple[int, ...]:
    """Of "2.13.0+cu130": (2, 13, 0)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def _unfit(reason: str, remedy: str) -> EngineUnavailable:
    return EngineUnavailable(ENGINE, reason, remedy)
