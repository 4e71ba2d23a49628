"""What the caller without a browser notes and records."""

import numpy as np

from ultraandchat.commands.caller import GIVE_UP_S, QUIET_S, Caller, Recording, latency
from ultraandchat.transport.wire import (
    Flush,
    Notice,
    Pong,
    ReplyDone,
    State,
    TimingPart,
    TurnTiming,
    UserCaption,
)

RATE = 1000
ONES = np.ones(20, np.int16)


def recording() -> Recording:
    made = Recording(RATE)
    made.begun = 10.0
    return made


def test_the_first_sound_stands_where_it_was_heard() -> None:
    made = recording()
    made.put(5000, ONES, 10.1)
    assert made.pcm().tolist() == [0] * 100 + [1] * 20


def test_later_sound_stands_by_its_position_however_late_it_came() -> None:
    made = recording()
    made.put(5000, ONES, 10.1)
    made.put(5040, ONES, 10.9)
    assert made.pcm().tolist() == [0] * 100 + [1] * 20 + [0] * 20 + [1] * 20


def test_a_flush_takes_back_what_is_not_audible_yet() -> None:
    made = recording()
    made.put(0, ONES, 10.0)
    made.put(20, ONES, 10.0)
    made.flush(10.03)
    made.put(60, ONES, 10.06)
    assert made.pcm().tolist() == [1] * 30 + [0] * 30 + [1] * 20


def test_what_comes_before_the_file_begins_is_not_recorded() -> None:
    made = Recording(RATE)
    made.put(0, ONES, 1.0)
    assert len(made.pcm()) == 0


def timing(turn: int) -> TurnTiming:
    parts = [TimingPart("end silence", 0, 600), TimingPart("words", 200, 280.4)]
    return TurnTiming(turn, 655.2, 600, speculative=True, parts=parts)


def heard(*messages: object) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    caller = Caller(RATE, lambda who, text: lines.append((who, text)))
    for message in messages:
        caller.told(message, 1.0)  # type: ignore[arg-type]
    caller.close()
    return lines


def test_a_turn_is_three_lines() -> None:
    assert heard(
        UserCaption(1, "go", final=False, source="stream"),
        UserCaption(1, "go forward", final=True, source="grammar"),
        timing(1),
        ReplyDone(1, "Going.", "", cut=False),
    ) == [("you", "go forward"), ("agent", "Going."), ("", latency(timing(1)))]


def test_words_that_come_after_the_reply_began_stand_before_it() -> None:
    lines = heard(
        timing(1),
        UserCaption(1, "hello", final=True, source="second pass"),
        ReplyDone(1, "Hi.", "", cut=False),
    )
    assert [who for who, _ in lines] == ["you", "agent", ""]


def test_what_a_barge_in_left_unheard_is_shown() -> None:
    lines = heard(ReplyDone(1, "One.", "Two.", cut=True))
    assert lines == [("agent", "One. [unheard: Two.]")]


def test_a_reply_that_was_dropped_unheard_and_unwritten_is_not_shown() -> None:
    assert heard(ReplyDone(1, "", "", cut=True)) == []


def test_a_turn_of_which_nothing_was_understood_is_shown_as_that() -> None:
    assert heard(UserCaption(1, "", final=True, source="stream")) == [
        ("you", "(no words were understood)")
    ]


def test_a_turn_without_an_answer_is_shown_at_the_end() -> None:
    assert heard(UserCaption(3, "well", final=True, source="stream")) == [("you", "well")]


def test_a_notice_is_shown() -> None:
    assert heard(Notice("timer", "Time is up.")) == [("note", "Time is up.")]


def test_the_parts_of_a_latency_are_named() -> None:
    assert latency(timing(1)) == "655 ms (begun at a pause): end silence 0–600, words 200–280"


def finishing(state: str) -> Caller:
    caller = Caller(RATE, lambda who, text: None)
    caller.told(State(state, 1), 100.0)
    return caller


def test_it_is_over_when_nobody_speaks_and_nothing_comes() -> None:
    caller = finishing("listening")
    assert not caller.finished(100.0 + QUIET_S)
    assert caller.finished(100.1 + QUIET_S)


def test_an_answer_that_is_owed_is_waited_for() -> None:
    caller = finishing("replying")
    assert not caller.finished(100.1 + QUIET_S)
    assert caller.finished(100.1 + GIVE_UP_S)


def test_sound_and_messages_put_the_end_off() -> None:
    caller = finishing("listening")
    caller.heard(0, ONES, 101.0)
    assert not caller.finished(100.9 + QUIET_S)
    caller.told(Flush(), 102.0)
    assert not caller.finished(101.9 + QUIET_S)


def test_a_pong_does_not() -> None:
    caller = finishing("listening")
    caller.told(Pong(1), 102.0)
    assert caller.finished(100.1 + QUIET_S)
