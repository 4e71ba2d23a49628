"""Stands for faster-whisper in a worker's process: slow, broken or well, as it is told."""

import os
import time
from collections.abc import Iterator
from typing import Any

from ultraandchat.audio.frame import HEARING_RATE, Pcm16
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.worker_wire import Progress, Stop

CRASHING = HEARING_RATE + 1
"""Samples of an utterance at which the process ends."""
SLOW = HEARING_RATE + 2
"""And at which it takes its time, until nobody wants the words any more."""


class Model:
    """Two windows of words for every utterance."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._arguments = arguments

    def about(self, stop: Stop) -> str:
        told = {**self._arguments, "token": len(self._arguments["token"])}
        return " ".join(f"{name}={value}" for name, value in sorted(told.items()))

    def transcribe(self, stop: Stop, pcm: Pcm16) -> Iterator[str]:
        if len(pcm) == CRASHING:
            os._exit(1)
        while len(pcm) == SLOW and not stop():
            time.sleep(0.001)
        yield f" {len(pcm)} samples,"
        yield " the loudest " + str(abs(pcm).max()) + " "


def open_model(progress: Progress, **arguments: Any) -> Model:
    return Model(arguments)


def open_none(progress: Progress, **arguments: Any) -> Model:
    raise EngineUnavailable("whisper", "there is no GPU cuda here", "Set another device.")
