"""Sound on a bad network: loss by jitter, both ways, with scripted engines over WebRTC.

    python -m bench.loss [--loss 0 0.02 0.1] [--jitter 0 50] [--conversations 4] [--seconds 60] [--pin]

Every packet is dropped by itself with that chance and delayed by 0…jitter ms by itself, so jitter above
20 ms reorders. Scripted engines do not recognise words; turns that were answered at the right time tell
whether speech was heard. Underruns are those beyond what the link lost and delayed. What the server
made of the callers' packets is from its `/metrics`. Every row has a fresh server.
"""

from datetime import UTC, datetime

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.cell import ENGINES_MS, SERVER_CORE, SETTINGS, Cell, percentile, run_cell
from bench.cell import arguments as cell_arguments
from bench.serving import machine, serving

LOSSES = [0.0, 0.01, 0.02, 0.05, 0.1]
JITTERS_MS = [0.0, 20.0, 50.0, 100.0]
PACKETS = 'ultraandchat_rtp_packets_total{what="%s"}'
WAIT = "ultraandchat_rtp_reordering_wait_seconds"
CONCEALED = "ultraandchat_rtp_concealed_seconds_total"


def main() -> None:
    parser = cell_arguments(__doc__, [4])
    parser.add_argument("--loss", type=float, nargs="+", default=LOSSES)
    parser.add_argument("--jitter", type=float, nargs="+", default=JITTERS_MS, help="ms")
    given = parser.parse_args()
    table = Table(title=f"scripted, webrtc, {given.seconds:.0f} s a row")
    for column in (
        "loss %",
        "jitter ms",
        "N",
        "answered of turns",
        "early",
        "v2v p50",
        "p95",
        "barge-in p50",
        "lost to caller %",
        "underruns beyond %",
        "server lost %",
        "of it recovered %",
        "late %",
        "concealed ms/s",
        "waits ms",
        "caller lag p95",
    ):
        table.add_column(column, justify="right")
    console = Console(width=190)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    for conversations in given.conversations:
        for loss in given.loss:
            for jitter in given.jitter:
                options = ["--path", "webrtc", "--loss", str(loss), "--jitter", str(jitter)]
                with serving(*SETTINGS, core=SERVER_CORE if given.pin else None) as server:
                    cell = run_cell(
                        server, conversations, given.seconds, *options, pinned=given.pin
                    )
                table.add_row(f"{100 * loss:g}", f"{jitter:g}", *row(cell))
                console.print(f"loss {100 * loss:g} %, jitter {jitter:g} ms: done", style="dim")
    console.print(table)


def row(cell: Cell) -> list[str]:
    figures, metrics = cell.figures, cell.metrics
    v2v = cell.voice_to_voice_ms - ENGINES_MS
    received, lost, recovered, late = (
        metrics.get(PACKETS % what, 0.0) for what in ("received", "lost", "recovered", "late")
    )
    waits = metrics.get(f"{WAIT}_count", 0.0)
    frames = figures["frames"]
    return [
        str(cell.conversations),
        f"{len(v2v)} of {figures['tried']}",
        str(figures["early"]),
        percentile(v2v, 50),
        percentile(v2v, 95),
        percentile(cell.barge_in_ms, 50),
        share(figures["lost"], frames),
        share(figures["underruns"], frames),
        share(lost, received + lost),
        share(recovered, lost),
        share(late, received + late),
        f"{1000 * metrics.get(CONCEALED, 0.0) / (60 * cell.minutes):.1f}",
        f"{1000 * metrics.get(f'{WAIT}_sum', 0.0) / waits:.0f}" if waits else "-",
        cell.lag,
    ]


def share(part: float, whole: float) -> str:
    """In percent."""
    return f"{100 * np.float64(part) / whole:.2f}" if whole else "-"


if __name__ == "__main__":
    main()
