"""How a model's process is, as `/health`, the metrics and the page are told."""

from dataclasses import dataclass

from ultraandchat.engines.base import EngineState, EngineStatus, Progressing, Stage


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """A worker and its process, at this moment."""

    state: EngineState
    load_s: float | None
    """How long its model took to load, the last time."""
    rss_bytes: int | None
    restarts: int
    failures: int
    """Jobs in which the model raised an exception; the process lived on."""
    reason: str
    """Why it is not ready, or was not the last time; empty if it never failed."""
    remedy: str = ""
    """What the operator can do about it, where the process knew."""
    running: int = 0
    """Jobs that take turns now."""
    waiting: int = 0
    """Jobs that have not begun."""
    stages: tuple[Stage, ...] = ()
    """Of loading: those that are over. They stay when the model is there."""
    progress: Progressing | None = None
    """What the process is at while it loads."""
    pid: int | None = None


def engine_status(kind: str, name: str, detail: str, now: WorkerStatus) -> EngineStatus:
    """The engine that lives in this process. `detail` is what it is, in plain words; shown when ready."""
    return EngineStatus(
        kind=kind,
        name=name,
        state=now.state,
        detail=detail if now.state in ("ready", "loading") else now.reason,
        load_s=now.load_s,
        rss_bytes=now.rss_bytes,
        restarts=now.restarts,
        stages=now.stages,
        progress=now.progress,
        pid=now.pid,
        remedy="" if now.state in ("ready", "loading") else now.remedy,
        failures=now.failures,
        running=now.running,
        waiting=now.waiting,
    )
