"""Models for the worker's tests: they count, crash, hang and print as they are told."""

import contextlib
import ctypes
import logging
import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.worker_wire import STEP, Poisoned, Progress, Stop


class Counting:
    """Does what a test asks for; what happened inside is written to a file and can be asked for."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = 0

    def count(self, stop: Stop, until: int) -> Iterator[int]:
        try:
            for number in range(until):
                self.made += 1
                yield number
        finally:
            self.closed += 1

    def turns(self, stop: Stop, file: str, name: str, steps: int, items: int) -> Iterator[Any]:
        """Writes its name at each step; only the last `items` of them make one."""
        for step in range(steps):
            with Path(file).open("a") as log:
                log.write(name)
            yield step if step >= steps - items else STEP

    def poison(self, stop: Stop, reason: str) -> Iterator[int]:
        """As after an assert on the GPU: one item, and then nothing works in this process any more."""
        yield 0
        raise Poisoned(reason)

    def tally(self, stop: Stop) -> list[int]:
        return [self.made, self.closed]

    def echo(self, stop: Stop, value: Any) -> Any:
        return value

    def not_a_number(self, stop: Stop, length: int) -> Any:
        return np.full(length, np.nan, np.float32)

    def until_stopped(self, stop: Stop, file: str) -> str:
        """Says in `file` that it has begun, then works until it is cancelled."""
        Path(file).write_text("begun")
        while not stop():
            time.sleep(0.001)
        Path(file).write_text("stopped")
        return "stopped"

    def fail(self, stop: Stop, words: str) -> str:
        raise ValueError(words)

    def refuse(self, stop: Stop, reason: str) -> str:
        raise EngineError("inside", reason)

    def fail_after(self, stop: Stop, items: int) -> Iterator[int]:
        yield from range(items)
        raise ValueError

    def untransportable(self, stop: Stop) -> Any:
        return object()

    def sleep(self, stop: Stop, seconds: float) -> str:
        time.sleep(seconds)
        return "awake"

    def hold_the_interpreter(self, stop: Stop, seconds: int) -> None:
        """A C call that keeps Python's lock, as a recogniser's inner loop does."""
        ctypes.PyDLL(None).sleep(seconds)

    def exit(self, stop: Stop, code: int) -> None:
        os._exit(code)

    def shout(self, stop: Stop, lines: int) -> Iterator[int]:
        """Prints on both outputs, from Python and past it, between its items."""
        for line in range(lines):
            print("out", line, flush=True)
            print("err", line, file=sys.stderr)
            os.write(1, b"\x00\xff raw\n")
            yield line

    def remark(self, stop: Stop, level: int, text: str) -> None:
        logging.getLogger("ultraandchat.model").log(level, "%s", text)
        logging.getLogger("a.package").warning("what nobody needs: %s", text)

    def babble(self, stop: Stop, data: bytes) -> None:
        """Writes into the connection to the parent what no message is."""
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  the numbers are wanted
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                    os.write(int(name), data)
        time.sleep(60)


def open_counting(progress: Progress) -> Counting:
    return Counting()


def open_slowly(progress: Progress, seconds: float) -> Counting:
    time.sleep(seconds)
    return Counting()


def open_in_stages(progress: Progress, steps: int, step_s: float) -> Counting:
    """Downloads, loads and warms up, each in `steps`."""
    for stage in ("download", "load", "warm-up"):
        for step in range(1, steps + 1):
            progress(stage, step, steps)
            time.sleep(step_s)
    return Counting()


def open_without_gpu(progress: Progress, file: str) -> Counting:
    """Loads the first time only: after that the GPU is gone."""
    path = Path(file)
    if path.exists():
        raise Poisoned("the GPU is gone", "Look at nvidia-smi; the machine may have to start anew.")
    path.write_text("loaded once")
    return Counting()


TOLD = "MODEL_IS_TOLD"
"""Names the file that tells `open_as_told` what to do next."""

GONE = Poisoned("the GPU is gone", "Look at nvidia-smi; the machine may have to start anew.")


class ToldVoice:
    """Half a second of a tone for every clause, until its file says "gone"."""

    def synthesize(self, stop: Stop, text: str, voice: str, speed: float) -> Iterator[Any]:
        if told() == ["gone"]:
            raise GONE
        at = np.arange(11_025) / 22_050
        yield (8_000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16)


def told() -> list[str]:
    return Path(os.environ[TOLD]).read_text().split()


def open_as_told(progress: Progress) -> ToldVoice:
    """Loads as its file says: "download 32 161", "warm-up 0 0", at last "ready"; or "gone"."""
    while (words := told()) != ["ready"]:
        if words == ["gone"]:
            raise GONE
        if len(words) == 3:
            progress(words[0], int(words[1]), int(words[2]))
        time.sleep(0.02)
    return ToldVoice()


def open_once(progress: Progress, file: str) -> Counting:
    """Loads the first time only."""
    path = Path(file)
    if path.exists():
        raise RuntimeError("the model file is damaged")
    path.write_text("loaded once")
    return Counting()


def open_first_only(progress: Progress, file: str) -> Counting:
    """Notes when each start was, by the system's monotonic clock; only the first one succeeds."""
    path = Path(file)
    with path.open("a") as log:
        log.write(f"{time.monotonic()}\n")
    if len(path.read_text().splitlines()) > 1:
        raise RuntimeError("the model file is damaged")
    return Counting()


def open_not(progress: Progress) -> Counting:
    raise EngineUnavailable("counting", "its model is missing", "Install the model.")


def open_broken(progress: Progress) -> Counting:
    raise RuntimeError("the model file is damaged")
