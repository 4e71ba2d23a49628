"""Whose step it is, inside a model's process. No threads, no pipe and no model: `worker_process.py` has
those.

The rules, which `tests/engines/test_worker_jobs.py` holds against a second way of writing them:

* Jobs begin in the order in which they came, `at_once` of them together; each makes one step in turn.
* A job without credit is passed over, and has the next turn when its reader asks for more.
* So nobody who can make a step waits for more than `at_once - 1` steps of others.
* A background job makes a step only when no other job can. One of them runs at a time, in a place of its
  own beside the `at_once`; where jobs are done one by one (`at_once` is 1) it runs only alone.
* A cancelled job is ended before the next step of anybody.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from ultraandchat.engines.worker_wire import Cancel, Credit, Run


class Job:
    """One request, from its arrival until it is over."""

    def __init__(self, run: Run) -> None:
        self.number = run.job
        self.method = run.method
        self.arguments = run.arguments
        self.background = run.background
        self.credits = run.ahead
        """Items that its reader is ready to take."""
        self.cancelled = False
        self.making: Iterator[Any] | None = None
        """The model's generator, once its first step has been made."""


class JobTable:
    """All jobs of the process. Their number is bounded by the parent (`WorkerSpec.max_jobs`)."""

    def __init__(self, at_once: int = 1) -> None:
        self._at_once = at_once
        self._waiting: deque[Job] = deque()
        self._waiting_behind: deque[Job] = deque()
        # Whoever made a step goes to the end, so the one that waited longest stands first.
        self._running: deque[Job] = deque()
        self._behind: Job | None = None

    def add(self, run: Run) -> None:
        job = Job(run)
        (self._waiting_behind if job.background else self._waiting).append(job)

    def credit(self, message: Credit) -> None:
        job = self._find(message.job)
        if job is not None:
            job.credits += 1

    def cancel(self, message: Cancel) -> bool:
        """True when the job had not begun: it is over. One that runs is for `next` to hand out."""
        job = self._find(message.job)
        if job is None:
            return False
        job.cancelled = True
        for waiting in (self._waiting, self._waiting_behind):
            if job in waiting:
                waiting.remove(job)
                return True
        return False

    def next(self) -> Job | None:
        """The job to be ended, when it is cancelled, or else to make a step. None: nothing can be done."""
        for job in self._begun():
            if job.cancelled:
                return job
        alone = self._at_once == 1
        while (
            self._waiting
            and len(self._running) < self._at_once
            and not (alone and self._behind is not None)
        ):
            self._running.append(self._waiting.popleft())
        for job in self._running:
            if job.credits > 0:
                self._running.remove(job)
                self._running.append(job)
                return job
        if self._behind is None and self._waiting_behind and not (alone and self._running):
            self._behind = self._waiting_behind.popleft()
        if self._behind is not None and self._behind.credits > 0:
            return self._behind
        return None

    def over(self, job: Job) -> None:
        """It has ended, however it did; the next one may begin."""
        if self._behind is job:
            self._behind = None
        else:
            self._running.remove(job)

    def _begun(self) -> Iterator[Job]:
        yield from self._running
        if self._behind is not None:
            yield self._behind

    def _find(self, number: int) -> Job | None:
        for jobs in (self._begun(), self._waiting, self._waiting_behind):
            for job in jobs:
                if job.number == number:
                    return job
        return None
