"""Both models at once on one card: what each costs while the other is idle, and while it never rests."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.gpu_speech import clause, spread
from ultraandchat.audio.frame import HEARING_RATE
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import Prompt, Transcript, Voice
from ultraandchat.engines.chatterbox.engine import Chatterbox
from ultraandchat.engines.ultravox.engine import Ultravox
from ultraandchat.turn.events import TurnId, Utterance

SPOKEN_S = 3.0

Pair = tuple[float, float]


async def both(
    language: Ultravox, speech: Chatterbox, arguments: argparse.Namespace, console: Console
) -> None:
    """The table, seen from the server's process: pipes between processes are in it."""
    noise = np.random.default_rng(1)
    text = clause(arguments)

    async def answer() -> Pair:
        return await answered(language, noise)

    async def say() -> Pair:
        return await said(speech, text)

    table = Table(title="Both models, one conversation each, medians (worst)")
    for heading in (
        "the other one", "TTFT, prefix cold, ms", "ms/token", "first sound, ms", "real-time factor",
    ):  # fmt: skip
        table.add_column(heading, justify="right")
    for name, beside in (("idle", nothing), ("busy", endlessly)):
        async with beside(say):
            heard = [await answer() for _ in range(arguments.runs)]
        async with beside(answer):
            spoken = [await say() for _ in range(arguments.runs)]
        columns = zip(*heard, strict=True), zip(*spoken, strict=True)
        (first, each), (sound, factor) = (list(map(list, column)) for column in columns)
        table.add_row(name, spread(first), spread(each), spread(sound), spread(factor, 2))
    console.print(table)


@asynccontextmanager
async def nothing(work: Callable[[], Coroutine[Any, Any, Pair]]) -> AsyncGenerator[None, None]:
    """Nothing beside what is measured; but once, since the first of everything is slower."""
    await work()
    yield


@asynccontextmanager
async def endlessly(work: Callable[[], Coroutine[Any, Any, Pair]]) -> AsyncGenerator[None, None]:
    """This again and again, meanwhile."""

    async def repeat() -> None:
        while True:
            await work()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(repeat())
        yield
        running.cancel()


async def answered(language: Ultravox, noise: np.random.Generator) -> Pair:
    """ms to the first text of an answer to sound that was never heard before, and of each token then."""
    pcm = noise.normal(0, 3000, int(SPOKEN_S * HEARING_RATE)).astype(np.int16)
    turn = TurnId(int(noise.integers(2**31)))

    async def nobody() -> Transcript:
        raise AssertionError("it hears by itself")

    prompt = Prompt(Utterance(turn, pcm, 0, len(pcm), heard_at=0.0), nobody)
    clock = asyncio.get_running_loop().time
    begun = clock()
    async with aclosing(language.respond(prompt, Conversation())) as parts:
        times = [clock() async for part in parts if isinstance(part, str)]
    return (times[0] - begun) * 1000, (times[-1] - times[0]) * 1000 / max(len(times) - 1, 1)


async def said(speech: Chatterbox, text: str) -> Pair:
    """ms to a clause's first sound, and its real-time factor."""
    clock = asyncio.get_running_loop().time
    begun, first, samples = clock(), 0.0, 0
    async with aclosing(speech.synthesize(text, Voice())) as blocks:
        async for block in blocks:
            first = first or clock()
            samples += len(block)
    return (first - begun) * 1000, (clock() - begun) * speech.rate / samples
