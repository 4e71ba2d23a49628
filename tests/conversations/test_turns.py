"""Turns as a person lives them: asked, answered, paused, joined."""

import pytest

from tests.support.talk import Stage, converse, does, scripted_engines, speaks, tells
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.scripted import (
    HANG,
    Reply,
    ScriptedLanguage,
    ScriptedSettings,
    Wait,
)
from ultraandchat.events import (
    ClauseSpoken,
    Failed,
    ReplyBegun,
    ReplyClosed,
    ReplyDropped,
    StateChanged,
    TurnNoticed,
    TurnTimed,
    WordsHeard,
)
from ultraandchat.session import SessionConfig
from ultraandchat.transport.wire import (
    AgentCaption,
    Interrupt,
    Mute,
    Notice,
    Press,
    Release,
    ReplyDone,
    Say,
    UserCaption,
)
from ultraandchat.turn.events import FloorFreed, TurnEnded, TurnId, TypedText
from ultraandchat.turn.policy import TurnPolicy

QUICK = ScriptedSettings(clause_s=1.0)


def test_a_question_gets_an_answer_and_both_are_remembered() -> None:
    talk = converse(speaks(at=0.5, for_=1.2), replies=[Reply("One two three. Four five six.")])
    assert [e.reply for e in talk.history] == ["One two three. Four five six."]
    assert talk.history[0].words
    assert talk.sound_s() == pytest.approx(4.0, abs=0.1)
    states = [
        s for s in talk.states() if s != "replying"
    ]  # which lasts less than a tick, if at all
    assert states == ["user speaking", "user paused", "agent speaking", "listening"]
    assert not talk.open_tasks


def test_a_reply_that_is_not_ready_is_waited_for() -> None:
    talk = converse(speaks(at=0.5, for_=1.2), replies=[Reply(Wait(2.0), "Here it is now.")])
    assert talk.states() == [
        "user speaking",
        "user paused",
        "replying",
        "agent speaking",
        "listening",
    ]


def test_the_reply_is_heard_as_soon_as_the_end_silence_is_over() -> None:
    """It was prepared during the silence: 600 ms of it hide the 150 ms of the engines."""
    talk = converse(speaks(at=0.5, for_=1.2))
    assert talk.first_sound() == pytest.approx(1.7 + 0.6, abs=0.08)
    timed = talk.one(TurnTimed)
    assert timed.speculative
    assert timed.total_ms == pytest.approx(1000 * (talk.first_sound() - 1.7), abs=50)
    assert [part.name for part in timed.parts] == [
        "end silence",
        "words",
        "first clause",
        "first sound",
        "playout",
    ]


def test_a_pause_drops_the_prepared_reply_and_the_turn_goes_on() -> None:
    talk = converse(speaks(at=0.5, for_=1.0), speaks(at=1.9, for_=1.0))
    assert len(talk.all(ReplyDropped)) == 1
    assert len(talk.history) == 1
    said = [e.event for e in talk.all(TurnNoticed) if isinstance(e.event, TurnEnded)]
    assert len(said) == 1
    assert said[0].said.seconds == pytest.approx(0.3 + 2.4 + 0.19, abs=0.07)


def test_going_on_before_the_reply_is_heard_joins_the_utterances() -> None:
    """At 2.6 s the model still thinks; the user was only pausing."""
    slow = Reply(Wait(5.0), "Never. ")
    talk = converse(
        speaks(at=0.5, for_=1.0), speaks(at=2.6, for_=1.0), replies=[slow, Reply("Both heard.")]
    )
    assert [e.reply for e in talk.history] == ["Both heard."]
    joined = [e.event for e in talk.all(TurnNoticed) if isinstance(e.event, TurnEnded)][-1]
    assert joined.said.seconds == pytest.approx(0.3 + 3.1 + 0.19, abs=0.07)


def test_a_cough_while_the_model_thinks_does_not_cost_the_reply() -> None:
    slow = Reply(Wait(2.0), "Here it is. ")
    talk = converse(speaks(at=0.5, for_=1.0), speaks(at=2.4, for_=0.15), replies=[slow])
    assert [e.reply for e in talk.history] == ["Here it is."]


def test_a_barge_in_cuts_the_reply_and_the_history() -> None:
    """Two clauses of 2 s; the user breaks in within the second."""
    talk = converse(
        speaks(at=0.5, for_=1.2),
        speaks(at=5.4, for_=1.0),
        replies=[Reply("One two three. Four five six."), Reply("Yes.")],
    )
    assert talk.last_sound(before=6.0) <= 5.4 + 0.2
    first, second = talk.history
    assert first.reply.startswith("One two three.")
    assert "six" not in first.reply
    assert first.cut_short
    assert second.reply == "Yes."
    done = talk.messages(ReplyDone)[0]
    assert done.cut
    assert done.unheard.endswith("five six.")


