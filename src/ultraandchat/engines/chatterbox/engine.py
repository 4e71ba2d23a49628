"""Chatterbox as the conversation uses it: a voice in a process of its own, heard while it is being made.

A request tells the worker everything about one clause: the text, the voice and its reference clip, and how
freely it is spoken. The process keeps voices that it prepared, on disk too, so one that starts anew has them.
"""

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from ultraandchat.audio.frame import Pcm16, Samples, from_pcm16
from ultraandchat.engines.base import (
    EngineStatus,
    Manner,
    Voice,
)
from ultraandchat.engines.chatterbox.fitness import installed, require
from ultraandchat.engines.chatterbox.kept import Keeping
from ultraandchat.engines.chatterbox.known import Known
from ultraandchat.engines.chatterbox.library import DEFAULT, Library
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.chatterbox.speakers import Speaker, Speakers
from ultraandchat.engines.chatterbox.variants import ENGINE, RATE
from ultraandchat.engines.chatterbox.wording import manner, wording
from ultraandchat.engines.weights.settings import HubSettings
from ultraandchat.engines.worker import Begun, Worker, WorkerSpec, nobody, one_error, open_worker
from ultraandchat.engines.worker_status import engine_status

log = logging.getLogger("ultraandchat.model")

MODEL = "ultraandchat.engines.chatterbox.model:open_model"

AHEAD = 8
"""Blocks that the worker may be ahead of its reader, who waits when a reply is `playout.ahead_s` ahead of its
listener. Blocks grow to a second or two, so a clause of the usual length is made to its end, and its place is
another conversation's while it is heard; nothing is ever made further ahead than `playout.ahead_s` and this."""

KEPT_BLOCK = RATE // 4
"""Samples in a block of what is spoken from memory."""

START_TIMEOUT_S = 300.0
"""Without any progress: a file of 2 GB comes from a slow network disk."""

HANG_S = 30.0
"""Torch holds the interpreter for seconds while it captures graphs and compiles its first kernels."""

STALL_S = 120.0
"""Preparing a voice is one step: a second on a GPU, up to a minute on a processor."""

JOBS_PER_SLOT = 4
"""Clauses that are spoken or wait, for each that is spoken at once; one more is refused. Whoever came last of
four waits for three clauses, as long as a reply may take to begin."""

SPOILT = frozenset({"runaway", "loop", "dropped", "silence", "gibberish"})
"""Verdicts after which a sentence is not kept. A tail is all cut away, and then it is whole."""

Spoken: TypeAlias = Pcm16 | str
"""A block of sound, or the name of what the guard noticed."""


