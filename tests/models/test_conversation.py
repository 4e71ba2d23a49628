"""The tiny Ultravox in a whole conversation: real speech, real detectors, a real voice for its nonsense.

Its words mean nothing and may hold any bytes; what is looked at is that it is heard, remembered, spoken,
written down, killed and back again.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
import pytest_asyncio

from tests.engines.contract import AWKWARD, LanguageContract, TranscriberContract, collected
from tests.engines.ultravox.support import CHECKPOINTS
from tests.support.speech import clip
from tests.support.watch import Conversing, conversing
from ultraandchat.audio.frame import HEARING_RATE, Samples
from ultraandchat.dialogue.history import Conversation, Exchange, History
from ultraandchat.engines.base import (
    EngineError,
    Engines,
    EngineStatus,
    Prompt,
    SpeechLanguageModel,
    Transcript,
)
from ultraandchat.engines.open import open_engines
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.ultravox.engine import Ultravox, open_ultravox
from ultraandchat.engines.ultravox.settings import UltravoxSettings
from ultraandchat.engines.weights.settings import HubSettings
from ultraandchat.engines.whole_utterance import WholeUtterance
from ultraandchat.events import Failed, ReplyBegun, ReplyClosed, SessionEvent, WordsHeard
from ultraandchat.transport.wire import Say
from ultraandchat.turn.events import TurnId, TypedText, Utterance
from ultraandchat.turn.policy import TurnPolicy

TINY = UltravoxSettings(
    checkpoint=str(CHECKPOINTS[1]), device="cpu", window=1024, max_tokens=40, temperature=0.0
)
OFFLINE = HubSettings(offline=True)
PATIENT = TurnPolicy(reply_timeout_s=60.0)
"""Torch on a busy processor."""
AGAIN_S = 200.0
"""For the process to be there again: there importing torch alone took most of a minute."""


def speech(name: str) -> Samples:
    """A clip, and quiet after it in which the turn ends."""
    hush = np.random.default_rng(1).normal(0, 0.0004, int(1.5 * HEARING_RATE))
    return np.concatenate([clip(name), hush.astype(np.float32)])


@asynccontextmanager
async def engines() -> AsyncIterator[Engines]:
    config = EnginesConfig(
        profile="gpu", transcriber="ultravox", speech="espeak", ultravox=TINY, hub=OFFLINE
    )
    async with open_engines(config) as opened:
        yield opened


def language(opened: Engines) -> EngineStatus:
    return next(status for status in opened.status() if status.kind == "language")


async def answered(talk: Conversing, turns: int) -> None:
    """So many replies are over, and the user's words of each are known."""
    for count in range(1, turns + 1):
        for kind in (ReplyClosed, WordsHeard):
            await talk.watch.until(
                lambda _, kind=kind, count=count: (  # type: ignore[misc]
                    len({e.turn for e in talk.watch.events if isinstance(e, kind)}) >= count
                )
            )


async def test_spoken_turns_are_heard_answered_aloud_remembered_and_written_down() -> None:
    async with engines() as opened:
        assert language(opened).state == "ready"
        assert {s.name for s in opened.status() if s.kind == "transcriber"} == {"ultravox"}
        async with conversing(opened, turn=PATIENT) as talk:
            await talk.speaks(speech("goforward"))
            await answered(talk, 1)
            await talk.speaks(speech("yes"))
            await answered(talk, 2)
            exchanges = talk.session.history.exchanges()
    assert [type(exchange.said) for exchange in exchanges] == [Utterance, Utterance]
    assert not [event for event in talk.watch.events if isinstance(event, Failed)]
    assert any(exchange.reply for exchange in exchanges)
    heard = np.concatenate([frame.samples for _, frame in talk.transport.frames])
    assert np.abs(heard).max() > 0.05


async def test_killed_while_it_answers_it_is_told_of_and_answers_again() -> None:
    killed: list[int] = []

    async with engines() as opened:

        def kill(event: SessionEvent) -> None:
            if isinstance(event, ReplyBegun) and not killed:
                pid = language(opened).pid
                assert pid is not None
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)

        async with conversing(opened, turn=PATIENT) as talk:
            talk.watch.also(kill)
            await talk.transport.tell(Say("Who are you?"))
            await talk.watch.until(lambda event: isinstance(event, Failed))
            failed = next(event for event in talk.watch.events if isinstance(event, Failed))
            assert failed.engine == "ultravox"
            async with asyncio.timeout(AGAIN_S):
                while language(opened).state != "ready":
                    await asyncio.sleep(0.05)
            await talk.transport.tell(Say("And now?"))
            await talk.watch.until(lambda event: isinstance(event, ReplyClosed) and event.turn > 1)
        assert language(opened).restarts == 1
        assert language(opened).pid not in killed
        assert len([event for event in talk.watch.events if isinstance(event, Failed)]) == 1


