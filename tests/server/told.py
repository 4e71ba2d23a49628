"""One of every session event, with words in it that must not reach a log at info."""

from typing import get_args

import numpy as np

from ultraandchat import events as ev
from ultraandchat.dialogue.reading import Reading
from ultraandchat.playout.heard import ClauseHeard, Heard
from ultraandchat.turn import events as turns
from ultraandchat.turn.events import TurnId

SECRET = "walnut"
TURN = TurnId(3)
UTTERANCE = turns.Utterance(TURN, np.zeros(16_000, np.int16), 0, 16_000, 1.0)
TYPED = turns.TypedText(TURN, SECRET, 1.0)
HEARD = Heard(TURN, (ClauseHeard(0, 480, 960, False),), cut=True)

NOTICED: tuple[turns.TurnEvent, ...] = (
    turns.SpeechStarted(TURN, 0),
    turns.UtterancePaused(UTTERANCE),
    turns.UtteranceResumed(TURN),
    turns.TurnEnded(UTTERANCE),
    turns.TurnEnded(TYPED),
    turns.OverlapStarted(TURN),
    turns.OverlapPassed(TURN),
    turns.BargedIn(TURN),
    turns.FloorFreed(TURN, timed_out=True),
    turns.AnnouncementDue(TURN, turns.Announcement(SECRET)),
)

EVENTS: tuple[ev.SessionEvent, ...] = (
    ev.SessionOpened(0.0, "ab12"),
    ev.TransportAttached(0.0, "websocket"),
    ev.TransportLeft(0.5, "the caller left"),
    ev.Stalled(0.6, True),
    *(ev.TurnNoticed(0.0, event) for event in NOTICED),
    ev.StateChanged(0.0, "listening", TURN),
    ev.WordsHeard(0.0, TURN, SECRET, True, "stream"),
    ev.TranscriptReady(0.0, TURN),
    ev.ReplyBegun(0.0, TURN, True),
    ev.ReplyDropped(0.0, TURN),
    ev.ClauseWritten(0.0, TURN, 0),
    ev.ReplyWritten(0.0, TURN, Reading(540, 512, 60, 31, encode_ms=8.0, prefill_ms=12.0)),
    ev.SoundMade(0.0, TURN),
    ev.ReplyReleased(0.0, TURN),
    ev.ReplyAudible(0.0, TURN),
    ev.ClauseSpoken(0.0, TURN, 0, SECRET),
    ev.ReplyClosed(0.0, TURN, SECRET, SECRET, HEARD),
    ev.TurnTimed(0.0, TURN, 700.0, 600, True, (ev.TimedPart("end silence", 0.0, 600.0),)),
    ev.Forgotten(0.0),
    ev.Failed(0.0, TURN, "flite", "its process ended"),
    ev.Dropped(0.0, "late frames", 2),
    ev.CallerReported(0.0, rtt_ms=12.0, underruns=1),
    ev.PathMeasured(0.0, ev.Quality(received=50, lost=1, concealed_s=0.02, jitter_ms=3.0)),
    ev.SessionClosed(0.0, "the caller left"),
)

assert {type(event) for event in EVENTS} == set(get_args(ev.SessionEvent))
assert {type(event) for event in NOTICED} == set(get_args(turns.TurnEvent))
