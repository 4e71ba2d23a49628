"""The event loop of a server: one that looks at its sockets at most two hundred times a second.

Sixteen callers send 800 packets a second, each of which would wake the process for a tenth of a
millisecond of work, on a core whose caches have cooled meanwhile: decoding one packet takes 25 µs back
to back and 130 µs after a pause. So packets that come within a few milliseconds are taken together.
Timers are not late for it, and where less comes, nothing waits (decision 16).
"""

import asyncio
import selectors
import sys
import time
from collections.abc import Callable

REST_S = 0.005
"""Between two looks at the sockets. A packet waits half of it where many come, one in a while not at all."""


class RestingSelector(selectors.DefaultSelector):
    """Waits as the loop asks, but not for sockets within `REST_S` of the last time."""

    def __init__(self, rest_s: float = REST_S) -> None:
        super().__init__()
        self._rest_s = rest_s
        self._rested = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; at once when `timeout` is 0, as then there is work to do anyway."""
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        rest = self._rested - time.monotonic()
        if rest > 0:
            if timeout is not None:
                rest = min(rest, timeout)
                timeout -= rest
            time.sleep(rest)
        ready = super().select(timeout)
        self._rested = time.monotonic() + self._rest_s
        return ready


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """For `asyncio.Runner`; None where the loop has no selector (Windows)."""
    if sys.platform == "win32":
        return None
    return lambda: asyncio.SelectorEventLoop(RestingSelector())
