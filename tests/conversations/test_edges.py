"""Where two things meet in one instant, or something ends before it began."""

import asyncio

import pytest

from tests.support.talk import Stage, converse, does, speaks, tells
from ultraandchat.dialogue.actions import SetTimer
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.scripted import Reply, ScriptedSettings, Wait
from ultraandchat.events import ReplyClosed, TurnTimed, WordsHeard
from ultraandchat.transport.wire import Interrupt, Press, Release, Say, UserCaption

QUICK = ScriptedSettings(clause_s=1.0)


@pytest.mark.parametrize("steps", range(8))
def test_a_button_pressed_as_the_reply_ends_takes_none_of_it_back(steps: int) -> None:
    """The end is on its way to `listen` when the button overtakes it."""
    end = converse(tells(0.5, Say("a")), until=8).one(ReplyClosed).at

    async def press(stage: Stage) -> None:
        for _ in range(steps):
            await asyncio.sleep(0)
        await stage.transport.tell(Interrupt())

    talk = converse(tells(0.5, Say("a")), does(end, press), until=8)
    assert [e.reply for e in talk.history] == ["One two three. Four five six."]
    assert talk.one(ReplyClosed).unheard == ""


def test_after_a_key_released_without_a_word_nobody_is_written_down() -> None:
    talk = converse(tells(0.4, Press()), tells(1.0, Release()), until=6)
    assert not [e for e in talk.all(WordsHeard) if e.at > 1.05]


def test_what_was_written_down_of_a_key_pressed_by_mistake_is_taken_back() -> None:
    talk = converse(tells(0.4, Press()), tells(2.0, Release()), until=4)
    last = talk.messages(UserCaption)[-1]
    assert (last.text, last.final) == ("", True)


def test_a_turn_that_another_joins_leaves_no_caption_of_its_own() -> None:
    slow = Reply(Wait(5.0), "Never. ")
    talk = converse(
        speaks(at=0.5, for_=1.0), speaks(at=2.6, for_=1.0), replies=[slow, Reply("Both heard.")]
    )
    shown: dict[int, str] = {c.turn: c.text for c in talk.messages(UserCaption)}
    assert [turn for turn, text in shown.items() if text] == [talk.history[-1].turn]


def test_a_turn_whose_speculation_failed_is_timed_from_its_last_word_too() -> None:
    broken = Reply(EngineError("scripted", "it broke"))
    talk = converse(speaks(at=0.5, for_=1.0), replies=[broken, Reply("Here.")], settings=QUICK)
    timed = talk.one(TurnTimed)
    assert not timed.speculative
    assert timed.total_ms == pytest.approx(1000 * (talk.first_sound() - 1.5), abs=60)


def test_a_turn_ended_by_the_key_has_no_end_silence_configured() -> None:
    talk = converse(tells(0.4, Press()), speaks(at=0.5, for_=0.8), tells(1.4, Release()), until=5)
    assert talk.one(TurnTimed).endpoint_ms == 0


def test_half_a_minute_under_the_key_is_answered_when_nothing_more_is_said() -> None:
    talk = converse(
        tells(0.4, Press()), speaks(at=0.5, for_=29.5), tells(31.0, Release()), until=37
    )
    assert talk.history[-1].reply == "One two three. Four five six."


def test_a_key_that_is_stuck_in_silence_says_nothing() -> None:
    talk = converse(tells(0.4, Press()), tells(95.0, Release()), until=97)
    assert talk.history == ()


def test_speech_after_long_silence_under_the_key_is_heard_whole() -> None:
    talk = converse(
        tells(0.4, Press()), speaks(at=40.0, for_=1.0), tells(41.2, Release()), until=47
    )
    (exchange,) = talk.history
    assert exchange.reply == "One two three. Four five six."


def test_typing_before_a_timer_is_heard_puts_it_off_and_does_not_lose_it() -> None:
    replies = [Reply("Very well then.", SetTimer(5.0, "Ding dong.")), Reply("Fine.")]
    heard = converse(tells(0.5, Say("timer")), replies=replies, settings=QUICK, until=9)
    rings = heard.all(ReplyClosed)[1]
    begun = heard.first_sound(after=4.0)
    assert rings.text == "Ding dong."
    talk = converse(
        tells(0.5, Say("timer")),
        tells(begun - 0.02, Say("hello")),
        replies=replies,
        settings=QUICK,
    )
    assert [e.reply for e in talk.history] == ["Very well then.", "Fine.", "Ding dong."]


def test_an_action_of_a_reply_that_the_user_spoke_before_is_done_once() -> None:
    """The first reply had set the timer and not sounded yet when the user went on."""
    first = Reply(Wait(1.0), SetTimer(4.0, "Ding."), Wait(2.0), "Set.")
    again = Reply(SetTimer(4.0, "Ding."), "Set for tea.")
    talk = converse(
        speaks(at=0.5, for_=1.0), speaks(at=3.0, for_=1.0), replies=[first, again], settings=QUICK
    )
    assert [e.reply for e in talk.history] == ["Set for tea.", "Ding."]
