"""A long run on a bad network: do memory, files or threads grow, and is sound ever missing?

    python -m bench.soak [--minutes 20] [--conversations 8] [--loss 0.02] [--jitter 0] [--churn 30] [--pin]

Memory is the server's resident memory each 10 s; its slope is a least-squares line through the last
80 %, with the line's standard error (samples depend on one another, so the true error is larger).
Underruns are those beyond the packets that the link lost. With `--churn` every caller leaves and comes
back so often.
"""

import threading
from datetime import UTC, datetime

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.cell import ENGINES_MS, SERVER_CORE, SETTINGS, Cell, percentile, run_cell
from bench.cell import arguments as cell_arguments
from bench.serving import Serving, machine, serving

SAMPLE_S = 10.0
SETTLING = 0.2
"""Of the samples, those not judged."""


class Watch:
    """The server's memory, each `SAMPLE_S`, in a thread of its own."""

    def __init__(self, server: Serving) -> None:
        self.samples_mb: list[float] = []
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def slope(self) -> tuple[float, float]:
        """MB an hour and its standard error, of the samples after the settling."""
        judged = self.samples_mb[round(SETTLING * len(self.samples_mb)) :]
        if len(judged) < 4:
            return float("nan"), float("nan")
        hours = np.arange(len(judged)) * SAMPLE_S / 3600
        line, covariance = np.polyfit(hours, judged, 1, cov=True)
        return float(line[0]), float(np.sqrt(covariance[0][0]))

    def _run(self) -> None:
        self.samples_mb.append(self._server.rss_mb())
        while not self._over.wait(SAMPLE_S):
            self.samples_mb.append(self._server.rss_mb())


def main() -> None:
    parser = cell_arguments(__doc__, [8])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--loss", type=float, default=0.02, help="share of packets, both ways")
    parser.add_argument("--jitter", type=float, default=0.0, help="delay of 0 to this, ms")
    parser.add_argument("--churn", type=float, nargs="?", const=30.0, default=0.0, help="s")
    given = parser.parse_args()
    console = Console(width=120)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    options = ["--path", given.path, "--loss", str(given.loss), "--jitter", str(given.jitter)]
    options += ["--churn", str(given.churn)]
    for conversations in given.conversations:
        with serving(*SETTINGS, core=SERVER_CORE if given.pin else None) as server:
            watch = Watch(server)
            before = held(server)
            try:
                cell = run_cell(
                    server,
                    conversations,
                    60 * given.minutes,
                    *options,
                    pinned=given.pin,
                    meanwhile=watch.begin,
                )
            finally:
                watch.end()
            after = held(server, emptied=True)
        title = (
            f"{given.path}, {conversations} conversations, {given.minutes:g} min, loss "
            f"{100 * given.loss:g} %, jitter {given.jitter:g} ms, churn {given.churn:g} s"
        )
        console.print(table(cell, watch, before, after, title))


def held(server: Serving, *, emptied: bool = False) -> dict[str, float]:
    """What a server holds with nobody there."""
    if emptied:
        for _ in range(100):
            if not server.metrics()["ultraandchat_conversations"]:
                break
            threading.Event().wait(0.1)
    return {
        "conversations": server.metrics()["ultraandchat_conversations"],
        "files and sockets": server.files(),
        "threads": server.threads(),
        "resident MB": round(server.rss_mb(), 1),
    }


def table(
    cell: Cell, watch: Watch, before: dict[str, float], after: dict[str, float], title: str
) -> Table:
    figures, v2v = cell.figures, cell.voice_to_voice_ms - ENGINES_MS
    slope, error = watch.slope()
    whole = figures["frames"] or 1
    made = Table("what", "figure", title=title)
    made.add_row("underruns beyond lost packets, %", cell.underruns())
    made.add_row("packets lost to callers, %", f"{100 * figures['lost'] / whole:.2f}")
    made.add_row("memory slope, MB an hour", f"{slope:+.2f} ± {error:.2f}")
    made.add_row(
        "resident MB: least, most", f"{min(watch.samples_mb):.1f}, {max(watch.samples_mb):.1f}"
    )
    made.add_row("v2v p50, p95, ms", f"{percentile(v2v, 50)}, {percentile(v2v, 95)}")
    made.add_row("barge-in p50, ms", percentile(cell.barge_in_ms, 50))
    made.add_row("turns answered", f"{len(v2v)} of {figures['tried']}")
    made.add_row("CPU s per conversation-minute", f"{cell.cpu_s / cell.minutes:.2f}")
    made.add_row("connections that ended by themselves", str(len(figures["connections_ended"])))
    made.add_row("conversations opened in it", str(opened(cell)))
    faults = cell.metrics.get("ultraandchat_session_faults_total", 0.0)
    made.add_row("conversations failed by our own error", f"{faults:.0f}")
    most = 1000 * figures["lag_most"]  # a caller that connects holds the others of its process up
    made.add_row("callers' own lag p95, most, ms", f"{cell.lag}, {most:.0f}")
    for what, count in before.items():
        made.add_row(f"{what} before anybody came, after all left", f"{count:g}, {after[what]:g}")
    return made


def opened(cell: Cell) -> int:
    """Over the way of the benchmark."""
    name = 'ultraandchat_conversations_opened_total{transport="websocket"}'
    return round(cell.metrics.get(name, 0.0))


if __name__ == "__main__":
    main()
