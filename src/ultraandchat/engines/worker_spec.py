"""Which model, in which process, and how much patience one has with it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
    """Without any progress for this long, a model that loads is given up. All of it may take far longer:
    a download takes minutes."""
    at_once: int = 1
    """Jobs that take turns, one step each. 1: they are done one by one, in the order in which they came."""
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
