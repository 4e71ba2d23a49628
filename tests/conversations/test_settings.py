"""What a caller sets, and what they want forgotten, takes effect at once in the conversation that goes on."""

import math

import pytest

from tests.support.talk import Stage, converse, does, scripted_engines, speaks, tells
from ultraandchat.dialogue.actions import SetTimer
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import Prompt
from ultraandchat.engines.scripted import Reply, ScriptedLanguage
from ultraandchat.engines.settings import ScriptedSettings
from ultraandchat.events import Forgotten, ReplyClosed, ReplyDropped, StateChanged
from ultraandchat.transport import wire
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import Forget, Hello, Say, Settings
from ultraandchat.turn.activity import LOUDEST_NOISE, QUIETEST_SPEECH
from ultraandchat.turn.policy import TurnPolicy

QUICK = ScriptedSettings(clause_s=1.0)
LONG = Reply("One two three. Four five six. Seven eight nine.")
DEAF = TurnPolicy(gate_dbfs=-11.0)
"""No sound here is as loud as that."""


class Knowing(ScriptedLanguage):
    """Says how many exchanges it was told of."""

    def __init__(self) -> None:
        self.told: list[int] = []
        super().__init__(QUICK, script=self._count)

    def _count(self, prompt: Prompt, conversation: Conversation) -> Reply:
        self.told.append(len(conversation.exchanges))
        return Reply("One two three.")


# --- how it listens --------------------------------------------------------------------------


def test_who_was_not_heard_is_heard_with_their_own_level_and_at_once() -> None:
    quiet = converse(speaks(0.5, 1.0), turn=DEAF)
    assert quiet.all(StateChanged) == []
    heard = converse(tells(0.3, Settings(sensitivity=-60.0)), speaks(0.5, 1.0), turn=DEAF)
    assert heard.states()[0] == "user speaking"


def test_zero_is_the_servers_own_level_again() -> None:
    talk = converse(
        tells(0.2, Settings(sensitivity=-60.0)),
        tells(0.3, Settings(sensitivity=0.0)),
        speaks(0.5, 1.0),
        turn=DEAF,
    )
    assert talk.all(StateChanged) == []


def test_a_level_can_come_with_hello_and_outlives_the_connection() -> None:
    def comes(sensitivity: float | None) -> object:
        def come(stage: Stage) -> None:
            stage.transport = MemoryTransport()
            stage.transports.append(stage.transport)
            stage.session.attach(stage.transport, Hello(sensitivity=sensitivity))

        return come

    talk = converse(
        does(0.1, comes(-60.0)),  # type: ignore[arg-type]
        does(0.3, comes(None)),  # type: ignore[arg-type]
        speaks(0.5, 1.0),
        turn=DEAF,
        hello=False,
    )
    assert talk.states()[0] == "user speaking"


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        (-65.0, -65.0),
        (-1e9, QUIETEST_SPEECH),
        (math.nan, QUIETEST_SPEECH),
        (-3.0, LOUDEST_NOISE),
        (7.0, LOUDEST_NOISE),
        (0.0, None),
    ],
)
def test_a_level_has_bounds(told: float, taken: float | None) -> None:
    talk = converse(tells(0.1, Settings(sensitivity=told)), until=0.5)
    assert talk.stage.session.sensitivity == taken


def test_speed_and_voice_can_come_with_hello() -> None:
    def come(stage: Stage) -> None:
        stage.session.attach(stage.transport, Hello(speed=2.0))

    usual = converse(tells(0.5, Say("a")), replies=[LONG], settings=QUICK)
    quick = converse(
        does(0.1, come), tells(0.5, Say("a")), replies=[LONG], settings=QUICK, hello=False
    )
    assert quick.sound_s() == pytest.approx(usual.sound_s() / 2, rel=0.1)


# --- forgetting ------------------------------------------------------------------------------


def test_what_was_said_is_forgotten_and_the_talk_goes_on() -> None:
    knowing = Knowing()
    talk = converse(
        tells(0.5, Say("a")),
        tells(3.0, Say("b")),
        tells(6.0, Forget()),
        tells(7.0, Say("c")),
        engines=scripted_engines(language=knowing, settings=QUICK),
    )
    assert knowing.told == [0, 1, 0]
    assert [exchange.words for exchange in talk.history] == ["c"]
    assert len(talk.messages(wire.Forgotten)) == 1


def test_a_reply_is_cut_by_it_and_nothing_of_it_stays() -> None:
    talk = converse(tells(0.5, Say("a")), tells(2.0, Forget()), replies=[LONG], settings=QUICK)
    assert talk.history == ()
    assert talk.last_sound() < 2.2
    assert talk.one(ReplyClosed).at <= talk.one(Forgotten).at
    kinds = [type(message) for _, message in talk.stage.transport.messages]
    assert wire.ReplyDone not in kinds[kinds.index(wire.Forgotten) :]


def test_the_words_that_a_person_is_saying_are_answered_without_what_was_before() -> None:
    knowing = Knowing()
    talk = converse(
        tells(0.5, Say("a")),
        speaks(4.0, 1.0),
        tells(4.5, Forget()),
        engines=scripted_engines(language=knowing, settings=QUICK),
    )
    assert knowing.told == [0, 0]
    assert len(talk.history) == 1
    assert talk.history[0].reply == "One two three."


def test_a_reply_that_was_begun_in_a_pause_is_made_anew() -> None:
    knowing = Knowing()
    talk = converse(
        tells(0.5, Say("a")),
        speaks(4.0, 1.0),
        tells(5.4, Forget()),  # after 192 ms of silence, before 600 ms
        engines=scripted_engines(language=knowing, settings=QUICK),
    )
    assert knowing.told == [0, 1, 0]
    assert len(talk.all(ReplyDropped)) == 1
    assert [exchange.reply for exchange in talk.history] == ["One two three."]


def test_timers_are_still_wanted() -> None:
    talk = converse(
        tells(0.5, Say("timer")),
        tells(3.0, Forget()),
        replies=[Reply("Very well then.", SetTimer(5.0, "Ding dong."))],
        settings=QUICK,
    )
    assert [exchange.reply for exchange in talk.history] == ["Ding dong."]


def test_who_comes_back_is_told_nothing_of_it_and_hears_nothing_of_it() -> None:
    def come_back(stage: Stage) -> None:
        stage.transport = MemoryTransport()
        stage.transports.append(stage.transport)
        stage.session.attach(stage.transport, Hello(heard=1))

    talk = converse(
        tells(0.5, Say("a")),
        tells(5.0, Forget()),
        does(5.5, lambda stage: stage.transport.hang_up()),
        does(6.0, come_back),
        replies=[LONG],
        settings=QUICK,
        resume_s=10.0,
    )
    kinds = {type(message) for _, message in talk.stage.transport.messages}
    assert kinds.isdisjoint({wire.UserCaption, wire.AgentCaption, wire.ReplyDone})
    assert talk.last_sound() < 5.5
    assert talk.history == ()


def test_there_may_be_nothing_to_forget() -> None:
    talk = converse(tells(0.1, Forget()), tells(0.2, Forget()), until=1.0)
    assert len(talk.messages(wire.Forgotten)) == 2
    assert talk.states() == []
