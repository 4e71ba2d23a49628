"""What a person at a terminal sees that no log gets."""

from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.console import Console

from tests.server.test_banner import LINK, TOKEN, banner
from ultraandchat.server.terminal import CLEAR, Terminal, show


class Screen(TextIOWrapper):
    """A terminal of 80 columns."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(BytesIO(), encoding=encoding, write_through=True)

    def terminal(self) -> Terminal:
        return Terminal(Console(file=self, force_terminal=True, width=80, highlight=False))

    def shown(self) -> str:
        assert isinstance(self.buffer, BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


def test_the_code_stands_under_the_address() -> None:
    screen = Screen()
    show(banner(LINK), lambda line: print(line, file=screen), screen.terminal())
    shown = screen.shown()
    assert shown.index(TOKEN) < shown.index("█") < shown.index("Ways for sound:")
    assert shown.count(TOKEN) == 1


def test_who_sits_at_no_terminal_gets_plain_lines() -> None:
    out = StringIO()
    show(banner(LINK), lambda line: print(line, file=out), None)
    assert out.getvalue().isascii()
    assert "\x1b" not in out.getvalue()


def test_a_terminal_that_cannot_write_blocks_gets_no_code() -> None:
    screen = Screen("latin-1")
    screen.terminal().qr(LINK)
    assert screen.shown() == ""


def test_the_line_that_changes_never_wraps_and_leaves_nothing_behind() -> None:
    screen = Screen()
    terminal = screen.terminal()
    terminal.live("x" * 200)
    terminal.clear()
    assert screen.shown() == f"{CLEAR}{'x' * 79}\r{CLEAR}\r"


def test_a_pipe_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdout", StringIO())
    assert Terminal.found() is None