def test_a_backchannel_is_held_at_once_and_then_the_reply_goes_on_from_the_held_sample() -> None:
    talk = converse(speaks(at=0.5, for_=1.2), speaks(at=3.5, for_=0.15))
    assert "overlap" in talk.states()
    assert not talk.agent_audible(3.75, within=0.02)
    assert [e.reply for e in talk.history] == ["One two three. Four five six."]
    assert not talk.history[0].cut_short
    assert talk.sound_s() == pytest.approx(4.0, abs=0.1)


def test_the_button_ends_the_reply() -> None:
    talk = converse(speaks(at=0.5, for_=1.2), tells(3.0, Interrupt()))
    assert talk.last_sound() <= 3.06
    assert talk.history[0].cut_short
    assert talk.states()[-1] == "listening"


def test_a_typed_turn_is_answered_like_a_spoken_one() -> None:
    talk = converse(tells(0.5, Say("hello there")), until=8)
    assert isinstance(talk.history[0].said, TypedText)
    assert talk.history[0].words == "hello there"
    assert talk.first_sound() == pytest.approx(0.65, abs=0.06)
    assert talk.messages(UserCaption)[0].text == "hello there"


def test_typing_over_a_reply_cuts_it() -> None:
    talk = converse(tells(0.5, Say("one")), tells(2.0, Say("two")), until=10)
    first, second = talk.history
    assert first.cut_short
    assert not second.cut_short


def test_push_to_talk_waits_through_any_pause_and_answers_at_release() -> None:
    talk = converse(
        tells(0.4, Press()),
        speaks(at=0.5, for_=0.8),
        speaks(at=3.0, for_=0.5),
        tells(3.6, Release()),
    )
    assert len(talk.history) == 1
    assert talk.first_sound() == pytest.approx(3.6 + 0.15, abs=0.06)


def test_a_key_pressed_by_mistake_is_no_turn() -> None:
    talk = converse(tells(0.4, Press()), tells(1.0, Release()), until=4)
    assert talk.history == ()
    assert talk.states() == ["user holding", "listening"]


def test_the_agent_speaks_first() -> None:
    talk = converse(config=SessionConfig(greeting="Hello. I am here."), until=6)
    assert talk.first_sound() < 0.2
    assert talk.history[0].said is None
    assert talk.history[0].reply == "Hello. I am here."


def test_speaking_over_the_greeting_cuts_it() -> None:
    talk = converse(speaks(at=1.0, for_=1.0), config=SessionConfig(greeting="One two three four."))
    assert talk.history[0].cut_short
    assert talk.history[1].reply == "One two three. Four five six."


def test_muted_speech_is_silence() -> None:
    talk = converse(tells(0.2, Mute(True)), speaks(at=0.5, for_=1.2), until=4)
    assert talk.states() == []


def test_muting_in_the_middle_ends_the_turn() -> None:
    talk = converse(speaks(at=0.5, for_=3.0), tells(1.5, Mute(True)))
    assert len(talk.history) == 1
    assert talk.first_sound() < 2.4


def test_sixty_seconds_without_a_breath_lose_nothing() -> None:
    talk = converse(speaks(at=0.5, for_=60.0), until=70)
    turns = [e.event for e in talk.all(TurnNoticed) if isinstance(e.event, TurnEnded)]
    assert [t.answer for t in turns] == [False, False, True]
    starts = [t.said.start for t in turns]
    ends = [t.said.start + len(t.said.pcm) for t in turns]
    assert ends[:2] == starts[1:]
    assert (ends[0] - starts[0]) / 16_000 == pytest.approx(30.0, abs=0.04)
    assert talk.first_sound() > 60.5
    assert len(talk.history) == 3


@pytest.mark.timeout(300)  # 180,000 ticks
def test_an_hour_of_silence_is_nothing() -> None:
    talk = converse(until=3600, frame_s=0.32)
    assert talk.states() == []
    assert not talk.open_tasks


def test_a_network_stall_ends_no_turn() -> None:
    """The caller's frames stop for three seconds in mid-word and then come in a burst."""

    def stall(stage: Stage) -> None:
        stage.paused = not stage.paused

    talk = converse(speaks(at=0.5, for_=2.0), does(1.2, stall), does(4.2, stall))
    assert len(talk.history) == 1
    assert talk.all(ReplyDropped) == []


def test_speech_that_was_lost_on_the_way_counts_as_silence_and_the_turn_goes_on() -> None:
    def lose(stage: Stage) -> None:
        stage.lost = not stage.lost

    talk = converse(speaks(at=0.5, for_=2.0), does(1.2, lose), does(1.5, lose))
    assert len(talk.history) == 1


