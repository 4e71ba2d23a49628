"""What starting costs: from the process's start to `/ready`, and the command line's import.

python -m bench.startup [--runs 5]
"""

import argparse
import subprocess
import sys
import time
from datetime import UTC, datetime

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.serving import machine, serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    table = Table(title=f"{given.runs} runs")
    for column in ("what", "median", "max"):
        table.add_column(column)
    for profile in ("demo", "scripted"):
        ready = [start(profile) for _ in range(given.runs)]
        table.add_row(
            f"start to /ready, {profile}", f"{np.median(ready):.2f} s", f"{max(ready):.2f} s"
        )
    imports = [run("import ultraandchat.cli") - run("pass") for _ in range(given.runs)]
    table.add_row("import ultraandchat.cli", f"{np.median(imports):.3f} s", f"{max(imports):.3f} s")
    console = Console(width=110)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    console.print(table)


def start(profile: str) -> float:
    with serving(profile=profile) as server:
        return server.ready_s


def run(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
