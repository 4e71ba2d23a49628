"""Opens engines side by side and tells of each how far it is; `open.py` knows which ones they are."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from ultraandchat.engines.base import (
    EngineError,
    EngineStatus,
    EngineUnavailable,
    NoPhrases,
    Phrases,
    Transcriber,
)
from ultraandchat.engines.worker import Begun, Worker
from ultraandchat.engines.worker_status import engine_status

T = TypeVar("T")

Statuses: TypeAlias = Callable[[], tuple[EngineStatus, ...]]

Watch: TypeAlias = Callable[[str, Statuses], None]
"""Given, for each kind of engine, how to ask how it is; again when that changes: it begins, it has a
process, it is there."""

PATIENCE_S = 60.0
"""For an engine that shows no progress: one that loads nothing is there within seconds. A process that
loads a model is not meant, however long that takes: it has a patience of its own, `start_timeout_s`."""

LOOK_S = 1.0
"""How often it is looked whether anything goes on."""


@dataclass(frozen=True, slots=True)
class Live(Generic[T]):
    """An engine that is open, and how it is."""

    engine: T
    status: Statuses
    transcriber: Callable[[], Transcriber] | None = None
    """Of a language model that can also write down what is said."""
    stands_in: Literal["", "sphinx"] = ""
    """Of a transcriber: its name, where the one that was chosen cannot run."""
    speaks_instead: Literal["", "flite", "espeak"] = ""
    """The same of one that speaks."""
    phrases: Phrases = field(default_factory=NoPhrases)
    """Of one that speaks."""


class Opening:
    """Each engine is opened in a task of its own, which holds it until `release`."""

    def __init__(self, group: asyncio.TaskGroup, watch: Watch) -> None:
        self._group = group
        self._watch = watch
        self._statuses: dict[str, Statuses] = {}
        self._outcomes: list[asyncio.Future[Any]] = []
        self._end = asyncio.Event()

    def open(
        self, kind: str, name: str, make: Callable[[Begun], AbstractAsyncContextManager[Live[T]]]
    ) -> asyncio.Future[Live[T]]:
        """Done when it is open; `EngineUnavailable` when it cannot be. `make` is given whom to tell of
        the processes it starts."""
        outcome: asyncio.Future[Live[T]] = asyncio.get_running_loop().create_future()
        # Asked here, as only the first trouble is raised; asyncio complains of any that nobody looked at.
        outcome.add_done_callback(lambda one: one.cancelled() or one.exception())
        self._outcomes.append(outcome)
        loading = (EngineStatus(kind, name, "loading"),)
        self._see(kind, lambda: loading)

        def begun(workers: tuple[Worker, ...]) -> None:
            self._see(kind, lambda: tuple(_loading(kind, worker) for worker in workers))

        self._group.create_task(self._hold(kind, name, make(begun), outcome), name=f"{kind} engine")
        return outcome

    async def all_open(self) -> None:
        """`EngineUnavailable` of the first that cannot be opened, or that shows no progress any more."""
        clock = asyncio.get_running_loop().time
        moved_at, marks = clock(), self._marks()
        waiting: set[asyncio.Future[Any]] = set(self._outcomes)
        while waiting:
            _, waiting = await asyncio.wait(
                waiting, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED
            )
            for outcome in self._outcomes:
                if outcome.done():
                    outcome.result()
            before, marks = marks, self._marks()
            if marks != before or any(status.progress for status in self._all()):
                moved_at = clock()
            elif clock() - moved_at > PATIENCE_S:
                raise self._stuck()

    def release(self) -> None:
        """Close them all."""
        self._end.set()

    async def _hold(
        self,
        kind: str,
        name: str,
        opening: AbstractAsyncContextManager[Live[T]],
        outcome: asyncio.Future[Live[T]],
    ) -> None:
        try:
            async with opening as live:
                self._see(kind, live.status)
                outcome.set_result(live)
                await self._end.wait()
        except (EngineUnavailable, EngineError) as error:
            if outcome.done():
                raise
            if isinstance(error, EngineError):
                error = EngineUnavailable(error.engine, error.reason, "Its log says more.")
            failed = EngineStatus(kind, name, "failed", error.reason, remedy=error.remedy)
            self._see(kind, lambda: (failed,))
            outcome.set_exception(error)

    def _see(self, kind: str, status: Statuses) -> None:
        self._statuses[kind] = status
        self._watch(kind, status)

    def _all(self) -> list[EngineStatus]:
        return [status for statuses in self._statuses.values() for status in statuses()]

    def _marks(self) -> list[object]:
        """What changes while loading goes on."""
        return [(status.state, status.progress, status.stages) for status in self._all()]

    def _stuck(self) -> EngineUnavailable:
        kinds = ", ".join(status.kind for status in self._all() if status.state != "ready")
        reason = f"no progress in loading for {PATIENCE_S:.0f} s ({kinds})"
        return EngineUnavailable("engines", reason, "Look into the logs.")


def _loading(kind: str, worker: Worker) -> EngineStatus:
    return engine_status(kind, worker.spec.name, "", worker.status())


def scripted_status(kind: str) -> EngineStatus:
    """Of an engine without a model."""
    return EngineStatus(kind, "scripted", "ready", "no model, for tests and benchmarks", load_s=0.0)
