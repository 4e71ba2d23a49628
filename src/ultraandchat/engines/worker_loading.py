"""How far the loading of a model is, inside its process: what its factory calls as `Progress`."""

import threading
import time
from collections.abc import Callable

from ultraandchat.engines.worker_wire import Progressed

FIRST_STAGE = "start"
"""Until the factory names one: the package that holds it is imported, and torch alone takes seconds."""

EVERY_S = 0.1
"""Between two messages about one stage. A download calls for every block, and eyes see no more than this."""


class Loading:
    """Callable as `Progress`, from any thread. `tell` gets what is worth telling, never two at once."""

    def __init__(
        self, tell: Callable[[Progressed], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._finished: list[tuple[str, float]] = []
        self._now = (FIRST_STAGE, 0, 0)
        self._began = self._stage_began = self._clock()
        self._told = -EVERY_S
        tell(Progressed(*self._now, []))

    def __call__(self, stage: str, done: int, total: int) -> None:
        with self._lock:
            now = (stage, int(done), int(total))
            if now == self._now:
                return
            at = self._clock()
            new = stage != self._now[0]
            if new:
                self._finish(at)
            self._now = now
            if new or done == total or at - self._told >= EVERY_S:
                self._told = at
                self._tell(Progressed(*now, list(self._finished)))

    def end(self) -> tuple[float, list[tuple[str, float]]]:
        """The model is there: seconds it took, and its stages with theirs."""
        with self._lock:
            at = self._clock()
            self._finish(at)
            return at - self._began, self._finished

    def _finish(self, at: float) -> None:
        self._finished.append((self._now[0], at - self._stage_began))
        self._stage_began = at
