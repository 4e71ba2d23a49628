"""What is told while the models load, in virtual time."""

import asyncio
from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from tests.support.clock import run_virtually
from ultraandchat.engines.base import EngineState, EngineStatus, Progressing
from ultraandchat.server.loading import Loading
from ultraandchat.server.terminal import CLEAR, Terminal


def engine(
    kind: str, name: str, state: EngineState = "loading", progress: Progressing | None = None
) -> EngineStatus:
    return EngineStatus(kind, name, state, progress=progress)


def loading(*engines: EngineStatus) -> Loading:
    loading = Loading()
    for one in engines:
        loading.watch(one.kind, lambda one=one: (one,))
    return loading


def told(seconds: float, terminal: Terminal | None = None) -> list[str]:
    """The lines of a start that takes so long; the voice is there after 3 s."""
    lines: list[str] = []

    async def story() -> None:
        ours = loading(engine("transcriber", "sphinx"), engine("speech", "flite"))
        there = (engine("speech", "flite", "ready"),)
        asyncio.get_running_loop().call_later(3, ours.watch, "speech", lambda: there)
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(ours.tell(lines.append, terminal))
            await asyncio.sleep(seconds)
            telling.cancel()

    run_virtually(story())
    return lines


def test_a_start_within_a_second_needs_no_word() -> None:
    assert told(0.9) == []


def test_a_log_gets_a_line_every_five_seconds_with_what_is_waited_for() -> None:
    assert told(12.5) == [
        "Loading for 1 s: transcriber (sphinx), speech (flite).",
        "Loading for 6 s: transcriber (sphinx).",
        "Loading for 11 s: transcriber (sphinx).",
    ]


def test_a_terminal_has_one_line_that_counts_and_is_empty_at_the_end() -> None:
    screen = StringIO()
    terminal = Terminal(Console(file=screen, force_terminal=True, width=80))
    assert told(2.5, terminal) == []
    _, one, two, nothing = screen.getvalue().split(CLEAR)
    assert one == "Loading for 1 s: transcriber (sphinx), speech (flite).\r"
    assert two == "Loading for 2 s: transcriber (sphinx), speech (flite).\r"
    assert nothing == "\r"


def test_what_is_there_is_not_waited_for() -> None:
    assert loading(engine("speech", "flite", "ready")).line(7.2) == "Loading for 7 s."
    assert Loading().line(7.2) == "Loading for 7 s."


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progressing("start", 0, 0), "ultravox"),
        (
            Progressing("download", 3_210_000_000, 16_100_000_000),
            "ultravox: downloading 3.2 of 16.1 GB",
        ),
        (Progressing("download", 4_900_000, 75_000_000), "ultravox: downloading 5 of 75 MB"),
        (Progressing("download", 0, 0), "ultravox: downloading"),
        (Progressing("load", 3, 10), "ultravox: loading 3 of 10"),
        (Progressing("warm-up", 0, 0), "ultravox: warming up"),
        (
            Progressing("capture (CUDA graphs, 1 tokens)", 2, 8),
            "ultravox: recording its steps (CUDA graphs, 1 tokens) 2 of 8",
        ),
        (Progressing("quantise", 1, 2), "ultravox: quantise 1 of 2"),
    ],
)
def test_how_far_it_is_in_plain_words(progress: Progressing, words: str) -> None:
    ours = loading(engine("language", "ultravox", progress=progress))
    assert ours.line(3) == f"Loading for 3 s: language ({words})."


@pytest.fixture
def terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dumb one has 80 columns, whatever it is said to have."""
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.usefixtures("terminals")
def test_a_terminal_draws_a_bar_of_what_is_furthest_from_its_end() -> None:
    screen = StringIO()
    terminal = Terminal(Console(file=screen, force_terminal=True, width=80))
    ours = loading(
        engine("transcriber", "whisper", progress=Progressing("download", 9, 10)),
        engine("language", "ultravox", progress=Progressing("download", 1, 4)),
    )
    assert ours.share() == 0.25
    terminal.live("the words", ours.share())
    drawn = Text.from_ansi(screen.getvalue().removeprefix(CLEAR).removesuffix("\r")).plain
    assert drawn.endswith(" the words")
    full = screen.getvalue()
    screen.truncate(0)
    terminal.live("the words", 0.9)
    assert screen.getvalue() != full, "it does not move"


@pytest.mark.usefixtures("terminals")
def test_a_narrow_terminal_has_the_words_only() -> None:
    screen = StringIO()
    terminal = Terminal(Console(file=screen, force_terminal=True, width=40))
    terminal.live("the words", 0.5)
    assert screen.getvalue() == f"{CLEAR}the words\r"
