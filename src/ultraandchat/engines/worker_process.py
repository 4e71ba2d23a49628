"""A model's own process: `python -m ultraandchat.engines.worker_process FD`, started by `worker_link.py`.

Three threads. The main one makes the jobs' steps, one at a time, in the order of `worker_jobs.py`; one
reads requests, so a cancellation is noticed while a step runs; one tells the parent that the interpreter
still runs, which a call that hangs with the interpreter lock cannot. Whatever the model prints goes to
the parent's log at debug, and what our own code logs at its level. It dies with its parent, and ignores the terminal's Ctrl-C, which is the parent's to
answer.
"""

import ctypes
import importlib
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.worker_jobs import Job, JobTable
from ultraandchat.engines.worker_loading import Loading
from ultraandchat.engines.worker_pipe import Pipe
from ultraandchat.engines.worker_remarks import hand_on
from ultraandchat.engines.worker_wire import (
    STEP,
    Beat,
    Cancel,
    Credit,
    Done,
    Failed,
    Item,
    Loaded,
    NotLoaded,
    Open,
    Poisoned,
    Progress,
    Run,
    Spoilt,
)

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal this process gets when its parent dies."""


class Jobs:
    """The job table, shared by the three threads."""

    def __init__(self, pipe: Pipe, at_once: int) -> None:
        self._pipe = pipe
        self._table = JobTable(at_once)
        self._at_work: int | None = None
        self._steps = 0
        self._changed = threading.Condition()

    def read_forever(self) -> NoReturn:
        """The reading thread: requests, credits and cancellations as they come."""
        while True:
            message = self._pipe.receive()
            over = False
            with self._changed:
                match message:
                    case Run():
                        self._table.add(message)
                    case Credit():
                        self._table.credit(message)
                    case Cancel():
                        over = self._table.cancel(message)
                self._changed.notify_all()
            if over and isinstance(message, Cancel):
                self._pipe.send(Done(message.job))

    def beat_forever(self, every_s: float) -> NoReturn:
        """The beating thread."""
        while True:
            self._pipe.send(Beat(self._at_work, self._steps, _resident_bytes()))
            time.sleep(every_s)

    def next(self) -> Job:
        """The main thread: whose step is to be made now, or which cancelled job is to be ended."""
        with self._changed:
            self._at_work = None
            while (job := self._table.next()) is None:
                self._changed.wait()
            self._steps += 1
            self._at_work = job.number
        return job

    def made_item(self, job: Job) -> None:
        with self._changed:
            job.credits -= 1

    def over(self, job: Job) -> None:
        with self._changed:
            self._table.over(job)

    def stopped(self, job: Job) -> bool:
        """What a model method calls as its `Stop`."""
        self._steps += 1
        return job.cancelled


def work_forever(model: Any, jobs: Jobs, pipe: Pipe) -> NoReturn:
    """The worker loop: whatever one job does, the others are served."""
    while True:
        job = jobs.next()
        over = True
        try:
            over = _step(model, job, jobs, pipe)
        except Poisoned as error:
            traceback.print_exc()
            pipe.send(Spoilt(error.reason))
            # Not by the interpreter's own way out, which would ask a broken driver to tidy up.
            os._exit(1)
        except EngineError as error:
            pipe.send(Failed(job.number, error.reason))
        except Exception as error:  # noqa: BLE001  a model's fault ends its job only; the parent counts `Failed`
            traceback.print_exc()
            # The message may hold what the user said, so only its kind leaves this process's log.
            pipe.send(Failed(job.number, f"the model failed ({type(error).__name__})"))
        if over:
            jobs.over(job)


def _step(model: Any, job: Job, jobs: Jobs, pipe: Pipe) -> bool:
    """One step of this job; true if that was its last. Whatever the model raises comes out."""
    if job.cancelled:
        _close(job)
        pipe.send(Done(job.number))
        return True
    if job.making is None:
        result = getattr(model, job.method)(lambda: jobs.stopped(job), *job.arguments)
        if not isinstance(result, Iterator):
            pipe.send(Item(job.number, result, last=True))
            return True
        job.making = result
    try:
        value = next(job.making)
        if value is not STEP:
            pipe.send(Item(job.number, value, last=False))
            jobs.made_item(job)
    except StopIteration:
        pipe.send(Done(job.number))
        return True
    except Exception:
        _close(job)  # it may have been its item that could not be sent
        raise
    return False


def _close(job: Job) -> None:
    close = getattr(job.making, "close", None)
    if close is not None:
        close()


def _make(opening: Open, progress: Progress) -> Any:
    """The model; raises whatever its factory does."""
    module, _, function = opening.factory.partition(":")
    return getattr(importlib.import_module(module), function)(progress, **opening.arguments)


def _resident_bytes() -> int | None:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _die_with_parent() -> None:
    """On Linux also in a call that holds the interpreter lock; elsewhere the closed pipe must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _die_of(thread_error: threading.ExceptHookArgs) -> None:
    """Without one of its threads this process would look alive and be of no use."""
    threading.__excepthook__(thread_error)
    os._exit(1)


def main() -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.excepthook = _die_of
    _die_with_parent()
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    pipe = Pipe(connection)
    opening = pipe.receive()
    if not isinstance(opening, Open):
        sys.exit("the first message must say which model to open")
    hand_on(pipe.send)
    jobs = Jobs(pipe, opening.at_once)
    threading.Thread(target=jobs.read_forever, name="read", daemon=True).start()
    loading = Loading(pipe.send)
    try:
        model = _make(opening, loading)
    except (EngineUnavailable, Poisoned) as error:
        pipe.send(NotLoaded(error.reason, error.remedy))
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  part of the worker loop: whatever loading raises is told, then this process ends
        traceback.print_exc()
        pipe.send(NotLoaded(f"its model could not be loaded ({type(error).__name__}: {error})", ""))
        sys.exit(1)
    os.nice(opening.nice)  # not before: until it has loaded, everybody waits for it
    pipe.send(Loaded(*loading.end()))
    beat = threading.Thread(
        target=jobs.beat_forever, args=(opening.beat_s,), name="beat", daemon=True
    )
    beat.start()
    work_forever(model, jobs, pipe)


if __name__ == "__main__":
    main()
