"""Voice to voice with scripted engines: what the server itself costs, over WebSocket and WebRTC.

    python -m bench.latency [--path webrtc|webrtc-tcp|websocket] [--codec pcm16|opus]
                            [--conversations 1 4 8] [--seconds 60] [--pin] [--silent]

`v2v` is from the caller's last frame of speech (handed to the socket) to the first frame of the reply
at its socket, less the engines' own 150 ms; `over` is that less the end silence (`turn.endpoint_ms`).
Barge-in is from the first frame of the interruption to the last sound of the old reply (over the
WebSocket: to silence at the caller, 20 ms fade included). Underruns are frames of a reply that were
silent, missing or late for a listener with 60 ms of buffer; interrupted replies are not counted.
Every row has a fresh server. Memory is the peak since before the callers came.
"""

from datetime import UTC, datetime

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.cell import ENDPOINT_MS, ENGINES_MS, SERVER_CORE, SETTINGS, Cell, percentile, run_cell
from bench.cell import arguments as cell_arguments
from bench.serving import machine, serving

SLOPE_FROM, SLOPE_TO = 4, 16
"""Conversations between which memory is judged: the first ones pay for what all share."""


def main() -> None:
    parser = cell_arguments(__doc__, [1, 4])
    parser.add_argument("--silent", action="store_true", help="all are connected, nobody talks")
    parser.add_argument(
        "--codec", choices=["pcm16", "opus"], default="pcm16", help="of sound on the WebSocket"
    )
    given = parser.parse_args()
    console = Console(width=190)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    options = ["--path", given.path, "--codec", given.codec]
    options += ["--silent"] if given.silent else []
    cells = []
    for conversations in given.conversations:
        core = SERVER_CORE if given.pin else None
        with serving(*SETTINGS, core=core) as server:
            cell = run_cell(server, conversations, given.seconds, *options, pinned=given.pin)
        cells.append(cell)
        console.print(f"{conversations}: {cell.seconds:.0f} s measured", style="dim")
    how = "nobody talks, " if given.silent else ""
    codec = f" ({given.codec})" if given.path == "websocket" else ""
    where = ", server on one core, callers on another" if given.pin else ""
    console.print(
        table(
            cells,
            f"scripted, {given.path}{codec}, {how}turn.endpoint_ms={ENDPOINT_MS}, "
            f"{given.seconds:.0f} s{where}",
        )
    )
    console.print(slope(cells))


def table(cells: list[Cell], title: str) -> Table:
    """A row for each cell."""
    made = Table(title=title)
    for column in (
        "N",
        "turns",
        "v2v p50",
        "p95",
        "p95/p50",
        "over p50",
        "barge-in p50",
        "p95",
        "n",
        "underruns %",
        "speak % callers / agent",
        "CPU s/conv-min",
        "its core %",
        "others on it %",
        "peak MB",
        "caller lag p95",
        "unanswered, early, uncut, ended",
    ):
        made.add_column(column, justify="right")
    for cell in cells:
        made.add_row(*row(cell))
    return made


def row(cell: Cell) -> list[str]:
    v2v, barge, figures = cell.voice_to_voice_ms - ENGINES_MS, cell.barge_in_ms, cell.figures
    ratio = f"{np.percentile(v2v, 95) / np.percentile(v2v, 50):.2f}" if len(v2v) else "-"
    unanswered = figures["tried"] - figures["early"] - len(v2v)
    return [
        str(cell.conversations),
        str(len(v2v)),
        percentile(v2v, 50),
        percentile(v2v, 95),
        ratio,
        percentile(v2v - ENDPOINT_MS, 50),
        percentile(barge, 50),
        percentile(barge, 95),
        str(len(barge)),
        cell.underruns(),
        f"{100 * figures['callers_speak']:.0f} / {100 * figures['agent_speaks']:.0f}",
        f"{cell.cpu_s / cell.minutes:.2f}",
        f"{100 * cell.cpu_s / cell.seconds:.1f}",
        f"{100 * cell.others_s / cell.seconds:.1f}",
        f"{cell.peak_mb:.0f}",
        cell.lag,
        f"{unanswered}, {figures['early']}, {figures['unheeded']}, "
        f"{len(figures['connections_ended'])}",
    ]


def slope(cells: list[Cell]) -> str:
    """Memory of a further conversation, by least squares."""
    counted = [c for c in cells if SLOPE_FROM <= c.conversations <= SLOPE_TO]
    if len({c.conversations for c in counted}) < 2:
        return ""
    each = np.polyfit([c.conversations for c in counted], [c.peak_mb for c in counted], 1)[0]
    return (
        f"memory per further conversation, {SLOPE_FROM} to {SLOPE_TO}: {each:.2f} MB "
        f"(least squares over {len(counted)} fresh servers)"
    )


if __name__ == "__main__":
    main()
