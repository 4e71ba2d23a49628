"""Recognisers that are given whole utterances, in conversations on a virtual clock."""

import asyncio
import math

import numpy as np
import pytest

from tests.support.clock import run_virtually
from tests.support.talk import Talk, converse, scripted_engines, speaks
from ultraandchat.audio.frame import HEARING_RATE
from ultraandchat.engines.base import EngineError, Transcript
from ultraandchat.engines.scripted import Reply, ScriptedSettings
from ultraandchat.engines.whole_utterance import WholeUtterance
from ultraandchat.events import Failed
from ultraandchat.transport.wire import UserCaption
from ultraandchat.turn.events import TurnId, Utterance

QUICK = ScriptedSettings(clause_s=0.5)
SAID = Utterance(TurnId(1), np.zeros(HEARING_RATE, np.int16), 0, HEARING_RATE, heard_at=0.0)


class Recogniser:
    """Takes its time, and says what became of each call."""

    def __init__(self, *takes_s: float, error: EngineError | None = None) -> None:
        self._takes_s = list(takes_s)
        self._error = error
        self.given: list[Utterance] = []
        self.cancelled: list[TurnId] = []

    async def find(self, utterance: Utterance) -> Transcript:
        self.given.append(utterance)
        takes_s = self._takes_s.pop(0) if len(self._takes_s) > 1 else self._takes_s[0]
        try:
            await asyncio.sleep(min(takes_s, 1e6))
        except asyncio.CancelledError:
            self.cancelled.append(utterance.turn)
            raise
        if self._error is not None:
            raise self._error
        return Transcript(f"words of turn {utterance.turn}", "slow")


def test_the_words_are_those_of_the_whole_utterance() -> None:
    recogniser = Recogniser(0.1)

    async def story() -> Transcript:
        ear = WholeUtterance(recogniser.find).open(lambda words: None)
        ear.begin()
        ear.feed(SAID.samples)
        ear.hurry()
        found = await ear.transcribe(SAID)
        await ear.aclose()
        return found

    assert run_virtually(story()) == Transcript("words of turn 1", "slow")
    assert recogniser.given == [SAID]


def test_cancelling_reaches_the_recogniser() -> None:
    recogniser = Recogniser(60.0)

    async def story() -> None:
        ear = WholeUtterance(recogniser.find).open(lambda words: None)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ear.transcribe(SAID), 1.0)

    run_virtually(story())
    assert recogniser.cancelled == [SAID.turn]


def talk_with(
    recogniser: Recogniser, *, until: float = 12.0, second: bool = False
) -> tuple[Talk, list[UserCaption]]:
    engines = scripted_engines(
        replies=[Reply("One two three.")],
        settings=QUICK,
        transcriber=WholeUtterance(recogniser.find),
    )
    story = [speaks(at=0.5, for_=1.2)] + ([speaks(at=5.0, for_=1.0)] if second else [])
    talk = converse(*story, engines=engines, until=until)
    captions = [m for m in talk.messages(UserCaption) if m.final]
    return talk, captions


def test_a_slow_recogniser_never_delays_the_reply() -> None:
    quick, _ = talk_with(Recogniser(0.0))
    slow, _ = talk_with(Recogniser(8.0))
    assert slow.first_sound() == pytest.approx(quick.first_sound(), abs=1e-9)


def test_late_words_reach_the_page_and_the_history() -> None:
    talk, captions = talk_with(Recogniser(4.0))
    assert captions[-1].text == "words of turn 1"
    assert captions[-1].source == "slow"
    (exchange,) = talk.history
    assert (exchange.words, exchange.reply) == ("words of turn 1", "One two three.")


def test_words_that_come_after_the_next_turn_began_are_put_with_their_own() -> None:
    talk, _ = talk_with(Recogniser(6.0, 0.2), second=True)
    said = [exchange.words for exchange in talk.history]
    assert said == [f"words of turn {exchange.turn}" for exchange in talk.history]


def test_a_recogniser_that_fails_costs_the_captions_only() -> None:
    talk, captions = talk_with(Recogniser(0.3, error=EngineError("slow", "it broke")))
    assert captions == []
    assert talk.all(Failed) == []
    assert talk.history[0].reply == "One two three."


def test_one_that_never_answers_is_left_when_the_conversation_ends() -> None:
    recogniser = Recogniser(math.inf)
    talk, _ = talk_with(recogniser, until=6.0)
    assert talk.history[0].reply == "One two three."
    assert talk.open_tasks == []
    assert recogniser.cancelled
