"""Whisper (faster-whisper) writes down what was said, beside the conversation and never before it.

It lives in a process of its own that gives way to all others; a reply of a model that hears does not
wait for it, and its words are shown whenever they come. They are given up at a deadline, so that an
overloaded machine does not write for ever what nobody looks at any more.
"""

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from ultraandchat.engines.base import EngineError, EngineStatus, EngineUnavailable, Transcript
from ultraandchat.engines.settings import WhisperSettings
from ultraandchat.engines.weights.settings import HubSettings
from ultraandchat.engines.whole_utterance import WholeUtterance
from ultraandchat.engines.worker import Begun, Worker, WorkerSpec, nobody, open_worker
from ultraandchat.engines.worker_status import engine_status
from ultraandchat.turn.events import Utterance

MODEL = "ultraandchat.engines.whisper_model:open_model"
INSTALL = 'pip install "ultraandchat[gpu]", or --set engines.transcriber=sphinx'

NICE = 10
"""Behind the other models (5), which somebody waits for."""
START_TIMEOUT_S = 120.0
"""Without any progress in loading: 1.6 GB from a slow disk."""
STALL_S = 120.0
"""One window of 30 s on a slow processor is one step."""
MOST_JOBS = 32
"""Utterances that wait; one more has no captions."""


class Whisper(WholeUtterance):
    """A `Transcriber`. Made by `open_whisper`, shared by all conversations."""

    def __init__(self, worker: Worker, settings: WhisperSettings, about: str) -> None:
        super().__init__(self._words)
        self._worker = worker
        self._deadline_s = settings.deadline_ms / 1000
        self._about = about

    def status(self) -> EngineStatus:
        """As `/health` shows it."""
        return engine_status("transcriber", "whisper", self._about, self._worker.status())

    async def _words(self, utterance: Utterance) -> Transcript:
        try:
            async with asyncio.timeout(self._deadline_s):
                async with aclosing(self._worker.stream("transcribe", utterance.pcm)) as windows:
                    text = "".join([window async for window in windows])
        except TimeoutError:
            raise EngineError("whisper", "it was too slow to write that down") from None
        return Transcript(text.strip(), "whisper")


@asynccontextmanager
async def open_whisper(
    settings: WhisperSettings,
    hub: HubSettings,
    begun: Begun = nobody,
    *,
    factory: str = MODEL,
) -> AsyncIterator[Whisper]:
    """Loaded and warm; its process ends with the block. `EngineUnavailable` says what is missing.

    `factory` makes the model in the worker's process, as `WorkerSpec` has it.
    """
    if factory == MODEL and not installed(settings):
        raise EngineUnavailable("whisper", "faster-whisper is not installed", INSTALL)
    spec = WorkerSpec(
        "whisper",
        factory,
        _arguments(settings, hub),
        python=settings.python or sys.executable,
        start_timeout_s=START_TIMEOUT_S,
        stall_s=STALL_S,
        max_jobs=MOST_JOBS,
        nice=NICE,
    )
    async with open_worker(spec, begun) as worker:
        yield Whisper(worker, settings, str(await worker.ask("about")))


def installed(settings: WhisperSettings) -> bool:
    """As far as can be told without importing it; of another interpreter nothing can."""
    return bool(settings.python) or importlib.util.find_spec("faster_whisper") is not None


def _arguments(settings: WhisperSettings, hub: HubSettings) -> dict[str, Any]:
    return {
        "model": settings.model,
        "revision": settings.revision,
        "device": settings.device,
        "precision": settings.precision,
        "language": settings.language,
        "offline": hub.offline,
        "cache": hub.cache,
        "endpoint": hub.endpoint,
        "token": hub.token,
    }
