"""Voice to voice over WebSocket with scripted engines: what the server itself costs.

    python -m bench.latency [--conversations 1 4] [--seconds 60]

`over` is the time from the caller's last sample of speech (handed to the socket) to the first frame
of the reply at its socket, less the end silence (`turn.endpoint_ms`) and the engines' own delay.
Barge-in is from the first frame of the interruption to silence at the caller (20 ms fade included).
"""

import argparse
from datetime import UTC, datetime

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.serving import callers, machine, serving

ENDPOINT_MS = 192
ENGINES_MS = 150
"""100 to the first clause, 50 to its first sound: `engines.scripted`, begun at the endpoint."""
SETTINGS = (
    f"turn.endpoint_ms={ENDPOINT_MS}",
    f"turn.pause_ms={ENDPOINT_MS}",
    "session.greeting=",
    "logs.level=warning",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--conversations", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    table = Table(
        title=f"scripted, WebSocket, turn.endpoint_ms={ENDPOINT_MS}, {given.seconds:.0f} s"
    )
    for column in (
        "conversations",
        "turns",
        "v2v p50",
        "v2v p95",
        "over p50",
        "over p95",
        "barge-in p50",
        "p95",
        "n",
        "underruns",
        "CPU s/conv-min",
        "RSS MB",
        "caller lag p95",
    ):
        table.add_column(column, justify="right")
    for conversations in given.conversations:
        table.add_row(str(conversations), *cell(conversations, given.seconds))
    console = Console(width=170)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    console.print(table)


def cell(conversations: int, seconds: float) -> list[str]:
    with serving(*SETTINGS) as server:
        before = server.cpu_s()
        url = f"ws://127.0.0.1:{server.port}/ws"
        figures = callers(url, conversations, seconds)
        cpu = (server.cpu_s() - before) / (conversations * seconds / 60)
        rss = server.rss_mb()
    v2v = 1000 * np.array(figures["voice_to_voice"])
    over = v2v - ENDPOINT_MS - ENGINES_MS
    barge = 1000 * np.array(figures["barge_in"])
    lag = 1000 * float(np.asarray(figures["lag_p95"]))
    return [
        str(len(v2v)),
        *(f"{np.percentile(v, p):.0f}" for v in (v2v, over, barge) if len(v) for p in (50, 95)),
        str(len(barge)),
        f"{figures['underruns']} of {figures['frames']}",
        f"{cpu:.2f}",
        f"{rss:.0f}",
        f"{lag:.1f} ms" + (" VOID" if lag > 5 else ""),
    ]


if __name__ == "__main__":
    main()