def test_captions_come_while_they_are_spoken() -> None:
    talk = converse(speaks(at=0.5, for_=2.0))
    partials = [c for c in talk.messages(UserCaption) if not c.final]
    assert [c.text for c in partials][:2] == ["one", "one two"]
    assert [c.text for c in talk.messages(AgentCaption)] == ["One two three.", "Four five six."]
    first, second = talk.all(ClauseSpoken)
    assert second.at - first.at == pytest.approx(2.0, abs=0.05)


def test_the_words_of_a_turn_come_once_and_final() -> None:
    talk = converse(speaks(at=0.5, for_=1.2))
    finals = [e for e in talk.all(WordsHeard) if e.final]
    assert [(e.turn, e.source) for e in finals] == [(TurnId(1), "scripted")]


def test_captions_that_lag_behind_the_final_words_are_not_shown() -> None:
    talk = converse(speaks(at=0.5, for_=2.0))
    shown = talk.messages(UserCaption)
    assert [c.final for c in shown].index(True) == len(shown) - 1


def test_an_empty_reply_frees_the_floor() -> None:
    talk = converse(speaks(at=0.5, for_=1.0), replies=[Reply()], until=5)
    assert talk.states()[-1] == "listening"
    assert talk.sound_s() == 0


def test_cooldown_leaves_a_gap_after_a_reply() -> None:
    policy = TurnPolicy(cooldown_ms=1000)
    short = ScriptedSettings(clauses=1, clause_s=1.0)
    spoken = [speaks(at=0.5, for_=1.0), speaks(at=3.3, for_=0.5)]
    assert len(converse(*spoken, settings=short).history) == 2
    assert len(converse(*spoken, settings=short, turn=policy).history) == 1


def test_when_the_model_says_nothing_in_time_the_user_hears_a_tone_and_sees_why() -> None:
    talk = converse(speaks(at=0.5, for_=1.0), replies=[Reply(HANG)], until=14)
    freed = [e.event for e in talk.all(TurnNoticed) if isinstance(e.event, FloorFreed)]
    assert freed[0].timed_out
    assert [m.text for m in talk.messages(Notice)] == ["no answer came in time"]
    assert 0.1 < talk.sound_s() < 0.3
    assert not talk.open_tasks


def test_a_model_that_fails_costs_that_reply_only() -> None:
    broken = Reply("One two three four. ", Wait(2.0), EngineError("scripted", "it broke"))
    talk = converse(
        speaks(at=0.5, for_=1.0),
        speaks(at=7.0, for_=1.0),
        replies=[broken, Reply("Well again.")],
        settings=QUICK,
    )
    assert [e.reply for e in talk.history if e.said] == ["One two three four.", "Well again."]
    assert talk.one(Failed).reason == "it broke"


def test_a_speculation_that_fails_is_tried_again_when_the_turn_ends() -> None:
    broken = Reply(EngineError("scripted", "it broke"))
    talk = converse(speaks(at=0.5, for_=1.0), replies=[broken, Reply("Here.")], settings=QUICK)
    assert talk.all(Failed) == []
    assert [e.reply for e in talk.history] == ["Here."]


def test_a_speculation_begun_at_a_pause_is_heard_only_after_the_endpoint() -> None:
    talk = converse(speaks(at=0.5, for_=1.0))
    begun = talk.one(ReplyBegun)
    assert begun.speculative
    assert begun.at == pytest.approx(1.5 + 0.192, abs=0.07)
    assert talk.first_sound() >= 1.5 + 0.6


def test_a_reply_is_never_heard_twice() -> None:
    talk = converse(speaks(at=0.5, for_=1.0), speaks(at=1.9, for_=0.8), speaks(at=9.0, for_=1.0))
    closed = [e.turn for e in talk.all(ReplyClosed)]
    assert len(closed) == len(set(closed))


def test_the_model_gets_the_history_up_to_its_turn() -> None:
    seen: list[list[str]] = []

    def choose(prompt, conversation):  # type: ignore[no-untyped-def]
        seen.append([e.reply for e in conversation.exchanges])
        return Reply("Fine.")

    engines = scripted_engines(language=ScriptedLanguage(script=choose), settings=QUICK)
    converse(tells(0.5, Say("a")), tells(4.0, Say("b")), engines=engines, until=8)
    assert seen == [[], ["Fine."]]


def test_it_listens_closely_but_while_nobody_speaks() -> None:
    """A transport may hand sound over late only when neither speech nor an answer is near."""
    talk = converse(speaks(2.0, 1.0), replies=[Reply("one two three.")], until=12.0)
    (transport,) = talk.stage.transports
    (rests, speech, after) = transport.attention[:3]
    assert [closely for _, closely in (rests, speech, after)] == [False, True, False]
    assert rests[0] < 1.0
    assert 2.0 <= speech[0] < 2.1
    listening = max(e.at for e in talk.all(StateChanged) if e.state == "listening")
    assert after[0] >= listening
