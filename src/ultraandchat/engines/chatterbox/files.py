"""A folder with a release of Chatterbox: which files it must hold, and the tensors that each of them has.

The two weights of the multilingual release that are pickles, and the voice that comes with each release, are
read with `torch.load(weights_only=True)`, which makes tensors and runs nothing. No other pickle is opened.
"""

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import safe_open

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox.release import needed
from ultraandchat.engines.chatterbox.variants import ENGINE, Variant
from ultraandchat.engines.weights.stored import TENSORS_ONLY
from ultraandchat.engines.weights.tensors import FETCH_AGAIN, Stored, header

KINDS = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64"}
"""As safetensors names them."""


class Get(Protocol):
    """One tensor of an opened file, on the device that it was opened for."""

    def __call__(self, name: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A file with tensors."""

    tensors: Mapping[str, Stored]
    get: Get


def require(folder: Path, variant: Variant) -> None:
    """`EngineUnavailable` where the folder lacks a file of this release."""
    for name in needed(variant):
        if not (folder / name).is_file():
            raise EngineUnavailable(
                ENGINE,
                f"{folder} has no {name}, which Chatterbox {variant.name} needs",
                "Set engines.chatterbox.checkpoint to a folder or repository that has, or"
                " engines.chatterbox.variant to the release that is there.",
            )


@contextmanager
def opened(file: Path, device: str) -> Iterator[Opened]:
    """The file's tensors, read when they are asked for. `EngineUnavailable` where it cannot be read."""
    try:
        if file.name in TENSORS_ONLY:
            held = unpickled(file)
            described = {name: _described(file, name, one) for name, one in held.items()}
            yield Opened(described, lambda name: held[name].to(device))
            return
        tensors = header(file, ENGINE)
        with safe_open(file, framework="pt", device=device) as whole:
            yield Opened(tensors, whole.get_tensor)
    except OSError as error:
        raise EngineUnavailable(
            ENGINE, f"{file} cannot be read ({error.strerror})", "Look at the disk and its rights."
        ) from None


def unpickled(file: Path) -> Any:
    """What `torch.save` put there, if it is nothing but tensors, numbers and containers."""
    if file.name not in TENSORS_ONLY:
        raise ValueError(f"{file.name} is not one of the pickles that are opened")
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise EngineUnavailable(
            ENGINE, f"{file} is cut short, or holds something else than tensors", FETCH_AGAIN
        ) from error


def _described(file: Path, name: str, value: Any) -> Stored:
    if not isinstance(value, torch.Tensor):
        raise EngineUnavailable(ENGINE, f"{name} in {file} is no tensor", FETCH_AGAIN)
    return Stored(file, name, KINDS.get(value.dtype, str(value.dtype)), tuple(value.shape))
