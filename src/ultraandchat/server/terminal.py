"""Where a person sits: colours, a QR code, and one line that changes while something takes long."""

import sys
from collections.abc import Callable

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.text import Text

from ultraandchat.server.banner import Banner, qr_code

CLEAR = "\x1b[2K\r"
"""Empty the line, and go back to its beginning (ECMA-48 EL)."""

BAR_WIDTH = 24
"""Characters. The words behind it are worth more."""


class Terminal:
    """Standard output, where it is a terminal. What is written for good goes through `announce` as in a log."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @classmethod
    def found(cls) -> "Terminal | None":
        """None for a log, a pipe, or a terminal that knows no escape codes."""
        console = Console(highlight=False, soft_wrap=True)
        return cls(console) if console.is_terminal and not console.is_dumb_terminal else None

    def qr(self, link: str) -> None:
        """The address for a phone; nothing where it does not fit, or its blocks cannot be written."""
        if self._console.encoding.lower().replace("-", "") != "utf8":
            return
        for line in qr_code(link, self._console.width):
            self._console.print(Text("    ") + line)

    def live(self, text: str, share: float | None = None) -> None:
        """Instead of the last one, behind a bar where a `share` (0…1) of it is done. The cursor stays at
        its beginning, so that a log line covers it."""
        bar, room = "", self._console.width - 1
        if share is not None and room >= 2 * BAR_WIDTH:
            with self._console.capture() as drawn:
                self._console.print(ProgressBar(1.0, share, BAR_WIDTH), end="")
            bar, room = f"{drawn.get()} ", room - BAR_WIDTH - 1
        out = self._console.file
        out.write(f"{CLEAR}{bar}{text[:room]}\r")
        out.flush()

    def clear(self) -> None:
        """Nothing takes long any more."""
        self.live("")


def show(banner: Banner, announce: Callable[[str], None], terminal: Terminal | None) -> None:
    """All of it; the code for phones stands under the address."""
    for line in banner.address_lines():
        announce(line)
    if terminal is not None and (link := banner.for_phones()) is not None:
        terminal.qr(link)
        announce("")
    for line in banner.fact_lines():
        announce(line)


def say(line: str) -> None:
    """To standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
