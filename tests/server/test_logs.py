"""Log lines and files: where a line goes, what it names, what cannot be forged in it."""

import io
import logging
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.config import ConfigError, LogsConfig
from ultraandchat.server.logs import (
    LineFormatter,
    LineQueue,
    Logs,
    belonging,
    component,
    conversation,
    fields,
    written,
)

TURN = logging.getLogger("ultraandchat.turn")
AUDIO = logging.getLogger("ultraandchat.audio")


@contextmanager
def logging_to(directory: Path, level: str = "info") -> Iterator[tuple[Logs, io.StringIO]]:
    console = io.StringIO()
    with written(LogsConfig(directory=str(directory), level=level), console) as logs:
        yield logs, console


def test_a_line_stands_in_its_component_and_on_the_console(tmp_path: Path) -> None:
    with logging_to(tmp_path) as (_, console):
        TURN.info("turn ended", extra=fields(kind="spoken"))
    assert "info turn turn ended kind=spoken" in (tmp_path / "turn.log").read_text()
    assert (tmp_path / "audio.log").read_text() == ""
    assert "turn ended" in console.getvalue()


def test_a_line_names_its_conversation_and_turn(tmp_path: Path) -> None:
    with logging_to(tmp_path), conversation("ab12") as mark:
        mark.turn = 3
        TURN.info("turn ended")
    assert " session=ab12 turn=3 turn ended" in (tmp_path / "turn.log").read_text()


def test_below_its_level_nothing_is_written(tmp_path: Path) -> None:
    with logging_to(tmp_path, "warning"):
        TURN.info("turn ended")
    assert (tmp_path / "turn.log").read_text() == ""


def test_the_tail_of_one_conversation_holds_its_traces_too(tmp_path: Path) -> None:
    with logging_to(tmp_path):
        for name in ("ab12", "cd34"):
            with conversation(name):
                try:
                    raise ValueError(name)
                except ValueError:
                    TURN.exception("failed")
    logs = Logs(tmp_path, LineQueue(queue.Queue()))
    tail = logs.tail("turn", 100, "cd34")
    assert tail is not None
    assert "ValueError: cd34" in tail
    assert "ab12" not in tail


def test_the_tail_is_as_long_as_asked(tmp_path: Path) -> None:
    with logging_to(tmp_path):
        for number in range(50):
            TURN.info("line %d", number)
    tail = Logs(tmp_path, LineQueue(queue.Queue())).tail("turn", 2)
    assert tail is not None
    assert [line.rpartition(" ")[2] for line in tail.splitlines()] == ["48", "49"]


@pytest.mark.parametrize("file", ["../../etc/passwd", "nothing", "", "audio.log", "/etc/passwd"])
def test_only_components_have_a_tail(tmp_path: Path, file: str) -> None:
    with logging_to(tmp_path) as (logs, _):
        assert logs.tail(file, 10) is None


def test_a_folder_that_cannot_be_written_is_one_readable_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ConfigError, match=r"logs.directory: cannot write.*--set logs.directory"),
        logging_to(tmp_path / "file" / "logs"),
    ):
        pass


def test_what_is_too_much_is_dropped_and_counted_and_nobody_waits() -> None:
    lines = LineQueue(queue.Queue(2))
    for _ in range(5):
        lines.handle(logging.makeLogRecord({"name": "ultraandchat.turn", "msg": "x"}))
    assert lines.dropped == 3


def test_files_rotate(tmp_path: Path) -> None:
    config = LogsConfig(directory=str(tmp_path), max_bytes=10_000, keep=2)
    with written(config, io.StringIO()):
        for _ in range(100):
            TURN.info("x" * 400)
    names = sorted(path.name for path in tmp_path.glob("turn*"))
    assert names == ["turn.log", "turn.log.1", "turn.log.2"]
    assert all(path.stat().st_size <= 10_000 for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("logger", "expected"),
    [
        ("ultraandchat.audio", "audio"),
        ("ultraandchat.engines.worker", "model"),
        ("ultraandchat.server.connect", "server"),
        ("ultraandchat", "server"),
        ("aiohttp.server", "server"),
        ("other.audio", "server"),
    ],
)
def test_every_logger_has_a_component(logger: str, expected: str) -> None:
    assert component(logger) == expected


@given(st.text(max_size=200), st.text(max_size=200))
def test_nothing_that_is_logged_makes_a_line_of_its_own(message: str, value: str) -> None:
    record = logging.makeLogRecord(
        {"name": "ultraandchat.turn", "levelname": "INFO", "msg": message, **fields(value=value)}
    )
    line = LineFormatter().format(record)
    assert "\n" not in line
    assert "\x1b" not in line
    assert not list(belonging([line], "zz99")) or " session=zz99 " in line


def test_a_trace_cannot_forge_a_line() -> None:
    forged = "x\n2026-01-01T00:00:00.000Z info turn session=zz99 turn=1 forged"
    try:
        raise ValueError(forged)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.makeLogRecord(
        {"name": "x", "levelname": "ERROR", "msg": "m", "exc_info": info}
    )
    assert not list(belonging(LineFormatter().format(record).split("\n"), "zz99"))


def test_log_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    """At debug level they hold what people said."""
    with written(LogsConfig(directory=str(tmp_path / "logs"))):
        logging.getLogger("ultraandchat.server").info("a line")
    assert (tmp_path / "logs").stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "logs").iterdir())


def test_what_a_callback_raised_is_written_with_its_conversation(tmp_path: Path) -> None:
    with logging_to(tmp_path), conversation("abcd"):
        logging.getLogger("asyncio").error("Exception in callback")
    text = (tmp_path / "server.log").read_text()
    assert "Exception in callback" in text
    assert "session=abcd" in text
