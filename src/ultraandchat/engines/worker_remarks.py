"""What our own code logs inside a model's process, brought to the server's log at its level.

All else that comes out there, what packages print and warn of and traces among it, is the process's output,
which the server logs at debug.
"""

import logging
from collections.abc import Callable

from ultraandchat.engines.worker_wire import Remark

LONGEST = 1_000
"""Characters of one."""


class Remarks(logging.Handler):
    """Hands on every record as a message."""

    def __init__(self, send: Callable[[Remark], None]) -> None:
        super().__init__()
        self._send_remark = send

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()[:LONGEST].encode("utf-8", "replace").decode()
        self._send_remark(Remark(record.levelno, text))


def hand_on(send: Callable[[Remark], None]) -> None:
    """From now on, for this whole process. From "info" up: as little as a log holds that is not asked for more."""
    ours = logging.getLogger("ultraandchat")
    ours.addHandler(Remarks(send))
    ours.setLevel(logging.INFO)
    ours.propagate = False
