"""What a device's errors mean: this reply's end, or this process's."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from ultraandchat.engines.base import EngineError
from ultraandchat.engines.worker_wire import Poisoned

T = TypeVar("T")

LOST = (
    "device-side assert",
    "cuda error",
    "cudnn error",
    "cublas_status",
    "unknown error",
    "an illegal memory access",
    "no cuda gpus are available",
    "nvml",
)
"""In the texts of errors after which nothing on the device can be relied on: the context is spoilt, or
the card has gone. A process that was told one of these gets no other answer any more."""


@contextmanager
def explained(engine: str, make_room: Callable[[], None]) -> Iterator[None]:
    """Errors of the device as the worker's callers know them: `EngineError` of this engine, or `Poisoned`.

    `make_room` frees what can be had again.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        make_room()
        raise EngineError(engine, "the graphics card is out of memory") from None
    except RuntimeError as error:
        said = str(error).lower()
        if "out of memory" in said:  # the driver's own, from outside of torch's allocator
            make_room()
            raise EngineError(engine, "the graphics card is out of memory") from None
        if any(sign in said for sign in LOST):
            raise Poisoned("the graphics card failed") from error
        raise


def stepwise(
    engine: str, steps: Generator[T, None, None], make_room: Callable[[], None]
) -> Generator[T, None, None]:
    """`steps`, each with its errors `explained`."""
    with explained(engine, make_room):
        yield from steps
