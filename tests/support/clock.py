"""A loop whose clock jumps: a ten-minute conversation is tested in milliseconds.

The only clock of the program is `loop.time()`. Here it stands still while anything is ready to run,
and jumps to the next timer when nothing is (trio's autojump clock).
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.SelectSelector):
    """Never waits for a timer: the loop is told that the time has passed instead."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits for something that will never happen")
        self.passed += max(timeout, 0.0)
        return super().select(0)


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time. No threads, no sockets to other processes."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed

    def stall(self, seconds: float) -> None:
        """Something kept the loop busy for so long."""
        self._jumping.passed += seconds


def run_virtually(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(story)
