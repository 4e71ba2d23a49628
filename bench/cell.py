"""One cell of a table: a server, N callers beside it, and what both of them measured in one span.

Connections are open before the span begins; CPU, packets and turns are counted inside it only.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.serving import Serving, core_s, on_core

ENDPOINT_MS = 192
ENGINES_MS = 150
"""100 to the first clause, 50 to its first sound: `engines.scripted`, begun at the endpoint."""
SETTINGS = (
    f"turn.endpoint_ms={ENDPOINT_MS}",
    f"turn.pause_ms={ENDPOINT_MS}",
    "session.greeting=",
    "server.max_conversations=64",
    "logs.level=warning",
)
SERVER_CORE, CALLERS_CORE = 0, 1
MOST_LAG_MS = 5.0
"""Callers whose own frames leave later than that (p95) measure themselves: the cell is void."""


@dataclass(frozen=True)
class Cell:
    """What came of it."""

    conversations: int
    seconds: float
    """Of the span as it was."""
    cpu_s: float
    """User and system seconds of the server."""
    others_s: float
    """Seconds that others took of the server's core; 0 where it had none of its own."""
    peak_mb: float
    """Most resident memory from before the callers came until they left."""
    rss_mb: float
    metrics: dict[str, float]
    """What grew in `/metrics`, and by how much."""
    figures: dict[str, Any]
    """Of the callers."""

    @property
    def minutes(self) -> float:
        """Conversation-minutes."""
        return self.conversations * self.seconds / 60

    @property
    def voice_to_voice_ms(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The whole time, engines included."""
        return 1000 * np.array(self.figures["voice_to_voice"])

    @property
    def barge_in_ms(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        return 1000 * np.array(self.figures["barge_in"])

    @property
    def lag_ms(self) -> float:
        return 1000 * float(self.figures["lag_p95"])

    @property
    def lag(self) -> str:
        return f"{self.lag_ms:.1f}" + (" VOID" if self.lag_ms > MOST_LAG_MS else "")

    def underruns(self) -> str:
        """As a share, with what it is a share of."""
        count, whole = self.figures["underruns"], self.figures["frames"]
        return f"{100 * count / whole:.3f} ({count} of {whole})" if whole else "-"


def run_cell(
    server: Serving,
    conversations: int,
    seconds: float,
    *options: str,
    pinned: bool = False,
    peer: str = "",
    meanwhile: Callable[[], None] = lambda: None,
) -> Cell:
    """Run `bench.callers` beside a server; `meanwhile` is called as the span begins.

    `peer` is where another's server takes offers; it has no metrics of ours.
    """
    server.forget_peak()
    command = [*on_core(CALLERS_CORE if pinned else None), sys.executable, "-m", "bench.callers"]
    command += ["--url", f"{server.url}{peer}" if peer else f"ws://127.0.0.1:{server.port}/ws"]
    command += ["--conversations", str(conversations), "--seconds", str(seconds), *options]
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        try:
            _expect(process.stdout.readline(), "begin")
            before, begun = {} if peer else server.metrics(), time.perf_counter()
            core, cpu = core_s(SERVER_CORE), server.cpu_s()
            meanwhile()
            _expect(process.stdout.readline(), "end")
            took = time.perf_counter() - begun
            used = server.cpu_s() - cpu
            others = core_s(SERVER_CORE) - core - used
            peak, rss = server.peak_mb(), server.rss_mb()
            after = {} if peer else server.metrics()
            figures = json.loads(process.stdout.readline())
        finally:
            process.terminate()
    grown = {name: value - before.get(name, 0.0) for name, value in after.items()}
    others = max(others, 0.0) if pinned else 0.0
    return Cell(conversations, took, used, others, peak, rss, grown, figures)


def _expect(line: str, event: str) -> None:
    if not line or json.loads(line).get("event") != event:
        raise RuntimeError(f"the callers ended before they said {event!r}")


def percentile(values: np.ndarray[Any, np.dtype[np.float64]], share: float) -> str:
    return f"{np.percentile(values, share):.0f}" if len(values) else "-"


def arguments(document: str | None, conversations: list[int]) -> argparse.ArgumentParser:
    """What these benchmarks are told."""
    parser = argparse.ArgumentParser(description=(document or "").partition("\n")[0])
    parser.add_argument("--path", choices=["websocket", "webrtc", "webrtc-tcp"], default="webrtc")
    parser.add_argument("--conversations", type=int, nargs="+", default=conversations)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument(
        "--pin", action="store_true", help="server on core 0, callers on core 1 (taskset)"
    )
    return parser
