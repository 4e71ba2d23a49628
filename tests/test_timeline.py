"""A turn's milliseconds, from the events alone."""

import numpy as np

from ultraandchat.events import (
    ClauseWritten,
    ReplyAudible,
    ReplyBegun,
    ReplyDropped,
    SessionEvent,
    SoundMade,
    TranscriptReady,
    TurnNoticed,
    TurnTimed,
)
from ultraandchat.timeline import Timeline
from ultraandchat.turn.events import TurnEnded, TurnId, TypedText, Utterance

ONE = TurnId(1)


def ended(at: float, *, spoken: float) -> TurnNoticed:
    said = Utterance(ONE, np.zeros(16_000, np.int16), 0, 16_000, heard_at=spoken)
    return TurnNoticed(at, TurnEnded(said))


def told(*events: SessionEvent) -> list[TurnTimed]:
    timeline = Timeline(600)
    return [timed for event in events if (timed := timeline.follow(event)) is not None]


def spans(timed: TurnTimed) -> dict[str, tuple[float, float]]:
    return {part.name: (part.start_ms, part.end_ms) for part in timed.parts}


def test_a_speculative_reply_is_made_inside_the_end_silence() -> None:
    (timed,) = told(
        ReplyBegun(10.2, ONE, speculative=True),
        TranscriptReady(10.3, ONE),
        ClauseWritten(10.35, ONE, 0),
        SoundMade(10.4, ONE),
        ended(10.6, spoken=10.0),
        ReplyAudible(10.61, ONE),
    )
    assert timed.speculative
    assert timed.total_ms == 610.0
    assert spans(timed) == {
        "end silence": (0.0, 600.0),
        "words": (200.0, 300.0),
        "first clause": (300.0, 350.0),
        "first sound": (350.0, 400.0),
        "playout": (600.0, 610.0),
    }


def test_a_reply_begun_at_the_end_follows_it() -> None:
    (timed,) = told(
        ended(10.6, spoken=10.0),
        ReplyBegun(10.6, ONE, speculative=False),
        ClauseWritten(10.7, ONE, 0),
        SoundMade(10.75, ONE),
        ReplyAudible(10.76, ONE),
    )
    assert spans(timed)["playout"] == (750.0, 760.0)
    assert "words" not in spans(timed)  # nobody asked for them


def test_a_typed_turn_has_no_end_silence() -> None:
    (timed,) = told(
        TurnNoticed(5.0, TurnEnded(TypedText(ONE, "hello", 5.0))),
        ReplyBegun(5.0, ONE, speculative=False),
        SoundMade(5.1, ONE),
        ReplyAudible(5.1, ONE),
    )
    assert timed.endpoint_ms == 0
    assert "end silence" not in spans(timed)
    assert timed.total_ms == 100.0


def test_what_was_dropped_or_said_unasked_is_not_timed() -> None:
    assert not told(
        ReplyBegun(1.0, ONE, speculative=True), ReplyDropped(1.1, ONE), ReplyAudible(1.2, ONE)
    )
    assert not told(ReplyBegun(1.0, ONE, speculative=False), ReplyAudible(1.2, ONE))


def test_turns_that_never_became_audible_are_forgotten() -> None:
    timeline = Timeline(600)
    timeline.follow(ended(10.6, spoken=10.0))
    for number in range(2, 10):
        timeline.follow(ReplyBegun(11.0, TurnId(number), speculative=True))
    assert timeline.follow(ReplyAudible(20.0, ONE)) is None
