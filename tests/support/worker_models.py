"""Models for the worker's tests: they count, crash, hang and print as they are told."""

import contextlib
import ctypes
import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.worker_wire import Stop


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

    def babble(self, stop: Stop, data: bytes) -> None:
        """Writes into the connection to the parent what no message is."""
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  the numbers are wanted
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                    os.write(int(name), data)
        time.sleep(60)


def open_counting() -> Counting:
    return Counting()


def open_slowly(seconds: float) -> Counting:
    time.sleep(seconds)
    return Counting()


def open_once(file: str) -> Counting:
    """Loads the first time only."""
    path = Path(file)
    if path.exists():
        raise RuntimeError("the model file is damaged")
    path.write_text("loaded once")
    return Counting()


def open_not() -> Counting:
    raise EngineUnavailable("counting", "its model is missing", "Install the model.")


def open_broken() -> Counting:
    raise RuntimeError("the model file is damaged")
