"""Words in the place of speech, and who is asked first."""

import random
from collections.abc import AsyncGenerator

import pytest

from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import EngineError, Prompt, ReplyPart, Transcript
from ultraandchat.engines.cascade import Cascade, SkillsThenChat
from ultraandchat.engines.skills.responder import Skills
from ultraandchat.turn.events import TurnId, TypedText


class Echo:
    """A text model that says the words back, and knows when it was closed."""

    def __init__(self) -> None:
        self.closed = False

    async def answer(
        self, words: str, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]:
        try:
            yield "You said "
            yield words
        finally:
            self.closed = True


def prompt(text: str) -> Prompt:
    async def words() -> Transcript:
        return Transcript(text, "typed")

    return Prompt(TypedText(TurnId(1), text, 0.0), words)


async def test_the_turns_words_are_answered() -> None:
    parts = [part async for part in Cascade(Echo()).respond(prompt("hello"), Conversation())]
    assert parts == ["You said ", "hello"]


async def test_closing_the_reply_closes_the_model() -> None:
    echo = Echo()
    reply = Cascade(echo).respond(prompt("hello"), Conversation())
    await anext(reply)
    await reply.aclose()
    assert echo.closed


async def test_words_that_cannot_be_had_are_an_engine_error() -> None:
    async def words() -> Transcript:
        raise EngineError("sphinx", "No transcriber is there.")

    lost = Prompt(TypedText(TurnId(1), "", 0.0), words)
    with pytest.raises(EngineError):
        await anext(Cascade(Echo()).respond(lost, Conversation()))


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ("what is two plus two", "skills"),
        ("", "skills"),
        ("who wrote the iliad", "chat"),
        ("yes", "chat"),
    ],
)
async def test_the_one_who_can_answers(said: str, who: str) -> None:
    both = SkillsThenChat(Skills(rng=random.Random(1)), Echo())
    parts = [part async for part in both.answer(said, Conversation())]
    assert (parts[0] == "You said ") == (who == "chat")
