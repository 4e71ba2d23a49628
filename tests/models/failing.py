"""A worker's factory: the tiny Ultravox on a card that fails whenever a file says so."""

from pathlib import Path
from typing import Any

import torch

from ultraandchat.engines.ultravox.model import open_model
from ultraandchat.engines.ultravox.ultravox import Ultravox
from ultraandchat.engines.worker_wire import Progress

FAULTS = {
    "assert": lambda: RuntimeError("CUDA error: device-side assert triggered"),
    "memory": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
}


def open_failing(progress: Progress, *, fault: str, **arguments: Any) -> Ultravox:
    """`fault`: path of the file; its text names the next pass's fault, which then is over."""
    model, file = open_model(progress, **arguments), Path(fault)

    def fail(*passed: object) -> None:
        if file.exists():
            kind = file.read_text()
            file.unlink()
            raise FAULTS[kind]()

    model._loaded.language.register_forward_pre_hook(fail)
    return model
