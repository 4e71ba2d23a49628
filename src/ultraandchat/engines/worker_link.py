"""One life of a model's process, seen from the server: start, messages, beats, output, end.

It knows no jobs: what the child says about them is handed on. Whatever goes wrong ends the life with
one plain sentence; `worker.py` decides what then happens.
"""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from ultraandchat.engines.base import Progressing, Stage
from ultraandchat.engines.worker_spec import WorkerSpec
from ultraandchat.engines.worker_wire import (
    LENGTH,
    MAX_FRAME,
    Beat,
    ChildMessage,
    Loaded,
    NotLoaded,
    Open,
    Progressed,
    Remark,
    Spoilt,
    encode,
    from_child,
)

log = logging.getLogger("ultraandchat.model")

GRACE_S = 1.0
"""Between SIGTERM, which a healthy child obeys at once, and SIGKILL."""

LINE = 4096
"""Bytes of a model's output that become one log line at most."""


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
        on_useless: Callable[[], None],
    ) -> None:
        """`on_useless` is called as soon as the process is, some time before it has ended: whoever asks
        meanwhile waits for the next one."""
        self._spec = spec
        self._on_loaded = on_loaded
        self._on_message = on_message
        self._on_useless = on_useless
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._loaded = False
        self._moved = asyncio.Event()
        self._remedy = ""
        self._beats = 0
        self._busy_at: tuple[int | None, int] = (None, 0)
        self.load_s: float | None = None
        self.stages: tuple[Stage, ...] = ()
        self.progress: Progressing | None = None
        self.rss_bytes: int | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def loaded(self) -> bool:
        return self._loaded

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
                self._on_useless()
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
        opening = Open(spec.factory, dict(spec.arguments), spec.beat_s, spec.nice, spec.at_once)
        self.send(encode(opening))
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
        match message:
            case Beat():
                self._beats += 1
                self._busy_at = (message.job, message.steps)
                self.rss_bytes = message.rss_bytes
            case Progressed():
                self.progress = Progressing(message.stage, message.done, message.total)
                self.stages = tuple(Stage(*stage) for stage in message.finished)
                self._moved.set()
            case Loaded():
                self.load_s = message.load_s
                self.progress = None
                self.stages = tuple(Stage(*stage) for stage in message.finished)
                self._loaded = True
                self._moved.set()
                self._on_loaded(self)
            case NotLoaded():
                self._remedy = message.remedy
                raise LinkLost(message.reason)
            case Remark():
                level = min(max(message.level, logging.DEBUG), logging.ERROR)
                log.log(level, "%s: %s", self._spec.name, message.text)
            case Spoilt():
                raise LinkLost(message.reason)
            case _:
                self._on_message(message)

    async def _watch(self) -> None:
        """Counts in its own ticks, not by the clock, so a server that stood still accuses nobody."""
        await self._watch_loading()
        spec = self._spec
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

    async def _watch_loading(self) -> None:
        patience_s = self._spec.start_timeout_s
        while not self._loaded:
            self._moved.clear()
            try:
                async with asyncio.timeout(patience_s):
                    await self._moved.wait()
            except TimeoutError:
                at = "" if self.progress is None else f" ({self.progress.stage})"
                reason = f"its model made no progress in loading for {patience_s:g} seconds{at}"
                raise LinkLost(reason) from None

    async def _log_output(self) -> None:
        """What the child prints, at debug: it may hold what a user said."""
        assert self._process is not None
        output = self._process.stdout
        assert output is not None
        while data := await output.read(LINE):
            for line in data.decode(errors="replace").splitlines():
                if line.strip():
                    log.debug("%s: %s", self._spec.name, line)

    async def _last_words(self) -> str:
        """How the process ended, once it closed its end."""
        assert self._process is not None
        try:
            async with asyncio.timeout(GRACE_S):
                code = await self._process.wait()
        except TimeoutError:
            return "its process closed the connection"
        if code == -signal.SIGKILL:  # not by us: `_end` comes after this
            return "its process was killed (SIGKILL), as a system does when memory runs out"
        if code < 0:
            return f"its process was killed ({signal.Signals(-code).name})"
        return f"its process ended by itself (exit code {code})"

    async def _end(self, *, at_once: bool) -> None:
        if self._writer is not None:
            self._writer.close()
        process = self._process
        if process is None:
            return
        try:
            if not at_once and process.returncode is None:
                process.terminate()
                async with asyncio.timeout(GRACE_S):
                    await process.wait()
        except TimeoutError:
            log.debug("%s: did not end in time", self._spec.name)
        finally:
            if process.returncode is None:
                process.kill()
            # To the end of its output, too: else the pipe stays open until somebody collects it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE_S):
                    await process.communicate()
            if process.returncode is None:  # in the kernel's hands, as when a driver hangs
                log.warning("%s: pid %s was killed and does not end", self._spec.name, process.pid)
