"""A model in a process of its own, as the rest of the server uses it: ask it, or read its stream.

Jobs are done one at a time in the order in which they came. A crash, a hang or a stall costs the jobs
that were open, each an `EngineError`; the process is started anew, and calls made meanwhile wait a
little. `worker_link.py` is one life of the process, `worker_process.py` runs inside it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ultraandchat.engines.base import (
    EngineError,
    EngineOverloaded,
    EngineState,
    EngineUnavailable,
)
from ultraandchat.engines.worker_link import LinkLost, Loss, WorkerLink, WorkerSpec
from ultraandchat.engines.worker_wire import (
    Cancel,
    ChildMessage,
    Credit,
    Done,
    Failed,
    Item,
    Run,
    encode,
)

__all__ = ["Worker", "WorkerSpec", "WorkerStatus", "one_error", "open_worker", "open_workers"]

log = logging.getLogger("ultraandchat.worker")

HOPELESS = 5
"""Starts that failed in a row, after which the state is "failed". It is still tried, rarely."""


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """A worker as `/health` shows it."""

    state: EngineState
    load_s: float | None
    """How long its model took to load, the last time."""
    rss_bytes: int | None
    restarts: int
    failures: int
    """Jobs in which the model raised an exception; the process lived on."""
    reason: str
    """Why it is not ready, or was not the last time; empty if it never failed."""


class _Job:
    """A job that the child knows, until the child says that it is over."""

    def __init__(self, number: int, ahead: int) -> None:
        self.number = number
        self.ahead = ahead
        # Bounded by credits: `ahead` items and the end. A child that sends more is broken.
        self.outcomes: asyncio.Queue[Item | Done | EngineError] = asyncio.Queue(ahead + 1)
        self.wanted = True

    def put(self, outcome: Item | Done | EngineError) -> None:
        if not self.wanted:
            return
        if isinstance(outcome, Item) and self.outcomes.qsize() >= self.ahead:
            raise LinkLost("its process sent more than it was asked for")
        self.outcomes.put_nowait(outcome)


class Worker:
    """Made by `open_worker`."""

    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        self._jobs: dict[int, _Job] = {}
        self._numbers = 0
        self._waiting = 0
        self._link: WorkerLink | None = None
        self._up = asyncio.Event()
        self._state: EngineState = "loading"
        self._restarts = 0
        self._failures = 0
        self._reason = ""

    @property
    def pid(self) -> int | None:
        """Of the process that serves now; none while there is none."""
        return None if self._link is None else self._link.pid

    def status(self) -> WorkerStatus:
        link = self._link
        return WorkerStatus(
            state=self._state,
            load_s=None if link is None else link.load_s,
            rss_bytes=None if link is None else link.rss_bytes,
            restarts=self._restarts,
            failures=self._failures,
            reason=self._reason,
        )

    async def stream(
        self, method: str, *arguments: Any, ahead: int = 2
    ) -> AsyncGenerator[Any, None]:
        """What the model's generator `method` yields, as it is made; `aclose()` cancels the job.

        The model is at most `ahead` items in front of the reader, and stands still while the reader
        does: later jobs wait behind it, so a reader that pauses gives a generous `ahead`.
        """
        job = await self._begin(method, arguments, ahead)
        try:
            # Bounded in time: a job that makes no step ends as a stall, and its error lands here.
            while not isinstance(outcome := await job.outcomes.get(), Done):
                if isinstance(outcome, EngineError):
                    raise outcome
                if not outcome.last:
                    self._tell(job, Credit(job.number))
                yield outcome.value
                if outcome.last:
                    return
        finally:
            self._leave(job)

    async def ask(self, method: str, *arguments: Any) -> Any:
        """The answer of the model's function `method`; cancelling the call cancels the job."""
        async with aclosing(self.stream(method, *arguments, ahead=1)) as answers:
            async for answer in answers:
                return answer
        raise EngineError(self.spec.name, "the model gave no answer")

    async def _begin(self, method: str, arguments: tuple[Any, ...], ahead: int) -> _Job:
        name = self.spec.name
        if len(self._jobs) + self._waiting >= self.spec.max_jobs:
            raise EngineOverloaded(name, "it has too much to do at the moment")
        if not self._up.is_set():
            await self._wait_for_restart()
        self._numbers += 1
        try:
            frame = encode(Run(self._numbers, method, list(arguments), ahead))
        except (TypeError, ValueError, OverflowError) as error:
            raise EngineError(name, f"the request cannot be sent: {error}") from None
        job = self._jobs[self._numbers] = _Job(self._numbers, ahead)
        assert self._link is not None
        self._link.send(frame)
        return job

    async def _wait_for_restart(self) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(self.spec.wait_s):
                await self._up.wait()
        except TimeoutError:
            raise EngineError(self.spec.name, f"it is being restarted: {self._reason}") from None
        finally:
            self._waiting -= 1

    def _leave(self, job: _Job) -> None:
        """The reader goes. The job counts until the child has let go of it, too."""
        job.wanted = False
        self._tell(job, Cancel(job.number))

    def _tell(self, job: _Job, message: Credit | Cancel) -> None:
        if self._jobs.get(job.number) is job and self._link is not None:
            self._link.send(encode(message))

    def _deliver(self, message: ChildMessage) -> None:
        if not isinstance(message, Item | Done | Failed):
            raise LinkLost("its process sent something out of place")
        job = self._jobs.get(message.job)
        if job is None:
            raise LinkLost("its process answered a question that nobody asked")
        if not isinstance(message, Item) or message.last:
            del self._jobs[message.job]
        if isinstance(message, Failed):
            self._failures += 1
            job.put(EngineError(self.spec.name, message.reason))
        else:
            job.put(message)

    def _loaded(self, link: WorkerLink) -> None:
        self._link = link
        self._state = "ready"
        self._up.set()
        log.info("%s: ready, pid %s, loaded in %.2f s", self.spec.name, link.pid, link.load_s)

    def _lost(self, loss: Loss) -> None:
        self._link = None
        self._up.clear()
        self._reason = loss.reason
        jobs, self._jobs = self._jobs, {}
        for job in jobs.values():
            job.put(EngineError(self.spec.name, loss.reason))
        log.info("%s: %s; %d jobs lost", self.spec.name, loss.reason, len(jobs))

    async def supervise(self, first: asyncio.Future[Loss | None]) -> None:
        """Keep a process alive for ever. `first` gets none when the first is ready, or why it is not."""

        def on_loaded(link: WorkerLink) -> None:
            self._loaded(link)
            if not first.done():
                first.set_result(None)

        spec = self.spec
        clock = asyncio.get_running_loop()
        pause_s = spec.first_pause_s
        failed_starts = 0
        while True:
            began = clock.time()
            link = WorkerLink(spec, on_loaded, self._deliver)
            loss = Loss("it was stopped")
            try:
                loss = await link.live()
            finally:
                self._lost(loss)
            if not first.done():
                first.set_result(loss)
                return
            failed_starts = 0 if link.loaded else failed_starts + 1
            self._state = "failed" if failed_starts >= HOPELESS else "restarting"
            if clock.time() - began > spec.settled_s:
                pause_s = spec.first_pause_s
            await asyncio.sleep(spec.longest_pause_s if self._state == "failed" else pause_s)
            pause_s = min(2 * pause_s, spec.longest_pause_s)
            self._restarts += 1


@asynccontextmanager
async def open_worker(spec: WorkerSpec) -> AsyncIterator[Worker]:
    """A worker whose model is loaded; its process ends with the block.

    `EngineUnavailable` or `EngineError`, with the child's reason, if the model cannot be loaded.
    """
    async with open_workers(spec) as (worker,):
        yield worker


@asynccontextmanager
async def open_workers(*specs: WorkerSpec) -> AsyncIterator[tuple[Worker, ...]]:
    """Several at once, which load beside each other."""
    workers = tuple(Worker(spec) for spec in specs)
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
                    # Bounded by `start_timeout_s`: the supervisor answers by then.
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
