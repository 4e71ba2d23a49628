"""A model's own process: `python -m ultraandchat.engines.worker_process FD`, started by `worker_link.py`.

Three threads. The main one does the jobs in the order in which they came; one reads requests, so a
cancellation is noticed while a job runs; one tells the parent that the interpreter still runs, which a
call that hangs with the interpreter lock cannot. Whatever the model prints goes to the parent's log.
It dies with its parent, and ignores the terminal's Ctrl-C, which is the parent's to answer.
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
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.worker_wire import (
    LENGTH,
    MAX_FRAME,
    Beat,
    Cancel,
    ChildMessage,
    Credit,
    Done,
    Failed,
    Item,
    Loaded,
    NotLoaded,
    Open,
    ParentMessage,
    Run,
    encode,
    from_parent,
)

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal this process gets when its parent dies."""


class Pipe:
    """Frames to and from the parent. When the parent is gone, so is this process."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()

    def send(self, message: ChildMessage) -> None:
        frame = encode(message)
        try:
            with self._sending:
                self._connection.sendall(frame)
        except OSError:
            os._exit(0)

    def receive(self) -> ParentMessage:
        (length,) = LENGTH.unpack(self._exactly(LENGTH.size))
        if length > MAX_FRAME:
            os._exit(1)
        return from_parent(self._exactly(length))

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            try:
                more = self._connection.recv(min(count - len(data), 2**20))
            except OSError:
                more = b""
            if not more:
                os._exit(0)
            data += more
        return bytes(data)


class Job:
    """One request. Changed by the reading thread under `Jobs.changed`, read by the main one."""

    def __init__(self, run: Run) -> None:
        self.number = run.job
        self.method = run.method
        self.arguments = run.arguments
        self.credits = run.ahead
        self.cancelled = False


class Jobs:
    """Requests in arrival order. Their number is bounded by the parent (`WorkerSpec.max_jobs`)."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._at_reader = False
        self._steps = 0
        self.changed = threading.Condition()

    def read_forever(self) -> NoReturn:
        """The reading thread: requests, credits and cancellations as they come."""
        while True:
            message = self._pipe.receive()
            with self.changed:
                dropped = self._take(message)
                self.changed.notify_all()
            if dropped is not None:
                self._pipe.send(Done(dropped))

    def beat_forever(self, every_s: float) -> NoReturn:
        """The beating thread."""
        while True:
            running = self._running
            job = running.number if running is not None and not self._at_reader else None
            self._pipe.send(Beat(job, self._steps, _resident_bytes()))
            time.sleep(every_s)

    def next(self) -> Job:
        """The main thread: what to do now."""
        with self.changed:
            self._running = None
            self.changed.wait_for(lambda: self._waiting)
            self._running = self._waiting.popleft()
        self._steps += 1
        return self._running

    def may_make(self, job: Job) -> bool:
        """Waits until the reader wants another item; false when it wants none any more."""
        with self.changed:
            self._at_reader = True
            self.changed.wait_for(lambda: job.credits > 0 or job.cancelled)
            self._at_reader = False
            job.credits -= 1
        self._steps += 1
        return not job.cancelled

    def stopped(self, job: Job) -> bool:
        """What a model method calls as its `Stop`."""
        self._steps += 1
        return job.cancelled

    def _take(self, message: ParentMessage) -> int | None:
        """Note a message; the number of a job that was cancelled before it began, if one was."""
        if isinstance(message, Run):
            self._waiting.append(Job(message))
        elif isinstance(message, Credit | Cancel):
            if self._running is not None and self._running.number == message.job:
                if isinstance(message, Credit):
                    self._running.credits += 1
                else:
                    self._running.cancelled = True
            elif isinstance(message, Cancel):
                for job in self._waiting:
                    if job.number == message.job:
                        self._waiting.remove(job)
                        return job.number
        return None


def work_forever(model: Any, jobs: Jobs, pipe: Pipe) -> NoReturn:
    """The worker loop: whatever one job does, the next one is served."""
    while True:
        job = jobs.next()
        try:
            _work(model, job, jobs, pipe)
        except EngineError as error:
            pipe.send(Failed(job.number, error.reason))
        except Exception as error:  # noqa: BLE001  a model's fault ends its job only; the parent counts `Failed`
            traceback.print_exc()
            # The message may hold what the user said, so only its kind leaves this process's log.
            pipe.send(Failed(job.number, f"the model failed ({type(error).__name__})"))


def _work(model: Any, job: Job, jobs: Jobs, pipe: Pipe) -> None:
    if job.cancelled:
        pipe.send(Done(job.number))
        return
    result = getattr(model, job.method)(lambda: jobs.stopped(job), *job.arguments)
    if not isinstance(result, Iterator):
        pipe.send(Item(job.number, result, last=True))
        return
    try:
        while jobs.may_make(job):
            try:
                value = next(result)
            except StopIteration:
                break
            pipe.send(Item(job.number, value, last=False))
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    pipe.send(Done(job.number))


def _make(opening: Open) -> Any:
    """The model; raises whatever its factory does."""
    module, _, function = opening.factory.partition(":")
    return getattr(importlib.import_module(module), function)(**opening.arguments)


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
    jobs = Jobs(pipe)
    threading.Thread(target=jobs.read_forever, name="read", daemon=True).start()
    begun = time.monotonic()
    try:
        model = _make(opening)
    except EngineUnavailable as error:
        pipe.send(NotLoaded(error.reason, error.remedy))
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  part of the worker loop: whatever loading raises is told, then this process ends
        traceback.print_exc()
        pipe.send(NotLoaded(f"its model could not be loaded ({type(error).__name__}: {error})", ""))
        sys.exit(1)
    os.nice(opening.nice)  # not before: until it has loaded, everybody waits for it
    pipe.send(Loaded(time.monotonic() - begun))
    beat = threading.Thread(
        target=jobs.beat_forever, args=(opening.beat_s,), name="beat", daemon=True
    )
    beat.start()
    work_forever(model, jobs, pipe)


if __name__ == "__main__":
    main()
