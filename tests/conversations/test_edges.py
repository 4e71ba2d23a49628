"""Where two things meet in one instant, or something ends before it began."""

import asyncio

import pytest

from tests.support.talk import Stage, converse, does, tells
from ultraandchat.engines.scripted import ScriptedSettings
from ultraandchat.events import ReplyClosed
from ultraandchat.transport.wire import Interrupt, Say

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
