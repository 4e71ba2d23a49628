"""What the rule-based responder answers, and that it says what it is where it knows nothing."""

import random
from datetime import UTC, datetime, tzinfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultraandchat.dialogue.actions import CancelTimers, ChangeSpeed, ChangeVolume, SetTimer
from ultraandchat.dialogue.history import Conversation, Exchange
from ultraandchat.engines.base import ReplyPart
from ultraandchat.engines.skills.grammar import PHRASES, RULES, tree
from ultraandchat.engines.skills.jokes import JOKES
from ultraandchat.engines.skills.pattern import Node, expand
from ultraandchat.engines.skills.responder import ABOUT, Skills
from ultraandchat.turn.events import TurnId, TypedText

NOW = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
BERLIN = Conversation(facts={"timezone": "Europe/Berlin"})


def skills() -> Skills:
    def now(tz: tzinfo) -> datetime:
        return NOW.astimezone(tz)

    return Skills(now=now, rng=random.Random(7))


async def answer(words: str, conversation: Conversation = BERLIN) -> list[ReplyPart]:
    return [part async for part in skills().answer(words, conversation)]


def talk(*said_and_reply: tuple[str, str], cut: bool = False) -> Conversation:
    return Conversation(
        tuple(
            Exchange(TurnId(n), TypedText(TurnId(n), words, 0.0), words, reply, cut_short=cut)
            for n, (words, reply) in enumerate(said_and_reply)
        )
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("what time is it", "It is 1:05 PM."),
        ("What's the time, please?", "It is 1:05 PM."),
        ("what day is it", "It is Monday."),
        ("what is the date", "Today is Monday, November 23, 2026."),
        ("what is two plus three", "2 plus 3 is 5."),
        ("what's 2+3*4", "2 plus 3 times 4 is 14."),
        ("how much is ninety nine minus one hundred", "99 minus 100 is -1."),
        ("10 / 4", "10 divided by 4 is 2.5."),
        ("what is one divided by three", "1 divided by 3 is about 0.3333."),
        ("what is ten divided by zero", "Nothing can be divided by zero."),
        ("20 percent of 50", "20 percent of 50 is 10."),
        ("what is 99999999999999 times 99999999999999", "That number is too big for me."),
        ("repeat after me, Hello World", "Hello World."),
        ("spell cat", "Cat is spelled C, A, T."),
        ("my name is anna", "Hello, Anna."),
        ("what is my name", "You have not told me your name."),
        ("", "Sorry, I did not catch that."),
        ("…", "Sorry, I did not catch that."),
        ("tell me a choke", JOKES[3]),
    ],
)
async def test_an_answer_is_right(said: str, told: str) -> None:
    parts = await answer(said)
    if told in JOKES:
        assert parts[0] in JOKES
    else:
        assert parts == [told]


async def test_without_a_time_zone_it_says_so() -> None:
    told = "It is 12:05 PM in universal time. I was not told your time zone."
    assert await answer("what time is it", Conversation()) == [told]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "a\0b", ""])
async def test_a_wrong_time_zone_is_none(zone: str) -> None:
    (told,) = await answer("what time is it", Conversation(facts={"timezone": zone}))
    assert "universal time" in str(told)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("set a timer for ten seconds", 10),
        ("set a timer for five minutes", 300),
        ("set a timer for half an hour", 1800),
        ("set a timer for a minute", 60),
        ("set a 5 minute timer", 300),
        ("set a timer for one hour and thirty minutes", 5400),
        ("said a timer for five minutes", 300),
    ],
)
async def test_a_timer_is_set(said: str, seconds: float) -> None:
    action, told = await answer(said)
    assert isinstance(action, SetTimer)
    assert action.after_s == seconds
    assert str(told).startswith("Timer set for")


@pytest.mark.parametrize(
    "said", ["set a timer", "set a timer for zero seconds", "set a timer for ninety nine hours"]
)
async def test_an_impossible_timer_is_refused_in_words(said: str) -> None:
    (told,) = await answer(said)
    assert isinstance(told, str)


@pytest.mark.parametrize(
    ("said", "action"),
    [
        ("louder", ChangeVolume(1.4)),
        ("speak quieter", ChangeVolume(0.7)),
        ("slower", ChangeSpeed(0.8)),
        ("faster please", ChangeSpeed(1.25)),
        ("cancel the timer", CancelTimers()),
    ],
)
async def test_a_command_is_an_action(said: str, action: ReplyPart) -> None:
    assert (await answer(said))[0] == action


