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
from ultraandchat.dialogue.speakable import speakable
from ultraandchat.engines.base import EngineError, Engines, Prompt, SpeechSynthesizer, Voice

CLAUSES_AHEAD = 4
"""Clauses written and not yet spoken; the language model waits when there are more."""
FIRST_CLAUSE_CHARS = 12
"""A first clause may end at a comma after this many characters: the earlier it ends, the earlier it sounds."""
LONGEST_CLAUSE_CHARS = 200
"""About 12 s of speech; longer ones are split where it is least heard."""


class Listener(Protocol):
    """Who takes the reply as it is made."""

    @property
    def voice(self) -> Voice:
        """How the next clause is to be spoken."""
        ...

    def clause_written(self, clause: int, text: str) -> None: ...

    async def sound(self, clause: int, samples: Samples) -> None:
        """48 kHz. Waits while the listener is far behind."""
        ...

    def clause_done(self, clause: int) -> None: ...

    def act(self, action: Action) -> None: ...


async def answer(
    prompt: Prompt, conversation: Conversation, engines: Engines, listener: Listener
) -> None:
    """Make the whole reply. Raises the first `EngineError`."""
    clauses: asyncio.Queue[str | None] = asyncio.Queue(CLAUSES_AHEAD)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_write(prompt, conversation, engines, listener, clauses))
            await _speak(clauses, engines.speech, listener)
    except ExceptionGroup as group:
        raise _first_engine_error(group) from None


async def recite(text: str, speech: SpeechSynthesizer, listener: Listener) -> None:
    """Speak a text that is already there. Raises `EngineError`."""
    splitter = ClauseSplitter(first_min_chars=FIRST_CLAUSE_CHARS, max_chars=LONGEST_CLAUSE_CHARS)
    written = splitter.feed(text) + splitter.flush()
    clauses: asyncio.Queue[str | None] = asyncio.Queue(len(written) + 1)  # all there is
    for clause in [*written, None]:
        clauses.put_nowait(clause)
    await _speak(clauses, speech, listener)


async def _write(
    prompt: Prompt,
    conversation: Conversation,
    engines: Engines,
    listener: Listener,
    clauses: asyncio.Queue[str | None],
) -> None:
    splitter = ClauseSplitter(first_min_chars=FIRST_CLAUSE_CHARS, max_chars=LONGEST_CLAUSE_CHARS)
    async with aclosing(engines.language.respond(prompt, conversation)) as parts:
        async for part in parts:
            if isinstance(part, str):
                for clause in splitter.feed(part):
                    await clauses.put(clause)
            else:
                listener.act(part)
    for clause in splitter.flush():
        await clauses.put(clause)
    await clauses.put(None)


async def _speak(
    clauses: asyncio.Queue[str | None], speech: SpeechSynthesizer, listener: Listener
) -> None:
    index = 0
    while (clause := await clauses.get()) is not None:
        listener.clause_written(index, clause)
        sayable = speakable(clause)
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
