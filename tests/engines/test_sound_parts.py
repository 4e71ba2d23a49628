"""Utterances on their way to a server: whole, encoded once, and never in the way of anybody."""

import asyncio
import base64
import gc
import io
import wave
import weakref

import msgspec
import numpy as np
import pytest

from ultraandchat.audio.frame import HEARING_RATE
from ultraandchat.engines.sound_parts import PIECE, SoundParts
from ultraandchat.turn.events import TurnId, Utterance


def said(samples: int) -> Utterance:
    pcm = np.random.default_rng(samples).integers(-30_000, 30_000, samples, np.int16)
    return Utterance(TurnId(1), pcm, 0, samples, heard_at=0.0)


@pytest.mark.parametrize("samples", [0, 1, 2, 3, 16_000, PIECE // 2, PIECE // 2 + 1, 100_000])
async def test_every_sample_arrives(samples: int) -> None:
    utterance = said(samples)
    part = msgspec.json.decode(await SoundParts().part(utterance))
    assert part["type"] == "input_audio"
    assert part["input_audio"]["format"] == "wav"
    with wave.open(
        io.BytesIO(base64.b64decode(part["input_audio"]["data"], validate=True))
    ) as file:
        assert file.getparams()[:4] == (1, 2, HEARING_RATE, samples)
        assert np.array_equal(np.frombuffer(file.readframes(samples), "<i2"), utterance.pcm)


async def test_an_utterance_is_encoded_once() -> None:
    parts, utterance = SoundParts(), said(1000)
    assert await parts.part(utterance) is await parts.part(utterance)


async def test_what_the_history_lets_go_of_is_not_kept() -> None:
    parts, utterance = SoundParts(), said(1000)
    made = weakref.ref(utterance)
    await parts.part(utterance)
    del utterance
    gc.collect()
    assert made() is None


async def test_others_run_while_two_minutes_are_encoded() -> None:
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(another())
        await SoundParts().part(said(120 * HEARING_RATE))
        task.cancel()
    assert turns >= 120 * HEARING_RATE * 2 // PIECE
