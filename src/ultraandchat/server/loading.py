"""What is being loaded, how far it is and for how long, told while it takes longer than a second."""

import asyncio
from collections.abc import Callable

from ultraandchat.engines.base import EngineStatus, Progressing
from ultraandchat.server.terminal import Terminal

LONG_S = 1.0
"""Below that nobody wonders."""
LOG_EVERY_S = 5.0
"""A log is read later, and not line by line."""
LIVE_EVERY_S = 1.0
"""The line counts seconds."""

WORDS = {
    "start": "starting",
    "import": "starting",
    "download": "downloading",
    "load": "loading",
    "capture": "recording its steps",
    "warm-up": "warming up",
}
"""Stages as a person would say them, by their first word ("warm-up (eager)" is one); the page has the
same words (`web/loading.js`)."""


class Loading:
    """The engines by kind, in the order in which they began."""

    def __init__(self) -> None:
        # As many as there are kinds of engines.
        self._statuses: dict[str, Callable[[], tuple[EngineStatus, ...]]] = {}

    def watch(self, kind: str, statuses: Callable[[], tuple[EngineStatus, ...]]) -> None:
        """This is how to ask of engines of this kind from now on."""
        self._statuses[kind] = statuses

    def engines(self) -> tuple[EngineStatus, ...]:
        """All of them as they are now, those included that are there already."""
        return tuple(status for statuses in self._statuses.values() for status in statuses())

    def line(self, since_s: float) -> str:
        """ "Loading for 12 s: transcriber (sphinx), language (ultravox: downloading 3.2 of 16.1 GB)." """
        waiting = [engine for engine in self.engines() if engine.state != "ready"]
        what = ", ".join(f"{one.kind} ({one.name}{_how_far(one)})" for one in waiting)
        return f"Loading for {since_s:.0f} s{': ' if what else ''}{what}."

    def share(self) -> float | None:
        """Of the one that is furthest from its end, 0…1; none where no total is known."""
        shares = [
            one.progress.done / one.progress.total
            for one in self.engines()
            if one.progress is not None and one.progress.total > 0
        ]
        return min(shares, default=None)

    async def tell(self, announce: Callable[[str], None], terminal: Terminal | None) -> None:
        """Until cancelled: on a terminal one line that changes, in a log one every 5 s."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        await asyncio.sleep(LONG_S)
        try:
            while True:
                line = self.line(clock() - begun)
                if terminal is None:
                    announce(line)
                else:
                    terminal.live(line, self.share())
                await asyncio.sleep(LOG_EVERY_S if terminal is None else LIVE_EVERY_S)
        finally:
            if terminal is not None:
                terminal.clear()


def _how_far(engine: EngineStatus) -> str:
    progress = engine.progress
    if engine.state == "failed" or progress is None or progress.stage == "start":
        return ": failed" if engine.state == "failed" else ""
    word, space, more = progress.stage.partition(" ")
    return f": {WORDS.get(word, word)}{space}{more}{_of(progress)}"


def _of(progress: Progressing) -> str:
    """ " 3.2 of 16.1 GB", " 3 of 10"; nothing where the total is unknown."""
    done, total = progress.done, progress.total
    if total <= 0:
        return ""
    if progress.stage != "download":
        return f" {done} of {total}"
    if total < 1e9:
        return f" {done / 1e6:.0f} of {total / 1e6:.0f} MB"
    return f" {done / 1e9:.1f} of {total / 1e9:.1f} GB"
