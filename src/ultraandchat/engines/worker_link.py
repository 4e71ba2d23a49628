"""One life of a model's process, seen from the server: start, messages, beats, output, end.

It knows no jobs: what the child says about them is handed on. Whatever goes wrong ends the life with
one plain sentence; `worker.py` decides what then happens.
"""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ultraandchat.engines.worker_wire import (
    LENGTH,
    MAX_FRAME,
    Beat,
    ChildMessage,
    Loaded,
    NotLoaded,
    Open,
    encode,
    from_child,
)

log = logging.getLogger("ultraandchat.model")

GRACE_S = 1.0
"""Between SIGTERM, which a healthy child obeys at once, and SIGKILL."""

LINE = 4096
"""Bytes of a model's output that become one log line at most."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """A model, and the process it is to live in."""

    name: str
    """Shows in logs, in errors and on `/health`, such as "sphinx-stream"."""
    factory: str
    """ "package.module:function", imported in the child and called with `arguments`: the model."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    python: str = sys.executable
    """Interpreter of an environment that has this package and what the model needs."""
    start_timeout_s: float = 30.0
    """From the start of the process until its model is loaded."""
    beat_s: float = 1.0
    """Between two signs of life."""
    hang_s: float = 10.0
    """Without a sign of life for this long it is killed. Torch's first kernels hold it for seconds."""
    stall_s: float = 30.0
    """A job that made no step for this long is stuck, and its process is killed."""
    wait_s: float = 5.0
    """How long a call waits while the process restarts."""
    max_jobs: int = 32
    """Queued and running together; one more is refused with `EngineOverloaded`."""
    first_pause_s: float = 0.25
    """Before the first restart; doubled for each further one."""
    longest_pause_s: float = 30.0
    settled_s: float = 60.0
    """A life longer than this makes the next restart a first one again."""
    nice: int = 5
    """Models give way to the server, whose frames are due every 20 ms."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Why a life ended."""

    reason: str
    """One plain sentence."""
    remedy: str = ""
    """What the operator can do about it, where the child knew."""


class LinkLost(Exception):
    """Ends the life; its text is the reason."""


class WorkerLink:
    """One process. Call `live` once; the rest tells of the process meanwhile."""

    def __init__(
        self,
        spec: WorkerSpec,
        on_loaded: Callable[["WorkerLink"], None],
        on_message: Callable[[ChildMessage], None],
    ) -> None:
        self._spec = spec
        self._on_loaded = on_loaded
        self._on_message = on_message
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._loaded = asyncio.Event()
        self._remedy = ""
        self._beats = 0
        self._busy_at: tuple[int | None, int] = (None, 0)
        self.load_s: float | None = None
        self.rss_bytes: int | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def loaded(self) -> bool:
        return self._loaded.is_set()

    def send(self, frame: bytes) -> None:
        """Never waits: what is under way is bounded by the jobs that may be open at once."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(frame)

    async def live(self) -> Loss:
        """From start to end. Cancelling it stops the process."""
        reason = ""
        try:
            try:
                reader = await self._start()
            except OSError as error:
                return Loss(f"its process cannot be started ({error.strerror})")
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._read(reader), name=f"{self._spec.name} read")
                    group.create_task(self._watch(), name=f"{self._spec.name} watch")
                    group.create_task(self._log_output(), name=f"{self._spec.name} output")
            except* LinkLost as lost:
                reason = str(lost.exceptions[0])
        finally:
            await self._end(at_once=bool(reason))
        return Loss(reason, self._remedy)

    async def _start(self) -> asyncio.StreamReader:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    *(self._spec.python, "-P", "-m", "ultraandchat.engines.worker_process"),
                    str(theirs.fileno()),
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                )
            reader, self._writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            ours.close()
            raise
        spec = self._spec
        self.send(encode(Open(spec.factory, dict(spec.arguments), spec.beat_s, spec.nice)))
        return reader

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Messages until the child is gone. Its silence is `_watch`'s business."""
        while True:
            try:
                (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
                if length > MAX_FRAME:
                    raise LinkLost("its process sent something unreadable")
                message = from_child(await reader.readexactly(length))
            except (asyncio.IncompleteReadError, OSError):
                raise LinkLost(await self._last_words()) from None
            except msgspec.DecodeError:
                raise LinkLost("its process sent something unreadable") from None
            self._take(message)

    def _take(self, message: ChildMessage) -> None:
        if isinstance(message, Beat):
            self._beats += 1
            self._busy_at = (message.job, message.steps)
            self.rss_bytes = message.rss_bytes
        elif isinstance(message, Loaded):
            self.load_s = message.load_s
            self._loaded.set()
            self._on_loaded(self)
        elif isinstance(message, NotLoaded):
            self._remedy = message.remedy
            raise LinkLost(message.reason)
        else:
            self._on_message(message)

    async def _watch(self) -> None:
        """Counts in its own ticks, not by the clock, so a server that stood still accuses nobody."""
        spec = self._spec
        try:
            async with asyncio.timeout(spec.start_timeout_s):
                await self._loaded.wait()
        except TimeoutError:
            raise LinkLost(
                f"its model was not loaded within {spec.start_timeout_s:g} seconds"
            ) from None
        silent_s = stuck_s = 0.0
        while True:
            beats, busy_at = self._beats, self._busy_at
            await asyncio.sleep(spec.beat_s)
            silent_s = 0.0 if self._beats != beats else silent_s + spec.beat_s
            stuck = busy_at[0] is not None and self._busy_at == busy_at
            stuck_s = stuck_s + spec.beat_s if stuck else 0.0
            if silent_s >= spec.hang_s:
                raise LinkLost("its model hangs")
            if stuck_s >= spec.stall_s:
                raise LinkLost("its model is stuck in one step")

    async def _log_output(self) -> None:
        """What the child prints, at debug: it may hold what a user said."""
        assert self._process is not None
        output = self._process.stdout
        assert output is not None
        while data := await output.read(LINE):
            for line in data.decode(errors="replace").splitlines():
                log.debug("%s: %s", self._spec.name, line)

    async def _last_words(self) -> str:
        """How the process ended, once it closed its end."""
        assert self._process is not None
        try:
            async with asyncio.timeout(GRACE_S):
                code = await self._process.wait()
        except TimeoutError:
            return "its process closed the connection"
        if code < 0:
            return f"its process was killed ({signal.Signals(-code).name})"
        return f"its process ended by itself (exit code {code})"

    async def _end(self, *, at_once: bool) -> None:
        if self._writer is not None:
            self._writer.close()
        process = self._process
        if process is None or process.returncode is not None:
            return
        try:
            if not at_once:
                process.terminate()
                async with asyncio.timeout(GRACE_S):
                    await process.wait()
        except TimeoutError:
            log.debug("%s: did not end in time", self._spec.name)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
