"""What the checks print: a row for each thing looked at, and below it whole lines to copy."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    ok: bool | None
    """None: not there, and nothing needs it."""
    detail: str
    remedy: str = ""


def console() -> Console:
    """Standard output; wide enough for a log where it is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def print_rows(console: Console, rows: Iterable[Row], bad: str = "missing") -> None:
    """A row that is not ok is called `bad`."""
    marks = {True: Text("ok", "green"), False: Text(bad, "bold red"), None: Text("-", "dim")}
    table = Table(box=None, pad_edge=False, show_header=False)
    for row in rows:
        table.add_row(marks[row.ok], Text(row.name), Text(row.detail))
    console.print(table)


def print_remedies(console: Console, heading: str, rows: Iterable[Row]) -> None:
    """Whole lines, however long, so that a command can be copied."""
    remedies = [f"  {row.name}: {row.remedy}" for row in rows if row.remedy]
    if remedies:
        console.print(Text("\n".join(["", f"{heading}:", *remedies])), soft_wrap=True)
