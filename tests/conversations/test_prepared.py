"""A language model is told when the user begins to speak, and what it may make ready by then."""

import asyncio
from collections.abc import AsyncGenerator

from tests.support.talk import converse, scripted_engines, speaks
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import Prompt, ReplyPart
from ultraandchat.engines.scripted import Reply, ScriptedLanguage, Wait
from ultraandchat.events import Failed, ReplyDropped


class Preparing(ScriptedLanguage):
    """Notes what it was told to prepare, and what for; `takes_s` each time."""

    def __init__(self, *replies: Reply, takes_s: float = 0.0) -> None:
        super().__init__(script=replies)
        self.takes_s = takes_s
        self.prepared: list[list[str]] = []
        self.given_up = 0

    async def prepare(self, conversation: Conversation) -> None:
        self.prepared.append([exchange.reply for exchange in conversation.exchanges])
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.given_up += 1
            raise


def test_it_is_told_once_a_turn_with_what_was_said_before() -> None:
    language = Preparing(Reply("One two three."), Reply("Four five six."))
    converse(
        speaks(at=0.5, for_=1.0),
        speaks(at=6.0, for_=1.0),
        engines=scripted_engines(language=language),
    )
    assert language.prepared == [[], ["One two three."]]


def test_after_a_barge_in_only_what_was_heard_is_prepared() -> None:
    language = Preparing(Reply("One two three. Four five six. Seven eight nine."), Reply("Ten."))
    talk = converse(
        speaks(at=0.5, for_=1.0),
        speaks(at=4.0, for_=1.5),
        engines=scripted_engines(language=language),
    )
    assert talk.history[0].cut_short
    assert language.prepared[-1] == [talk.history[0].reply]


def test_a_user_who_only_paused_is_not_among_what_is_prepared() -> None:
    """They go on before anything was heard: the turn before is none any more."""
    language = Preparing(Reply(Wait(2.0), "Never heard."), Reply("Heard."))
    talk = converse(
        speaks(at=0.5, for_=1.0),
        speaks(at=2.5, for_=1.0),
        engines=scripted_engines(language=language),
    )
    assert language.prepared == [[], []]
    assert [exchange.reply for exchange in talk.history] == ["Heard."]


def test_what_is_not_ready_when_the_reply_begins_is_given_up_before_it() -> None:
    class Answering(Preparing):
        """Notes how much was given up when it was asked."""

        async def respond(
            self, prompt: Prompt, conversation: Conversation
        ) -> AsyncGenerator[ReplyPart, None]:
            given_up.append(self.given_up)
            yield "Yes."

    given_up: list[int] = []
    talk = converse(
        speaks(at=0.5, for_=1.0), engines=scripted_engines(language=Answering(takes_s=1000.0))
    )
    assert given_up == [1]
    assert talk.history[0].reply == "Yes."


def test_slow_preparation_delays_no_reply_and_gives_way_to_the_next() -> None:
    language = Preparing(Reply("One."), Reply("Two."), takes_s=1000.0)
    talk = converse(
        speaks(at=0.5, for_=1.0),
        speaks(at=6.0, for_=1.0),
        engines=scripted_engines(language=language),
    )
    assert [exchange.reply for exchange in talk.history] == ["One.", "Two."]
    assert language.given_up == 2
    assert not talk.all(Failed)
    assert not talk.all(ReplyDropped)
    assert not talk.open_tasks
