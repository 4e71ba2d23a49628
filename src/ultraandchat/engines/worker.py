"""A model in a process of its own: opened here, used through `Worker` (`worker_calls.py`).

`worker_link.py` is one life of its process, `worker_process.py` runs inside it, `worker_wire.py` is what
the two say to each other and what a model is written against.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.worker_calls import Worker
from ultraandchat.engines.worker_link import Loss
from ultraandchat.engines.worker_spec import WorkerSpec
from ultraandchat.engines.worker_status import WorkerStatus

__all__ = [
    "Begun",
    "Worker",
    "WorkerSpec",
    "WorkerStatus",
    "nobody",
    "one_error",
    "open_worker",
    "open_workers",
]

Begun: TypeAlias = Callable[[tuple[Worker, ...]], None]
"""Given workers as soon as they exist, so that their loading can be watched: ask their `status`."""


def nobody(workers: tuple[Worker, ...]) -> None:
    """Watches nothing."""


@asynccontextmanager
async def open_worker(spec: WorkerSpec, begun: Begun = nobody) -> AsyncIterator[Worker]:
    """A worker whose model is loaded; its process ends with the block.

    `EngineUnavailable` or `EngineError`, with the child's reason, if the model cannot be loaded.
    """
    async with open_workers(spec, begun=begun) as (worker,):
        yield worker


@asynccontextmanager
async def open_workers(
    *specs: WorkerSpec, begun: Begun = nobody
) -> AsyncIterator[tuple[Worker, ...]]:
    """Several at once, which load beside each other."""
    workers = tuple(Worker(spec) for spec in specs)
    begun(workers)
    loop = asyncio.get_running_loop()
    with one_error():
        async with asyncio.TaskGroup() as group:
            started: list[tuple[asyncio.Future[Loss | None], asyncio.Task[None]]] = []
            for worker in workers:
                first: asyncio.Future[Loss | None] = loop.create_future()
                name = f"{worker.spec.name} supervisor"
                started.append((first, group.create_task(worker.supervise(first), name=name)))
            try:
                for worker, (first, _) in zip(workers, started, strict=True):
                    # Bounded as long as loading goes on: the supervisor gives up after `start_timeout_s`.
                    _raise(worker.spec.name, await first)
                yield workers
            finally:
                for _, supervisor in started:
                    supervisor.cancel()


def _raise(name: str, loss: Loss | None) -> None:
    if loss is not None:
        if loss.remedy:
            raise EngineUnavailable(name, loss.reason, loss.remedy)
        raise EngineError(name, loss.reason)


@contextlib.contextmanager
def one_error() -> Iterator[None]:
    """A task group wraps the block's own exception; the caller wants it as it was raised."""
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) != 1:
            raise
        raise group.exceptions[0] from None
