"""Log lines: one console, one rotating file for each component, every line with its conversation.

A line is made where it happens and written by a thread of its own: a slow disk never holds up the
loop. The queue between is bounded; lines beyond it are dropped and counted.
"""

import logging
import os
import queue
import re
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

from ultraandchat.config import ConfigError, LogsConfig

COMPONENTS = ("webrtc", "audio", "model", "turn", "server")
"""Loggers `ultraandchat.<component>`, and the names of the files."""

ROOMS = {"engines": "model", "playout": "audio", "hearing": "audio", "floor": "turn"}
"""Rooms of the package whose own loggers belong to a component of another name."""

LIBRARIES = ("aiohttp", "asyncio", "aiortc", "aioice")
"""Whose warnings are written too. An error in the callback of a datagram is told to asyncio only."""

WAITING_LINES = 10_000
"""Lines between the loop and the writing thread; more than a second of the worst storm seen."""

TAIL_BYTES = 1_000_000
"""How much of the end of a file `/logs` reads at most."""

_RECORD = re.compile(r"\d{4}-\d\d-\d\dT\S+ \w+ +\w+ ")
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
"""Line breaks and terminal codes, written out."""

_CONVERSATION: ContextVar["Mark | None"] = ContextVar("conversation", default=None)


class Mark:
    """Which conversation, and which of its turns, a line belongs to. Shared by all its tasks."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.turn = 0


@contextmanager
def conversation(session: str) -> Iterator[Mark]:
    """Every line logged inside, tasks started there included, names this conversation."""
    mark = Mark(session)
    token = _CONVERSATION.set(mark)
    try:
        yield mark
    finally:
        _CONVERSATION.reset(token)


def fields(**values: object) -> dict[str, Any]:
    """Values of a log line: `log.info("conversation began", extra=fields(address=address))`."""
    return {"fields": values}


class LineFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.000Z info server session=ab12 turn=3 message key=value`.

    Line breaks are escaped and a trace is indented, so nothing that is logged can look like a line
    of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        parts = [
            datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            record.levelname.lower(),
            component(record.name),
        ]
        if mark := _CONVERSATION.get():
            parts += [f"session={mark.session}", f"turn={mark.turn}"]
        parts.append(_flat(record.getMessage()))
        given: dict[str, object] = getattr(record, "fields", {})
        parts += [f"{name}={_value(value)}" for name, value in given.items()]
        line = " ".join(parts)
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            line += "".join(f"\n  | {_flat(part)}" for part in trace.splitlines())
        return line


class Logs:
    """The files of a running server, and what was lost on the way to them."""

    def __init__(self, directory: Path | None, lines: "LineQueue") -> None:
        self.directory = directory
        self._lines = lines

    @property
    def dropped(self) -> int:
        """Lines that were not written because too many came at once."""
        return self._lines.dropped

    def files(self) -> list[tuple[str, int]]:
        """(component, bytes) of every file there is."""
        if self.directory is None:
            return []
        paths = [(name, self.directory / f"{name}.log") for name in COMPONENTS]
        return [(name, path.stat().st_size) for name, path in paths if path.is_file()]

    def tail(self, component: str, lines: int, session: str = "") -> str | None:
        """The last `lines` of a component's file, or of one conversation in it; None without file."""
        if self.directory is None or component not in COMPONENTS:
            return None
        try:
            with (self.directory / f"{component}.log").open("rb") as file:
                size = file.seek(0, 2)
                start = file.seek(max(0, size - TAIL_BYTES))
                text = file.read(TAIL_BYTES).decode("utf-8", "replace")
        except FileNotFoundError:
            return None
        whole = text.removesuffix("\n").split("\n")[1 if start else 0 :]
        kept = deque(belonging(whole, session) if session else whole, maxlen=lines)
        return "".join(f"{line}\n" for line in kept)


class LineQueue(QueueHandler):
    """Makes the line at once, in its task's context, and never waits for room."""

    def __init__(self, lines: "queue.Queue[logging.LogRecord]") -> None:
        super().__init__(lines)
        self.dropped = 0
        self.setFormatter(LineFormatter())

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return logging.makeLogRecord(
            {"name": record.name, "levelno": record.levelno, "msg": self.format(record)}
        )

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


@contextmanager
def written(config: LogsConfig, console: TextIO | None = None) -> Iterator[Logs]:
    """While inside, what `ultraandchat` and `LIBRARIES` log is written. `ConfigError` if it cannot be."""
    directory = Path(config.directory).expanduser() if config.directory else None
    sinks: list[logging.Handler] = [logging.StreamHandler(console or sys.stderr)]
    if directory is not None:
        sinks += _files(directory, config)
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(WAITING_LINES)
    lines = LineQueue(waiting)
    listener = QueueListener(waiting, *sinks)
    levels = dict.fromkeys(LIBRARIES, "WARNING") | {"ultraandchat": config.level.upper()}
    loggers = [logging.getLogger(name) for name in levels]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger, level in zip(loggers, levels.values(), strict=True):
        logger.addHandler(lines)
        logger.setLevel(level)
        logger.propagate = False
    listener.start()
    try:
        yield Logs(directory, lines)
    finally:
        for logger, (old_level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(lines)
            logger.setLevel(old_level)
            logger.propagate = propagate
        listener.stop()
        for sink in sinks[1:]:
            sink.close()


def component(logger: str) -> str:
    """The component a logger's lines belong to; whatever has none belongs to the server."""
    package, _, rest = logger.partition(".")
    room = rest.partition(".")[0] if package == "ultraandchat" else ""
    return room if room in COMPONENTS else ROOMS.get(room, "server")


def belonging(lines: list[str], session: str) -> Iterator[str]:
    """The lines of one conversation, each with the trace that follows it."""
    wanted = f" session={session} "
    inside = False
    for line in lines:
        if _RECORD.match(line):
            inside = wanted in line
        if inside:
            yield line


def _files(directory: Path, config: LogsConfig) -> list[logging.Handler]:
    files: list[logging.Handler] = []
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in COMPONENTS:
            file = _PrivateFile(
                directory / f"{name}.log",
                maxBytes=config.max_bytes,
                backupCount=config.keep,
                encoding="utf-8",
            )
            file.addFilter(_Of(name))
            files.append(file)
    except OSError as error:
        for opened in files:
            opened.close()
        raise ConfigError(
            f"logs.directory: cannot write to {directory} ({error.strerror}); "
            "choose another with --set logs.directory=PATH, or none with --set logs.directory="
        ) from None
    return files


class _PrivateFile(RotatingFileHandler):
    """Readable by who runs the server only: at debug level it holds what people said."""

    def _open(self) -> TextIOWrapper:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        file = open(self.baseFilename, self.mode, encoding=self.encoding, opener=private)  # noqa: SIM115 - the handler closes it
        assert isinstance(file, TextIOWrapper)  # which a text mode gives
        return file


class _Of(logging.Filter):
    """Only the lines of one component."""

    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component

    def filter(self, record: logging.LogRecord) -> bool:
        return component(record.name) == self._component


def _flat(text: str) -> str:
    return text.translate(_CONTROL)


def _value(value: object) -> str:
    text = f"{value:.1f}" if isinstance(value, float) else str(value)
    return text if re.fullmatch(r"[\w.:/+-]+", text) else f'"{_flat(text)}"'
