"""What `engines/base.py` promises of every engine, as tests. `test_contract.py` runs them on each.

A suite is a class; its fixture is an open engine. Times are generous: a machine may be busy, and what
is asked for is that a call comes back, not how soon.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

import numpy as np
import pytest

from tests.support.speech import clip, windows
from ultraandchat.audio.frame import HEARING_RATE, Samples, to_pcm16
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import (
    EngineError,
    EngineOverloaded,
    Prompt,
    ReplyPart,
    SpeechLanguageModel,
    SpeechSynthesizer,
    Transcriber,
    Transcript,
    Voice,
    VoiceActivityModel,
)
from ultraandchat.turn.events import TurnId, TypedText, Utterance

T = TypeVar("T")

PATIENCE_S = 60.0
CLAUSE = "I can tell you the time, and what day it is."
AWKWARD = (
    "",
    " ",
    "...",
    "-o /tmp/file --help",
    "a\x00b\x1b[31mc\r\nd",
    "[[h@'loU]] <speak>yes</speak> &amp; {x}",
    "$(true) `true` ; true | true > true",
    "Ça va? 你好. Привет! ½ 🎉",
    "x" * 300,
)


async def collected(items: AsyncGenerator[T, None]) -> list[T]:
    async with asyncio.timeout(PATIENCE_S), aclosing(items):
        return [item async for item in items]


async def sound_of(speech: SpeechSynthesizer, clause: str, voice: Voice = Voice()) -> Samples:  # noqa: B008 - frozen
    blocks = await collected(speech.synthesize(clause, voice))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


async def forever(speech: SpeechSynthesizer) -> None:
    while True:
        await sound_of(speech, CLAUSE * 4)


def alike(one: Samples, two: Samples) -> bool:
    """Of nearly one length: espeak-ng never says a word twice in exactly the same way."""
    return abs(len(one) - len(two)) < 0.03 * len(one)


class SpeechContract:
    """Every `SpeechSynthesizer`. Wants a fixture `speech`."""

    async def test_a_clause_becomes_sound_at_its_rate(self, speech: SpeechSynthesizer) -> None:
        blocks = await collected(speech.synthesize(CLAUSE, Voice()))
        assert blocks
        assert all(block.dtype == np.float32 and block.ndim == 1 and len(block) for block in blocks)
        sound = np.concatenate(blocks)
        assert 0.5 <= len(sound) / speech.rate <= 8
        assert 0.05 < np.max(np.abs(sound)) <= 1.0

    async def test_every_voice_it_names_speaks(self, speech: SpeechSynthesizer) -> None:
        assert speech.voices
        for name in speech.voices:
            assert len(await sound_of(speech, "Yes.", Voice(name))) > speech.rate * 0.1

    async def test_its_first_voice_is_the_default(self, speech: SpeechSynthesizer) -> None:
        named = await sound_of(speech, "Yes.", Voice(speech.voices[0]))
        assert alike(await sound_of(speech, "Yes."), named)

    async def test_a_voice_it_does_not_have_is_an_engine_error(
        self, speech: SpeechSynthesizer
    ) -> None:
        with pytest.raises(EngineError, match="no voice"):
            await sound_of(speech, "Yes.", Voice("../nobody"))

    async def test_speed_makes_a_clause_shorter_or_longer(self, speech: SpeechSynthesizer) -> None:
        fast, usual, slow = [
            len(await sound_of(speech, CLAUSE, Voice(speed=s))) for s in (2, 1, 0.5)
        ]
        assert fast < 0.75 * usual < 0.75 * 0.75 * slow

    @pytest.mark.parametrize("text", [*AWKWARD, "\ud800 lone surrogate"])
    async def test_awkward_text_is_spoken_or_left_out(
        self, speech: SpeechSynthesizer, text: str
    ) -> None:
        sound = await sound_of(speech, text)
        assert np.isfinite(sound).all()
        assert len(await sound_of(speech, "Yes.")) > 0

    async def test_closing_after_the_first_block_leaves_it_free(
        self, speech: SpeechSynthesizer
    ) -> None:
        for _ in range(3):
            async with asyncio.timeout(PATIENCE_S):
                async with aclosing(speech.synthesize(CLAUSE * 4, Voice())) as blocks:
                    await anext(blocks)
        assert len(await sound_of(speech, "Yes.")) > 0

    async def test_cancelling_before_the_first_block_leaves_it_free(
        self, speech: SpeechSynthesizer
    ) -> None:
        for delay_s in (0.0, 0.001, 0.01):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(forever(speech), delay_s)
        assert len(await sound_of(speech, "Yes.")) > 0

    async def test_two_at_once_are_both_spoken_or_the_later_refused(
        self, speech: SpeechSynthesizer
    ) -> None:
        alone = await sound_of(speech, CLAUSE)
        one, two = await asyncio.gather(
            sound_of(speech, CLAUSE), sound_of(speech, CLAUSE), return_exceptions=True
        )
        assert isinstance(one, np.ndarray)
        assert alike(one, alone)
        assert isinstance(two, EngineOverloaded) or alike(two, alone)

    async def test_sound_begins_at_once_and_ends_with_the_words(
        self, speech: SpeechSynthesizer
    ) -> None:
        sound = await sound_of(speech, "Yes.")
        loud = np.flatnonzero(np.abs(sound) > 0.02)
        assert loud[0] / speech.rate < 0.15
        assert (len(sound) - loud[-1]) / speech.rate < 0.25


def prompt(text: str, turn: int = 1) -> Prompt:
    async def words() -> Transcript:
        return Transcript(text, "typed")

    return Prompt(TypedText(TurnId(turn), text, 0.0), words)


async def answer_to(language: SpeechLanguageModel, text: str) -> list[ReplyPart]:
    return await collected(language.respond(prompt(text), Conversation()))


class LanguageContract:
    """Every `SpeechLanguageModel`. Wants a fixture `language`."""

    async def test_a_question_gets_text(self, language: SpeechLanguageModel) -> None:
        parts = await answer_to(language, "what time is it")
        assert "".join(part for part in parts if isinstance(part, str)).strip()

    @pytest.mark.parametrize("text", AWKWARD)
    async def test_awkward_words_get_an_answer(
        self, language: SpeechLanguageModel, text: str
    ) -> None:
        assert await answer_to(language, text)

    async def test_closing_after_the_first_part_leaves_it_free(
        self, language: SpeechLanguageModel
    ) -> None:
        for _ in range(3):
            async with asyncio.timeout(PATIENCE_S):
                async with aclosing(
                    language.respond(prompt("tell me a joke"), Conversation())
                ) as p:
                    await anext(p)
        assert await answer_to(language, "what time is it")

    async def test_two_at_once_are_both_answered_or_the_later_refused(
        self, language: SpeechLanguageModel
    ) -> None:
        one, two = await asyncio.gather(
            answer_to(language, "what is two plus two"),
            answer_to(language, "what day is it"),
            return_exceptions=True,
        )
        assert isinstance(one, list)
        assert one
        assert isinstance(two, EngineOverloaded | list)

    async def test_words_that_cannot_be_had_are_an_engine_error_if_it_needs_them(
        self, language: SpeechLanguageModel
    ) -> None:
        async def words() -> Transcript:
            raise EngineError("sphinx", "It crashed.")

        lost = Prompt(TypedText(TurnId(1), "", 0.0), words)
        with contextlib.suppress(EngineError):
            assert await collected(language.respond(lost, Conversation()))


def utterance(name: str, turn: int = 1) -> Utterance:
    pcm = to_pcm16(clip(name))
    return Utterance(TurnId(turn), pcm, 0, len(pcm), 0.0)


class TranscriberContract:
    """Every `Transcriber`. Wants a fixture `transcriber`."""

    async def hear(
        self, transcriber: Transcriber, name: str, on_partial: Callable[[str], None]
    ) -> Transcript:
        ear = transcriber.open(on_partial)
        said = utterance(name)
        try:
            async with asyncio.timeout(PATIENCE_S):
                ear.begin()
                for start in range(0, len(said.pcm), 320):
                    ear.feed(said.samples[start : start + 320])
                    await asyncio.sleep(0)
                ear.hurry()
                return await ear.transcribe(said)
        finally:
            await ear.aclose()

    async def test_speech_becomes_words(self, transcriber: Transcriber) -> None:
        transcript = await self.hear(transcriber, "goforward", lambda words: None)
        assert transcript.text.strip()
        assert transcript.source

    async def test_a_cancelled_transcription_leaves_it_free(self, transcriber: Transcriber) -> None:
        ear = transcriber.open(lambda words: None)
        try:
            for _ in range(3):
                work = asyncio.wait_for(ear.transcribe(utterance("jfk")), 0.0)
                with pytest.raises(TimeoutError):
                    await work
            async with asyncio.timeout(PATIENCE_S):
                ear.hurry()
                assert (await ear.transcribe(utterance("goforward", 2))).source
        finally:
            await ear.aclose()

    async def test_two_conversations_are_served_at_once(self, transcriber: Transcriber) -> None:
        heard = await asyncio.gather(
            self.hear(transcriber, "goforward", lambda words: None),
            self.hear(transcriber, "synth_slt_what_time", lambda words: None),
            return_exceptions=True,
        )
        assert all(isinstance(one, Transcript | EngineOverloaded) for one in heard)
        assert isinstance(heard[0], Transcript)

    async def test_silence_has_no_words_or_is_heard_as_some(self, transcriber: Transcriber) -> None:
        ear = transcriber.open(lambda words: None)
        silence = Utterance(TurnId(1), np.zeros(HEARING_RATE, np.int16), 0, HEARING_RATE, 0.0)
        try:
            async with asyncio.timeout(PATIENCE_S):
                ear.hurry()
                assert isinstance((await ear.transcribe(silence)).text, str)
        finally:
            await ear.aclose()


class CaptionsContract(TranscriberContract):
    """Every `Transcriber` that follows the speaker. Wants a fixture `transcriber`."""

    async def test_words_so_far_are_told_in_the_loop(self, transcriber: Transcriber) -> None:
        threads = set()
        ear = transcriber.open(lambda words: threads.add(threading.get_ident()))
        try:
            ear.begin()
            async with asyncio.timeout(PATIENCE_S):
                for start in range(0, 2 * HEARING_RATE, HEARING_RATE // 10):
                    ear.feed(clip("cards_005")[start : start + HEARING_RATE // 10])
                while not threads:
                    await asyncio.sleep(0.01)
        finally:
            await ear.aclose()
        assert threads == {threading.get_ident()}


class VoiceActivityContract:
    """Of detectors; `hearing` opens one stream for each conversation."""

    def test_speech_is_more_probable_than_silence(self, hearing: VoiceActivityModel) -> None:
        stream = hearing.open()
        voiced = [stream.probability(w) for w in windows(clip("goforward"))]
        stream = hearing.open()
        silent = [stream.probability(np.zeros(512, np.float32)) for _ in range(60)]
        assert np.mean(voiced) > np.mean(silent) + 0.2
        assert all(0 <= p <= 1 for p in (*voiced, *silent))

    def test_reset_forgets_what_was_heard(self, hearing: VoiceActivityModel) -> None:
        fresh, used = hearing.open(), hearing.open()
        for window in windows(clip("goforward")):
            used.probability(window)
        used.reset()
        sound = windows(clip("yes"))
        expected = [fresh.probability(w) for w in sound]
        assert [used.probability(w) for w in sound] == pytest.approx(expected, abs=0.02)

    def test_two_conversations_do_not_hear_each_other(self, hearing: VoiceActivityModel) -> None:
        alone = hearing.open()
        expected = [alone.probability(w) for w in windows(clip("yes"))]
        one, other = hearing.open(), hearing.open()
        found = []
        for mine, theirs in zip(windows(clip("yes")), windows(clip("goforward")), strict=False):
            found.append(one.probability(mine))
            other.probability(theirs)
        assert found == pytest.approx(expected[: len(found)], abs=0.02)
