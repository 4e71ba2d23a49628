"""A model in a process of its own, as the rest of the server uses it: ask it, or read its stream.

`worker.py` opens it. Jobs are done in the order in which they came, `WorkerSpec.at_once` of them by turns.
A crash, a hang or a stall costs the jobs that were open, each an `EngineLost`; the process is started
anew, and calls made meanwhile wait a little.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from ultraandchat.engines.base import EngineError, EngineLost, EngineOverloaded, EngineState
from ultraandchat.engines.worker_answers import Answers
from ultraandchat.engines.worker_link import LinkLost, Loss, WorkerLink
from ultraandchat.engines.worker_spec import WorkerSpec
from ultraandchat.engines.worker_status import WorkerStatus
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

log = logging.getLogger("ultraandchat.worker")

HOPELESS = 5
"""Starts that failed in a row, after which the state is "failed", as it is after one that only the
operator can mend. It is still tried, rarely: a GPU may come back."""


class Worker:
    """Made by `open_worker`."""

    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        self._jobs: dict[int, Answers] = {}
        self._numbers = 0
        self._waiting = 0
        self._life: WorkerLink | None = None
        self._link: WorkerLink | None = None  # the same, once its model is loaded
        self._up = asyncio.Event()
        self._state: EngineState = "loading"
        self._restarts = 0
        self._failures = 0
        self._reason = ""
        self._remedy = ""

    @property
    def pid(self) -> int | None:
        """Of the process that serves now; none while there is none."""
        return None if self._link is None else self._link.pid

    def status(self) -> WorkerStatus:
        life = self._life
        running = self._running()
        return WorkerStatus(
            state=self._state,
            load_s=None if life is None else life.load_s,
            rss_bytes=None if life is None else life.rss_bytes,
            restarts=self._restarts,
            failures=self._failures,
            reason=self._reason,
            remedy=self._remedy,
            running=running,
            waiting=len(self._jobs) - running + self._waiting,
            stages=() if life is None else life.stages,
            progress=None if life is None else life.progress,
            pid=None if life is None else life.pid,
        )

    async def stream(
        self, method: str, *arguments: Any, ahead: int = 2, background: bool = False
    ) -> AsyncGenerator[Any, None]:
        """What the model's generator `method` yields, as it is made; `aclose()` cancels the job.

        The model is at most `ahead` items in front of the reader, and this job stands still while the
        reader does. Where jobs are done one by one, the later ones wait behind it, so a reader that
        pauses gives a generous `ahead`. A job in the `background` makes a step only when no other can,
        and only one of them is at work at a time.
        """
        job = await self._begin(method, arguments, ahead, background)
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

    async def ask(self, method: str, *arguments: Any, background: bool = False) -> Any:
        """The answer of the model's function `method`; cancelling the call cancels the job."""
        stream = self.stream(method, *arguments, ahead=1, background=background)
        async with aclosing(stream) as answers:
            async for answer in answers:
                return answer
        raise EngineError(self.spec.name, "the model gave no answer")

    async def _begin(
        self, method: str, arguments: tuple[Any, ...], ahead: int, background: bool
    ) -> Answers:
        name = self.spec.name
        if len(self._jobs) + self._waiting >= self.spec.max_jobs:
            raise EngineOverloaded(name, "it has too much to do at the moment")
        if not self._up.is_set():
            await self._wait_for_restart()
        self._numbers += 1
        try:
            frame = encode(Run(self._numbers, method, list(arguments), ahead, background))
        except (TypeError, ValueError, OverflowError) as error:
            raise EngineError(name, f"the request cannot be sent: {error}") from None
        job = self._jobs[self._numbers] = Answers(self._numbers, ahead, background=background)
        assert self._link is not None
        self._link.send(frame)
        return job

    async def _wait_for_restart(self) -> None:
        if self._state == "failed":
            raise EngineError(self.spec.name, self._reason)
        self._waiting += 1
        try:
            async with asyncio.timeout(self.spec.wait_s):
                await self._up.wait()
        except TimeoutError:
            raise EngineLost(self.spec.name, f"it is being restarted: {self._reason}") from None
        finally:
            self._waiting -= 1

    def _running(self) -> int:
        """Jobs that take turns now, by the rules of `worker_jobs.py`."""
        behind = sum(job.background for job in self._jobs.values())
        running = min(len(self._jobs) - behind, self.spec.at_once)
        return running + (behind > 0 and (self.spec.at_once > 1 or running == 0))

    def _leave(self, job: Answers) -> None:
        """The reader goes. The job counts until the child has let go of it, too."""
        job.wanted = False
        self._tell(job, Cancel(job.number))

    def _tell(self, job: Answers, message: Credit | Cancel) -> None:
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

    def _useless(self) -> None:
        self._link = None
        self._up.clear()
        if self._state == "ready":
            self._state = "restarting"

    def _lost(self, loss: Loss) -> None:
        """The process has ended, so whoever learns it now may close the worker at once."""
        self._useless()
        self._life = None
        self._reason, self._remedy = loss.reason, loss.remedy
        jobs, self._jobs = self._jobs, {}
        for job in jobs.values():
            job.put(EngineLost(self.spec.name, loss.reason))
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
            self._life = link = WorkerLink(spec, on_loaded, self._deliver, self._useless)
            loss = Loss("it was stopped")
            try:
                loss = await link.live()
            finally:
                self._lost(loss)
            if not first.done():
                first.set_result(loss)
                return
            failed_starts = 0 if link.loaded else failed_starts + 1
            # A remedy says that only the operator can help; else it may be over by the next start.
            hopeless = failed_starts >= HOPELESS or (failed_starts > 0 and bool(loss.remedy))
            self._state = "failed" if hopeless else "restarting"
            if clock.time() - began > spec.settled_s:
                pause_s = spec.first_pause_s
            await asyncio.sleep(spec.longest_pause_s if self._state == "failed" else pause_s)
            pause_s = min(2 * pause_s, spec.longest_pause_s)
            self._restarts += 1
