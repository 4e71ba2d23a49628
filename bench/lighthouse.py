"""What Lighthouse 12 says of the page (desktop preset, the installed Chromium), before a talk.

    python -m bench.lighthouse [--runs 5]

Lighthouse comes from npm, as `tools/lighthouse/package-lock.json` has it (some 110 MB, the first time).
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.serving import machine, serving
from bench.visiting import chromium

ROOT = Path(__file__).parents[1]
NODE = ROOT / "tools/node.sh"
HERE = ROOT / "tools/lighthouse"
PROGRAM = HERE / "node_modules/lighthouse/cli/index.js"
WANTED = {"accessibility": "≥ 95", "best-practices": "≥ 95"}
GOOD = 0.9
"""An audit below is named."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    if not PROGRAM.exists():
        install = [
            str(NODE),
            "npm",
            "--prefix",
            str(HERE),
            "ci",
            "--no-audit",
            "--no-fund",
            "--silent",
        ]
        subprocess.run(install, check=True)
    with serving("session.greeting=") as server:
        url = f"http://localhost:{server.port}/"
        reports = [report(url) for _ in range(given.runs)]
    table = Table()
    for heading in ("category", "median", "least", "wanted"):
        table.add_column(heading)
    for name in reports[0]["categories"]:
        scores = [100 * one["categories"][name]["score"] for one in reports]
        table.add_row(name, f"{median(scores):.0f}", f"{min(scores):.0f}", WANTED.get(name, ""))
    console = Console(width=120)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    console.print(table)
    for name in sorted({name for one in reports for name in poor(one)}):
        console.print(f"below {100 * GOOD:.0f}: {name}")


def report(url: str) -> Any:
    """One visit."""
    chrome = "--headless=new" + (" --no-sandbox" if os.geteuid() == 0 else "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        output = ("--output=json", f"--output-path={path}", "--quiet")
        subprocess.run(
            [NODE, PROGRAM, url, "--preset=desktop", *output, f"--chrome-flags={chrome}"],
            check=True,
            env=os.environ | {"CHROME_PATH": chromium()},
        )
        return json.loads(path.read_text())


def poor(report: Mapping[str, Any]) -> list[str]:
    audits = report["audits"].values()
    return [one["title"] for one in audits if one["score"] is not None and one["score"] < GOOD]


if __name__ == "__main__":
    main()