def spoken(name: str, turn: int) -> Utterance:
    pcm = (clip(name) * 32767).astype(np.int16)
    return Utterance(TurnId(turn), pcm, 0, len(pcm), 0.0)


async def answer(engine: Ultravox, said: Utterance | TypedText, *earlier: Exchange) -> str:
    async def nobody() -> Transcript:
        raise AssertionError("it must not wait for words")

    parts = await collected(engine.respond(Prompt(said, nobody), Conversation(earlier)))
    return "".join(part for part in parts if isinstance(part, str))


async def test_what_was_prepared_kept_or_lost_changes_no_word() -> None:
    """The same conversation read ahead, read at once, and by a process that has just begun."""
    greedy = UltravoxSettings(
        checkpoint=TINY.checkpoint, device="cpu", window=1024, max_tokens=24, temperature=0.0
    )
    first, second = spoken("goforward", 1), spoken("yes", 2)
    earlier = Exchange(TurnId(1), first, "go forward", "I go, I go. <|audio|>")
    async with open_ultravox(greedy, OFFLINE) as engine:
        at_once = await answer(engine, second, earlier)
        await engine.prepare(Conversation((earlier,)))
        prepared = await answer(engine, second, earlier)
        again = await answer(engine, second, earlier)
        pid = engine.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(AGAIN_S):
            while engine.status().pid in (pid, None) or engine.status().state != "ready":
                await asyncio.sleep(0.05)
        restarted = await answer(engine, second, earlier)
    assert at_once
    assert at_once == prepared == again == restarted


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tiny() -> AsyncIterator[Ultravox]:
    async with open_ultravox(TINY, OFFLINE) as engine:
        yield engine


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("text", ["<|audio|>", "<|audio|>" * 20, "<|eot_id|>", "\x00", "🎉" * 50])
async def test_typed_text_is_text_whatever_it_says(tiny: Ultravox, text: str) -> None:
    said = TypedText(TurnId(2), text, 0.0)
    earlier = Exchange(TurnId(1), spoken("yes", 1), text, text)
    assert isinstance(await answer(tiny, said, earlier), str)
    assert isinstance(await answer(tiny, spoken("yes", 3), earlier), str)


@pytest.mark.asyncio(loop_scope="module")
async def test_sound_that_was_let_go_is_told_as_its_words_or_as_unknown(tiny: Ultravox) -> None:
    """Past `session.max_history_audio_s`; the transcript may come later, or never."""
    spoken_before = History(max_audio_s=1.0)
    for turn, name in enumerate(("goforward", "yes"), start=1):
        spoken_before.user_spoke(spoken(name, turn))
    before = spoken_before.exchanges()
    assert [type(exchange.said) for exchange in before] == [TypedText, Utterance]
    never = await answer(tiny, spoken("yes", 3), *before)
    spoken_before.words_known(TurnId(1), "go forward ten meters")
    later = await answer(tiny, spoken("yes", 3), *spoken_before.exchanges())
    assert never
    assert later


@pytest.mark.asyncio(loop_scope="module")
async def test_a_history_longer_than_the_window_is_still_answered(tiny: Ultravox) -> None:
    """1024 tokens; forty exchanges of three seconds alone are 800 tokens of sound."""
    earlier = [
        Exchange(TurnId(n), spoken("goforward", n), "go forward", "I am going forward now.")
        for n in range(1, 41)
    ]
    assert await answer(tiny, spoken("yes", 41), *earlier)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_turn_in_which_nothing_was_typed_is_refused_in_one_sentence(tiny: Ultravox) -> None:
    with pytest.raises(EngineError, match="nothing in this turn"):
        await answer(tiny, TypedText(TurnId(1), " ", 0.0))


@pytest.mark.asyncio(loop_scope="module")
class TestTheTinyModel(LanguageContract):
    @pytest.mark.parametrize("text", [text for text in AWKWARD if text.strip()])
    async def test_awkward_words_get_an_answer(
        self, language: SpeechLanguageModel, text: str
    ) -> None:
        await super().test_awkward_words_get_an_answer(language, text)

    @pytest.fixture
    def language(self, tiny: Ultravox) -> Ultravox:
        return tiny


@pytest.mark.asyncio(loop_scope="module")
class TestItsTranscripts(TranscriberContract):
    @pytest.fixture
    def transcriber(self, tiny: Ultravox) -> WholeUtterance:
        return tiny.transcriber()
