"""Ultravox as the conversation uses it: a language model that hears, in a process of its own.

A request tells the worker the whole conversation, oldest first: what the user said as sound or text,
and what was heard of the replies. The worker knows from earlier requests how far it has read already.
"""

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from importlib.util import find_spec
from typing import Any

from ultraandchat.dialogue.history import Conversation
from ultraandchat.dialogue.reading import Reading
from ultraandchat.engines.base import (
    EngineError,
    EngineStatus,
    EngineUnavailable,
    Prompt,
    ReplyPart,
    Transcript,
)
from ultraandchat.engines.choice import GPU_EXTRA
from ultraandchat.engines.ultravox.answered import Answered
from ultraandchat.engines.ultravox.settings import UltravoxSettings
from ultraandchat.engines.ultravox.sounds import Sounds
from ultraandchat.engines.ultravox.told import Told, history, utterances
from ultraandchat.engines.weights.settings import HubSettings
from ultraandchat.engines.whole_utterance import WholeUtterance
from ultraandchat.engines.worker import Begun, Worker, WorkerSpec, nobody, open_worker
from ultraandchat.engines.worker_status import engine_status
from ultraandchat.turn.events import UserTurn, Utterance

MODEL = "ultraandchat.engines.ultravox.model:open_model"

START_TIMEOUT_S = 300.0
"""Without any progress: a shard of 5 GB comes from a slow network disk."""

HANG_S = 30.0
"""Torch holds the interpreter for seconds while it captures graphs and compiles its first kernels."""

MOST_JOBS = 64
"""Three for each of 16 conversations (prepare, respond, transcribe) and some that are being cancelled."""


class Ultravox:
    """A `SpeechLanguageModel`. Made by `open_ultravox`, shared by all conversations."""

    def __init__(self, worker: Worker, settings: UltravoxSettings) -> None:
        self._worker = worker
        self._settings = settings
        self._sounds = Sounds()
        self._answered: Answered | None = None  # none: somebody else writes down what is said

    def status(self) -> EngineStatus:
        """As `/health` shows it."""
        return engine_status("language", "ultravox", self._settings.shown, self._worker.status())

    async def respond(
        self, prompt: Prompt, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]:
        """The reply as it is written. It never waits for the words of what was said."""
        earlier = history(conversation)
        if self._answered is not None and isinstance(prompt.said, Utterance):
            self._answered.note(prompt.said, earlier)
        told = [*earlier, (prompt.said, "")]
        async with aclosing(self._asked("respond", told)) as items:
            async for item in items:
                if isinstance(item, str):
                    yield item
                elif "usage" in item:
                    yield _reading(item["usage"])

    async def prepare(self, conversation: Conversation) -> None:
        """Have the history read while the user speaks, behind all replies: the next one goes on from
        what is read by then. That it fails is told by the reply's own failure."""
        told = history(conversation)
        try:
            async with aclosing(self._asked("prepare", told, background=True)) as items:
                async for _ in items:
                    pass
        except EngineError:
            return

    def transcriber(self) -> WholeUtterance:
        """Ultravox as the one who writes down what is said: it is asked once more, behind all replies."""
        answered = self._answered = Answered()

        async def find(utterance: Utterance) -> Transcript:
            told = [*await answered.take(utterance), (utterance, "")]
            async with aclosing(self._asked("transcribe", told, background=True)) as items:
                text = "".join([item async for item in items if isinstance(item, str)])
            return Transcript(text.strip(), "ultravox")

        return WholeUtterance(find)

    async def _asked(
        self, method: str, told: Sequence[Told], *, background: bool = False
    ) -> AsyncGenerator[Any, None]:
        """What the worker yields, asked again with all sound where it lacks some."""
        everything = False
        while True:
            request = self._request(told, None if everything else self._worker.pid)
            missing = held = False
            # As far ahead as a reply may be long: a model that waited for the voice would keep its
            # place from others, and text takes no room.
            ahead = self._settings.max_tokens + 1
            stream = self._worker.stream(method, request, ahead=ahead, background=background)
            async with aclosing(stream) as items:
                async for item in items:
                    if isinstance(item, dict) and "missing" in item:
                        missing = True
                        break
                    if not held:  # its first answer; one more a token would say the same
                        self._sounds.hold(utterances(told), self._worker.pid)
                        held = True
                    yield item
            if not missing:
                return
            if everything:
                raise EngineError("ultravox", "it does not keep what it is told")
            everything = True

    def _request(self, told: Sequence[Told], life: int | None) -> dict[str, Any]:
        """With samples where the process `life` lacks them; with all of them for none."""
        settings = self._settings
        return {
            "system": settings.system_prompt,
            "messages": [self._message(said, words, life) for said, words in told],
            "max_tokens": settings.max_tokens,
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "repetition_penalty": settings.repetition_penalty,
        }

    def _message(self, said: UserTurn | str, words: str, life: int | None) -> dict[str, Any]:
        if isinstance(said, str):
            return {"role": "assistant", "text": said}
        if isinstance(said, Utterance):
            pcm = None if self._sounds.held(said, life) else said.pcm
            digest = self._sounds.digest(said)
            return {"role": "user", "audio": digest, "pcm": pcm, "words": words}
        return {"role": "user", "text": said.text}


def _reading(usage: dict[str, Any]) -> Reading:
    return Reading(
        prompt_tokens=usage["prompt_tokens"],
        reused_tokens=usage["reused_tokens"],
        audio_tokens=usage["audio_tokens"],
        new_tokens=usage["new_tokens"],
        encode_ms=usage["encode_ms"],
        prefill_ms=usage["prefill_ms"],
    )


@asynccontextmanager
async def open_ultravox(
    settings: UltravoxSettings,
    hub: HubSettings,
    begun: Begun = nobody,
    *,
    factory: str = MODEL,
    room: int = 0,
) -> AsyncIterator[Ultravox]:
    """Loaded and warm; its process ends with the block. `EngineUnavailable` says what is missing.

    `factory` makes the model in the worker's process, as `WorkerSpec` has it. `room`: bytes of the GPU that it may
    take; 0: all that is free.
    """
    if factory == MODEL and not settings.python and find_spec("torch") is None:
        raise EngineUnavailable("ultravox", "torch is not installed", GPU_EXTRA)
    spec = WorkerSpec(
        "ultravox",
        factory,
        _arguments(settings, hub, room),
        python=settings.python or sys.executable,
        start_timeout_s=START_TIMEOUT_S,
        hang_s=HANG_S,
        max_jobs=MOST_JOBS,
        at_once=settings.slots,
    )
    async with open_worker(spec, begun) as worker:
        yield Ultravox(worker, settings)


def _arguments(settings: UltravoxSettings, hub: HubSettings, room: int) -> dict[str, Any]:
    return {
        "checkpoint": settings.checkpoint,
        "revision": settings.revision,
        "text_model": settings.text_model,
        "text_model_revision": settings.text_model_revision,
        "device": settings.device,
        "precision": settings.precision,
        "window": settings.window,
        "slots": settings.slots,
        "graph": settings.graph,
        "offline": hub.offline,
        "cache": hub.cache,
        "endpoint": hub.endpoint,
        "token": hub.token,
        "room": room,
    }
