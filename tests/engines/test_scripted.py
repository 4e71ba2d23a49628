"""The engines without models do exactly what they were told, at exactly the instant."""

import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from tests.support.clock import run_virtually
from ultraandchat.audio.level import dbfs
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import EngineError, Prompt, Transcript, Voice
from ultraandchat.engines.scripted import (
    HANG,
    Reply,
    ScriptedLanguage,
    ScriptedSpeech,
    ScriptedTranscriber,
    ScriptedVoiceActivity,
    Sound,
    Wait,
    Words,
    tone,
)
from ultraandchat.engines.settings import ScriptedSettings
from ultraandchat.turn.events import TurnId, TypedText, Utterance


async def _words() -> Transcript:
    return Transcript("hello", "typed")


PROMPT = Prompt(TypedText(TurnId(1), "hello", 0.0), _words)
UTTERANCE = Utterance(TurnId(1), np.zeros(24_000, np.int16), 0, 24_000, 0.0)


async def _answer(language: ScriptedLanguage) -> list[tuple[object, float]]:
    """Every part and when it came, in ms."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with aclosing(language.respond(PROMPT, Conversation())) as parts:
        return [(part, round((loop.time() - start) * 1000)) async for part in parts]


def test_a_reply_comes_clause_by_clause_at_the_instants_of_the_settings() -> None:
    settings = ScriptedSettings(first_clause_ms=100, between_clauses_ms=20, clauses=3)
    assert run_virtually(_answer(ScriptedLanguage(settings))) == [
        ("One two three. ", 100),
        ("Four five six. ", 120),
        ("Seven eight nine. ", 140),
    ]


def test_a_script_is_played_step_by_step_and_the_settings_follow_it() -> None:
    language = ScriptedLanguage(
        ScriptedSettings(clauses=1), script=[Reply("Well. ", Wait(0.5), "Yes. ")]
    )
    assert run_virtually(_answer(language)) == [("Well. ", 0), ("Yes. ", 500)]
    assert run_virtually(_answer(language)) == [("One two three. ", 100)]


def test_a_script_may_be_chosen_by_what_was_asked() -> None:
    language = ScriptedLanguage(script=lambda prompt, _: Reply(f"Turn {prompt.said.turn}."))
    assert run_virtually(_answer(language)) == [("Turn 1.", 0)]


def test_a_script_fails_where_it_says() -> None:
    language = ScriptedLanguage(script=[Reply("One. ", EngineError("scripted", "It broke."))])
    with pytest.raises(EngineError, match="It broke"):
        run_virtually(_answer(language))


def test_a_script_that_hangs_can_be_cancelled() -> None:
    async def story() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await _answer(ScriptedLanguage(script=[Reply("One. ", HANG)]))
        return asyncio.get_running_loop().time()

    assert run_virtually(story()) == pytest.approx(30)


def test_a_clause_sounds_as_long_as_set_and_comes_at_the_speed_set() -> None:
    settings = ScriptedSettings(clause_s=1.0, first_sound_ms=50, block_ms=100, speed=4.0)

    async def story() -> list[tuple[int, int]]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        async with aclosing(ScriptedSpeech(settings).synthesize("One.", Voice())) as blocks:
            return [(len(b), round((loop.time() - start) * 1000)) async for b in blocks]

    assert run_virtually(story()) == [(2400, 50 + 25 * index) for index in range(10)]


def test_the_voice_is_one_unbroken_tone_of_minus_12_dbfs() -> None:
    async def story() -> list[np.ndarray]:
        async with aclosing(ScriptedSpeech().synthesize("One.", Voice())) as blocks:
            return [block async for block in blocks]

    sound = np.concatenate(run_virtually(story()))
    assert dbfs(sound) == pytest.approx(-12.0, abs=0.05)
    assert np.array_equal(sound, tone(440.0, 0, len(sound), 24_000))
    assert np.argmax(np.abs(np.fft.rfft(sound))) / 2.0 == pytest.approx(440.0, abs=1)


def test_a_rising_tone_tells_where_in_the_clause_one_is() -> None:
    async def story() -> np.ndarray:
        settings = ScriptedSettings(clause_s=5.0, rise_hz_per_s=100.0)
        async with aclosing(ScriptedSpeech(settings).synthesize("One.", Voice())) as blocks:
            return np.concatenate([block async for block in blocks])

    sound = run_virtually(story())
    assert dbfs(sound) == pytest.approx(-12.0, abs=0.05)
    for second in (1, 4):
        around = sound[24_000 * second - 2400 : 24_000 * second + 2400]
        heard = np.argmax(np.abs(np.fft.rfft(around))) * 5.0
        assert heard == pytest.approx(440 + 100 * second, abs=5)


def test_another_voice_is_an_octave_higher_and_an_unknown_one_an_error() -> None:
    async def story(name: str) -> np.ndarray:
        async with aclosing(ScriptedSpeech().synthesize("One.", Voice(name))) as blocks:
            return await anext(blocks)

    assert np.array_equal(run_virtually(story("octave")), tone(880.0, 0, 2400, 24_000))
    with pytest.raises(EngineError, match="no voice bass"):
        run_virtually(story("bass"))


def test_faster_speech_is_shorter() -> None:
    async def story() -> int:
        speech = ScriptedSpeech(ScriptedSettings(clause_s=2.0))
        async with aclosing(speech.synthesize("One.", Voice(speed=2.0))) as blocks:
            return sum([len(block) async for block in blocks])

    assert run_virtually(story()) == 24_000


def test_a_scripted_sound_may_be_broken_on_purpose() -> None:
    async def story() -> np.ndarray:
        speech = ScriptedSpeech(script=[Sound(np.full(10, np.nan, np.float32))])
        async with aclosing(speech.synthesize("One.", Voice())) as blocks:
            return await anext(blocks)

    assert np.isnan(run_virtually(story())).all()


def test_the_transcriber_hears_a_word_for_every_half_second() -> None:
    async def story() -> tuple[list[str], Transcript]:
        partials: list[str] = []
        stream = ScriptedTranscriber().open(partials.append)
        stream.begin()
        for _ in range(75):
            stream.feed(np.zeros(320, np.float32))
        return partials, await stream.transcribe(UTTERANCE)

    partials, final = run_virtually(story())
    assert partials == ["one", "one two", "one two three"]
    assert final == Transcript("one two three", "scripted")


def test_the_last_text_of_a_script_is_the_final_transcript() -> None:
    async def story() -> tuple[list[str], Transcript]:
        partials: list[str] = []
        stream = ScriptedTranscriber(script=[Words("go", Wait(1), "go away")]).open(partials.append)
        return partials, await stream.transcribe(UTTERANCE)

    assert run_virtually(story()) == (["go", "go away"], Transcript("go away", "scripted"))


def test_a_tone_is_voice_to_the_scripted_detector_and_silence_is_not() -> None:
    stream = ScriptedVoiceActivity().open()
    assert stream.probability(tone(440.0, 0, 512, 16_000)) == 1.0
    assert stream.probability(np.zeros(512, np.float32)) == 0.0