async def test_stop_is_answered_by_silence() -> None:
    assert await answer("stop") == []


async def test_it_goes_forward_and_pretends_only_once() -> None:
    (first,) = await answer("go forward ten meters")
    assert first == "Going forward 10 meters. I only pretend, I have no wheels."
    assert await answer("turn left", talk(("go forward", str(first)))) == ["Turning left."]


async def test_a_name_is_found_in_the_conversation() -> None:
    earlier = talk(("my name is anna", "Hello, Anna."), ("what time is it", "It is one."))
    assert await answer("what is my name", earlier) == ["You told me that your name is Anna."]


async def test_it_knows_what_was_said_last() -> None:
    earlier = talk(("roll a die", "You rolled 3."))
    assert await answer("what did i say", earlier) == ["You said: Roll a die."]
    assert await answer("say that again", earlier) == ["You rolled 3."]


@pytest.mark.parametrize("heard", [slice(None), slice(30)])
async def test_a_joke_is_not_told_twice_in_a_row(heard: slice) -> None:
    for joke in JOKES:
        earlier = talk(
            *((f"joke {n}", other) for n, other in enumerate(JOKES)), ("more", joke[heard])
        )
        for seed in range(20):
            again = Skills(rng=random.Random(seed))
            assert [part async for part in again.answer("tell me a joke", earlier)] != [joke]


async def test_a_turn_closed_by_its_length_is_answered_with_the_next() -> None:
    assert await answer("three", talk(("what is two plus", ""))) == ["2 plus 3 is 5."]


async def test_a_question_that_stands_alone_is_answered_alone() -> None:
    (told,) = await answer("what day is it", talk(("a very long story", "")))
    assert told == "It is Monday in universal time. I was not told your time zone."


async def test_stop_before_is_not_part_of_the_question() -> None:
    (told,) = await answer("the weather", talk(("stop", "")))
    assert str(told).startswith("I heard: the weather.")


async def test_the_unknown_is_said_back_with_what_it_is() -> None:
    (told,) = await answer("who wrote the iliad")
    assert str(told).startswith("I heard: who wrote the iliad.")
    assert ABOUT in str(told)


async def test_hints_change_from_turn_to_turn() -> None:
    one = await answer("who wrote the iliad", talk())
    two = await answer("who wrote the iliad", talk(("a", "b")))
    assert one != two


NONSENSE = """
what is the capital of france
turn on the living room lamp
tell me a story
what is
don't stop
what is the weather today
ten of clubs
and so my fellow americans
he was not an ill disposed young man
has never been surpassed
call me a taxi
father
"""


@pytest.mark.parametrize("said", NONSENSE.strip().splitlines())
async def test_nonsense_starts_nothing(said: str) -> None:
    (told,) = await answer(said)
    assert ABOUT in str(told)
    assert not skills().knows(said)


@pytest.mark.parametrize("said", ["what time is that", "go forward two meters", "2+2", "spell cat"])
def test_it_knows_what_a_model_could_not(said: str) -> None:
    assert skills().knows(said)


@pytest.mark.parametrize("said", ["yes", "no", "who are you", "tell me a choke", ""])
def test_it_leaves_talk_to_a_model(said: str) -> None:
    assert not skills().knows(said)


async def test_every_phrase_of_the_grammar_has_an_answer() -> None:
    def inner(name: str) -> Node | None:
        return tree("two") if name == "number" else tree(RULES[name])

    for skill, patterns in PHRASES.items():
        for pattern in patterns:
            for words in expand(tree(pattern), inner):
                parts = await answer(" ".join(words))
                assert not any(ABOUT in str(part) for part in parts) or skill == "who", words
                assert parts or skill == "stop"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
async def test_anything_typed_gets_an_answer_and_no_exception(said: str) -> None:
    for part in await answer(said):
        assert isinstance(part, str | SetTimer | CancelTimers | ChangeVolume | ChangeSpeed)


async def test_a_very_long_turn_is_quoted_in_a_few_words() -> None:
    (told,) = await answer("word " * 10_000)
    assert len(str(told)) < 250
