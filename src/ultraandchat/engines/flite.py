"""flite speaks: small recorded voices, the better of the two that need no download (BSD-like)."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.flite_model import RATE
from ultraandchat.engines.worker import Begun, WorkerSpec, nobody, open_worker
from ultraandchat.engines.worker_speech import WorkerSpeech

REMEDY = "Install it (apt install flite), or set engines.speech=espeak."


def find_flite() -> str | None:
    """The program, where it is installed."""
    return shutil.which("flite")


@asynccontextmanager
async def open_flite(begun: Begun = nobody) -> AsyncIterator[WorkerSpeech]:
    """The synthesizer, loaded; its process ends with the block."""
    program = find_flite()
    if program is None:
        raise EngineUnavailable("flite", "it is not installed", REMEDY)
    spec = WorkerSpec("flite", "ultraandchat.engines.flite_model:open_model", {"program": program})
    async with open_worker(spec, begun) as worker:
        voices = await worker.ask("voices")
        yield WorkerSpeech(
            worker, rate=RATE, voices=voices, about="flite, small recorded voices", ascii_only=True
        )