class Chatterbox:
    """A `SpeechSynthesizer`. Made by `open_chatterbox`, shared by all conversations."""

    def __init__(self, worker: Worker, settings: ChatterboxSettings, library: Library) -> None:
        self._worker = worker
        self._settings = settings
        self._manner = manner(settings.kind, settings.language)
        self._speakers = Speakers(library)
        self._verdicts: Counter[str] = Counter()
        self._keeping = Keeping(
            make=self._made,
            prepare=self._prepare,
            life=lambda: worker.pid,
            speakers=self._speakers.all,
        )
        self.library = library
        """The clips that are its voices (`WithLibrary`)."""
        self.known = Known(self._keeping, self._speakers, self._manner)
        """What a conversation may say word for word: its `Phrases`."""

    @property
    def rate(self) -> int:
        return RATE

    @property
    def voices(self) -> tuple[str, ...]:
        """The checkpoint's own, then those of the folder as it is now."""
        return tuple(one.voice for one in self._speakers.all())

    def status(self) -> EngineStatus:
        """As `/health` shows it."""
        now = engine_status("speech", ENGINE, self._settings.shown, self._worker.status())
        return replace(now, verdicts=tuple(sorted(self._verdicts.items())))

    def manner(self, voice: Voice) -> Manner:
        """The same for all its voices."""
        return self._manner

    async def synthesize(self, clause: str, voice: Voice) -> AsyncGenerator[Samples, None]:
        """The clause as it is made, or from memory where it is kept; nothing where it has no words."""
        speaker = self._speakers.named(voice.name or DEFAULT)
        text = wording(clause, self._manner.tags)
        if not text:
            return
        speed = min(max(voice.speed, 0.5), 2.0)
        kept = self._keeping.kept.get(speaker, text)
        if kept is not None and (speed == 1.0 or self._worker.pid is None):
            for start in range(0, len(kept), KEPT_BLOCK):
                yield from_pcm16(kept[start : start + KEPT_BLOCK])
            return
        self._keeping.begin(speaker)
        try:
            async with aclosing(self._spoken(text, speaker, speed)) as items:
                async for item in items:
                    if not isinstance(item, str):
                        yield from_pcm16(item)
        finally:
            self._keeping.end()

    async def keeping(self) -> None:
        """Prepares voices and makes what is to be kept, while nobody speaks; until cancelled."""
        await self._keeping.run()

    async def _spoken(
        self, text: str, speaker: Speaker, speed: float
    ) -> AsyncGenerator[Spoken, None]:
        asked = self._request(text, speaker, speed)
        stream = self._worker.stream("synthesize", asked, ahead=AHEAD)
        async with aclosing(stream) as items:
            async for item in items:
                if isinstance(item, np.ndarray):
                    yield item
                elif "verdict" in item:
                    self._verdicts[item["verdict"]] += 1
                    yield str(item["verdict"])
                else:
                    log.debug("chatterbox: spoke", extra={"fields": item.get("account", {})})

    def _request(self, text: str, speaker: Speaker, speed: float) -> dict[str, Any]:
        settings = self._settings
        return {
            "text": text,
            "language": settings.language,
            "voice": speaker.voice,
            "clip": speaker.path,
            "speed": speed,
            "temperature": settings.temperature,
            "exaggeration": settings.exaggeration,
            "guidance": settings.guidance,
            "seed": settings.seed,
        }

    async def _made(self, speaker: Speaker, text: str) -> Pcm16 | None:
        """A sentence; none where the guard is not content with it. No job in the background, which would have a
        place beside the others: the model has `slots` and no more."""
        blocks: list[Pcm16] = []
        async with aclosing(self._spoken(text, speaker, 1.0)) as items:
            async for item in items:
                if not isinstance(item, str):
                    blocks.append(item)
                elif item in SPOILT:
                    return None
        return np.concatenate(blocks) if blocks else None

    async def _prepare(self, speaker: Speaker) -> None:
        asked = {"voice": speaker.voice, "clip": speaker.path}
        ready = await self._worker.ask("prepare_voice", asked, background=True)
        told = {"voice": speaker.voice, "seconds": float(ready["seconds"])}
        log.debug("chatterbox: has a voice ready", extra={"fields": told})


@asynccontextmanager
async def open_chatterbox(
    settings: ChatterboxSettings,
    hub: HubSettings,
    begun: Begun = nobody,
    *,
    factory: str = MODEL,
    room: int = 0,
) -> AsyncIterator[Chatterbox]:
    """Loaded and warm; its process ends with the block. `EngineUnavailable` says what is missing.

    `factory` makes the model in the worker's process, as `WorkerSpec` has it. `room`: bytes of the GPU that it may
    take; 0: all that is free.
    """
    if factory == MODEL and not settings.python:
        require(installed())
    spec = WorkerSpec(
        ENGINE,
        factory,
        _arguments(settings, hub, room),
        python=settings.python or sys.executable,
        start_timeout_s=START_TIMEOUT_S,
        hang_s=HANG_S,
        stall_s=STALL_S,
        max_jobs=JOBS_PER_SLOT * settings.slots + 1,  # one that gives way counts until it has
        at_once=settings.slots,
    )
    async with (
        open_worker(spec, begun) as worker,
        kept_up(worker, settings, Library(settings.folder)) as speech,
    ):
        yield speech


@asynccontextmanager
async def kept_up(
    worker: Worker, settings: ChatterboxSettings, library: Library
) -> AsyncIterator[Chatterbox]:
    """Over a worker that is loaded; meanwhile it prepares voices and keeps sentences."""
    speech = Chatterbox(worker, settings, library)
    with one_error():
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(speech.keeping(), name="chatterbox keeping")
            try:
                yield speech
            finally:
                keeping.cancel()


def _arguments(settings: ChatterboxSettings, hub: HubSettings, room: int) -> dict[str, Any]:
    return {
        "variant": settings.variant,
        "checkpoint": settings.repository,
        "revision": settings.revision,
        "device": settings.device,
        "precision": settings.precision,
        "slots": settings.slots,
        "graph": settings.graph,
        "watermark": settings.watermark,
        "store": str(settings.store),
        "offline": hub.offline,
        "cache": hub.cache,
        "endpoint": hub.endpoint,
        "token": hub.token,
        "room": room,
    }
