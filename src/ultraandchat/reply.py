"""One answer: text as it is written → clauses → sound. A coroutine; cancelling it frees the models."""

import asyncio
from contextlib import aclosing
from typing import Protocol

import numpy as np

from ultraandchat.audio.frame import PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.audio.resample import Resampler
from ultraandchat.dialogue.actions import Action
from ultraandchat.dialogue.clauses import ClauseSplitter
from ultraandchat.dialogue.history import Conversation
from ultraandchat.dialogue.reading import Reading
from ultraandchat.dialogue.speakable import Aloud
from ultraandchat.dialogue.tags import without_tags
from ultraandchat.engines.base import (
    EngineError,
    Engines,
    Manner,
    Prompt,
    SpeechSynthesizer,
    Voice,
)
from ultraandchat.engines.reciting import splitter

CLAUSES_AHEAD = 4
"""Clauses written and not yet spoken; the language model waits when there are more."""


class Listener(Protocol):
    """Who takes the reply as it is made."""

    @property
    def voice(self) -> Voice:
        """How the next clause is to be spoken."""
        ...

    def clause_written(self, clause: int, text: str) -> None:
        """What is spoken next, as it is shown: no tags; empty where it is nothing but one."""
        ...

    async def sound(self, clause: int, samples: Samples) -> None:
        """48 kHz. Waits while the listener is far behind."""
        ...

    def clause_done(self, clause: int) -> None: ...

    def act(self, action: Action) -> None: ...

    def written(self, reading: Reading) -> None:
        """All of it is written, and this is what it took."""
        ...


async def answer(
    prompt: Prompt, conversation: Conversation, engines: Engines, listener: Listener
) -> None:
    """Make the whole reply. Raises the first `EngineError`."""
    clauses: asyncio.Queue[str | None] = asyncio.Queue(CLAUSES_AHEAD)
    manner = engines.speech.manner(listener.voice)
    cut = splitter(manner)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_write(prompt, conversation, engines, listener, cut, clauses))
            await _speak(clauses, manner, engines.speech, listener)
    except ExceptionGroup as group:
        raise _first_engine_error(group) from None


async def recite(text: str, speech: SpeechSynthesizer, listener: Listener) -> None:
    """Speak a text that is already there. Raises `EngineError`."""
    manner = speech.manner(listener.voice)
    cut = splitter(manner)
    written = cut.feed(text) + cut.flush()
    clauses: asyncio.Queue[str | None] = asyncio.Queue(len(written) + 1)  # all there is
    for clause in [*written, None]:
        clauses.put_nowait(clause)
    await _speak(clauses, manner, speech, listener)


async def _write(
    prompt: Prompt,
    conversation: Conversation,
    engines: Engines,
    listener: Listener,
    cut: ClauseSplitter,
    clauses: asyncio.Queue[str | None],
) -> None:
    async with aclosing(engines.language.respond(prompt, conversation)) as parts:
        async for part in parts:
            if isinstance(part, str):
                for clause in cut.feed(part):
                    await clauses.put(clause)
            elif isinstance(part, Reading):
                listener.written(part)
            else:
                listener.act(part)
    for clause in cut.flush():
        await clauses.put(clause)
    await clauses.put(None)


async def _speak(
    clauses: asyncio.Queue[str | None],
    manner: Manner,
    speech: SpeechSynthesizer,
    listener: Listener,
) -> None:
    aloud = Aloud(manner.language, manner.tags)
    index = 0
    while (clause := await clauses.get()) is not None:
        listener.clause_written(index, without_tags(clause))
        sayable = aloud.clause(clause)
        if sayable:
            await _say(sayable, index, speech, listener)
        listener.clause_done(index)
        index += 1


async def _say(text: str, index: int, speech: SpeechSynthesizer, listener: Listener) -> None:
    resampler = Resampler(speech.rate, PLAYOUT_RATE)
    position = 0
    async with aclosing(speech.synthesize(text, listener.voice)) as blocks:
        async for block in blocks:
            if not np.isfinite(block).all():  # a broken model: silence, not a bang
                block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
            for ready in resampler.feed(AudioFrame(block, speech.rate, position)):
                await listener.sound(index, ready.samples)
            position += len(block)
    for ready in resampler.flush():
        await listener.sound(index, ready.samples)


def _first_engine_error(group: ExceptionGroup) -> Exception:
    """The model's fault, if it is one; else the group as it is: the fault is ours."""
    engine, rest = group.split(EngineError)
    if engine is None or rest is not None:
        return group
    first: BaseException = engine
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    assert isinstance(first, EngineError)
    return first
