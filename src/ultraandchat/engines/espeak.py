"""espeak-ng speaks: clear, robotic and immediate, where flite is not installed.

GPL-3.0-or-later, so it is a separate program here: its code is loaded by its worker process only.
"""

import importlib.util
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ultraandchat.engines.espeak_model import RATE, VOICES
from ultraandchat.engines.worker import Begun, WorkerSpec, nobody, open_worker
from ultraandchat.engines.worker_speech import WorkerSpeech

MODEL = "ultraandchat.engines.espeak_model:open_model"


def find_espeak() -> str | None:
    """Where it would come from, without loading it."""
    if importlib.util.find_spec("espeakng_loader") is not None:
        return "espeakng-loader"
    return shutil.which("espeak-ng")


@asynccontextmanager
async def open_espeak(begun: Begun = nobody) -> AsyncIterator[WorkerSpeech]:
    """The synthesizer, loaded; its process ends with the block."""
    spec = WorkerSpec("espeak", MODEL)
    async with open_worker(spec, begun) as worker:
        yield WorkerSpeech(
            worker,
            rate=RATE,
            voices=VOICES,
            about="espeak-ng, a small robotic voice",
            ascii_only=False,
        )
