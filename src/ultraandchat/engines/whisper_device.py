"""Where Whisper is computed, in its worker process: CTranslate2's devices, types and libraries."""

import ctypes
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ultraandchat.engines.base import EngineUnavailable

Device: TypeAlias = Literal["cuda", "cpu"]
Precision: TypeAlias = Literal["auto", "fp16", "int8", "fp32"]

ON_CPU = "set engines.whisper.device=cpu"
CUBLAS = 'pip install "nvidia-cublas-cu12>=12.4,<13"'
"""581 MB, so not part of the extra `gpu`; `gpu-captions` holds it."""

TYPES: dict[tuple[Device, Precision], str] = {
    ("cuda", "auto"): "float16",
    ("cuda", "fp16"): "float16",
    ("cuda", "int8"): "int8_float16",
    ("cuda", "fp32"): "float32",
    ("cpu", "auto"): "int8",
    ("cpu", "int8"): "int8",
    ("cpu", "fp32"): "float32",
}
"""CTranslate2's names."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where it runs."""

    device: Device
    index: int = 0
    """Of several GPUs."""
    why: str = ""
    """Why it is not the GPU that is there; empty where there is nothing to say."""

    @property
    def shown(self) -> str:
        """In plain words."""
        where = "on the GPU" if self.device == "cuda" else "on the processor"
        return f"{where}: {self.why}" if self.why else where


def place(wish: str) -> Place:
    """For "auto", "cuda", "cuda:1" or "cpu". `EngineUnavailable` where a GPU is asked for by name and
    cannot be used; auto then is the processor, as captions are no reason not to start."""
    import ctranslate2

    if wish == "cpu":
        return Place("cpu")
    index = int(wish.partition(":")[2] or 0)
    if index >= ctranslate2.get_cuda_device_count():
        if wish == "auto":
            return Place("cpu")
        reason = f"there is no GPU {wish} here"
        raise EngineUnavailable("whisper", reason, f"{ON_CPU.capitalize()}.")
    if lacking := lacking_cublas():
        reason = f"{lacking} (CUDA 12) is not here"
        if wish == "auto":
            return Place("cpu", why=f"{reason} ({CUBLAS})")
        raise EngineUnavailable("whisper", reason, f"Run {CUBLAS}, or {ON_CPU}.")
    return Place("cuda", index)


def lacking_cublas() -> str:
    """The name of the library that is not here; empty where all is.

    CTranslate2 opens cuBLAS of CUDA 12 by its name. pip puts it where no loader looks, and torch brings
    that of CUDA 13; what is opened here already is found by that name.
    """
    folders = [Path(folder) / "lib" for folder in _package("nvidia", "cublas")]
    for name in ("libcublasLt.so.12", "libcublas.so.12"):  # the second needs the first
        if not any(_opens(path) for path in (*(str(folder / name) for folder in folders), name)):
            return name
    return ""


def _package(parent: str, child: str) -> Sequence[str]:
    """The folders of PARENT.CHILD, where it is installed."""
    if importlib.util.find_spec(parent) is None:
        return ()
    found = importlib.util.find_spec(f"{parent}.{child}")
    return () if found is None else found.submodule_search_locations or ()


def _opens(library: str) -> bool:
    try:
        ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True


def compute_type(where: Device, precision: Precision) -> str:
    """CTranslate2's name. `EngineUnavailable` for what is not made for that device."""
    if (kind := TYPES.get((where, precision))) is None:
        remedy = "Set engines.whisper.precision=auto."
        raise EngineUnavailable("whisper", f"there is no {precision} on the processor", remedy)
    return kind


def threads() -> int:
    """Half of the machine, four at most: it is not to be in the way."""
    return max(1, min(4, (os.cpu_count() or 2) // 2))
