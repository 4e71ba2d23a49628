"""Pipecat under our callers: the same table as `bench.latency`, on the same machine.

    python -m bench.peers.latency --python ENV/bin/python [--conversations 1 4] [--pin] [--shipped]

Pipecat is no dependency of ours; `bench/peers/README.md` says how its environment is made.
"""

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench.cell import SERVER_CORE, run_cell
from bench.cell import arguments as cell_arguments
from bench.latency import slope, table
from bench.serving import free_port, machine, running

SERVER = Path(__file__).parent / "pipecat_server.py"


def main() -> None:
    parser = cell_arguments(__doc__, [1, 4])
    parser.add_argument("--python", required=True, help="the interpreter that has Pipecat")
    parser.add_argument("--shipped", action="store_true", help="turns as Pipecat recommends")
    given = parser.parse_args()
    console = Console(width=190)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    cells = []
    for conversations in given.conversations:
        port = free_port()
        command = [given.python, str(SERVER), "--port", str(port)]
        command += ["--shipped"] if given.shipped else []
        with running(command, port, core=SERVER_CORE if given.pin else None) as server:
            options = ("--path", "offer")
            cell = run_cell(
                server,
                conversations,
                given.seconds,
                *options,
                pinned=given.pin,
                peer="/api/offer",
            )
        cells.append(cell)
    turns = "its turn model" if given.shipped else "200 ms of end silence"
    console.print(table(cells, f"Pipecat, SmallWebRTC, {turns}, {given.seconds:.0f} s"))
    console.print(slope(cells))


if __name__ == "__main__":
    main()
