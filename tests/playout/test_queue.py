"""Playout as a table of instants: what leaves when, what is held, and what counts as heard."""

import numpy as np
import pytest

from ultraandchat.audio.frame import PLAYOUT_RATE, Samples
from ultraandchat.playout.heard import Heard
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.queue import Due, Playout
from ultraandchat.playout.sound import FRAME, SILENCE
from ultraandchat.turn.events import TurnId

ONE, TWO = TurnId(1), TurnId(2)


def ramp(frames: float, start: int = 0) -> Samples:
    """Sound whose samples tell their own place: 1, 2, 3 … millionths."""
    n = round(frames * FRAME)
    return (np.arange(start + 1, start + n + 1) / 1e6).astype(np.float32)


class Clock:
    """Ticks a playout every 20 ms and keeps what it gave."""

    def __init__(self, **transport: float) -> None:
        lead_s = float(transport.get("lead_s", 0.0))
        self.playout = Playout(
            PlayoutPolicy(), lead_s=lead_s, flushes=bool(transport.get("flushes", False))
        )
        self.now = 0.0
        self.dues: list[Due] = []

    def tick(self, times: int = 1, late: float = 0.0) -> Due:
        for _ in range(times):
            due = self.playout.due(self.now + late)
            self.dues.append(due)
            self.now += 0.02
        return self.dues[-1]

    def sound(self) -> list[Samples]:
        return [f.samples for d in self.dues for f in d.frames if f.samples is not SILENCE]

    def ended(self) -> list[Heard]:
        return [d.ended for d in self.dues if d.ended is not None]


def spoken(clock: Clock, frames: float, turn: TurnId = ONE, released: bool = True) -> None:
    clock.playout.open(turn, released=released)
    clock.playout.push(turn, 0, ramp(frames))
    clock.playout.clause_done(turn, 0)
    clock.playout.finish(turn)


def test_nothing_to_say_is_one_silent_frame_a_tick() -> None:
    clock = Clock()
    for _ in range(10):
        (frame,) = clock.tick().frames
        assert frame.samples is SILENCE
    assert frame.position == 9 * FRAME


def test_sound_leaves_in_order_one_frame_a_tick() -> None:
    clock = Clock()
    clock.tick(3)
    spoken(clock, 4)
    clock.tick(6)
    assert np.array_equal(np.concatenate(clock.sound()), ramp(4))
    assert [len(d.frames) for d in clock.dues] == [1] * 9


def test_with_a_lead_the_first_frames_leave_at_once() -> None:
    clock = Clock(lead_s=0.06, flushes=True)
    clock.tick(3)
    spoken(clock, 10)
    assert len(clock.tick().frames) == 4
    assert len(clock.tick().frames) == 1


def test_a_reply_is_audible_once_and_ends_when_its_last_sample_was_heard() -> None:
    clock = Clock(lead_s=0.06, flushes=True)
    clock.tick()
    spoken(clock, 5)
    clock.tick(8)
    assert [d.became_audible for d in clock.dues].count(True) == 1
    at = next(i for i, d in enumerate(clock.dues) if d.ended)
    assert at == 1 + 5
    (heard,) = clock.ended()
    assert not heard.cut
    assert heard.samples == 5 * FRAME


def test_an_unreleased_reply_is_made_and_not_heard() -> None:
    clock = Clock()
    spoken(clock, 3, released=False)
    clock.tick(5)
    assert clock.sound() == []
    clock.playout.release(ONE)
    clock.tick(5)
    assert len(clock.sound()) == 3


def test_an_empty_reply_ends_without_having_been_audible() -> None:
    clock = Clock()
    clock.playout.open(ONE, released=True)
    clock.playout.finish(ONE)
    due = clock.tick()
    assert due.ended is not None
    assert due.ended.samples == 0
    assert not due.became_audible


def test_sound_that_runs_dry_waits_in_whole_frames_and_loses_nothing() -> None:
    clock = Clock()
    clock.playout.open(ONE, released=True)
    clock.playout.push(ONE, 0, ramp(1.5))
    clock.tick(4)
    assert len(clock.sound()) == 1
    clock.playout.push(ONE, 0, ramp(1.5, start=round(1.5 * FRAME)))
    clock.playout.finish(ONE)
    clock.tick(4)
    assert np.array_equal(np.concatenate(clock.sound()), ramp(3))


def test_the_last_frame_is_padded() -> None:
    clock = Clock()
    spoken(clock, 1.25)
    clock.tick(4)
    last = clock.sound()[-1]
    assert len(last) == FRAME
    assert not last[FRAME // 4 :].any()


def test_samples_of_another_turn_are_stale() -> None:
    clock = Clock()
    clock.playout.open(TWO, released=True)
    clock.playout.push(ONE, 0, ramp(2))
    clock.tick(3)
    assert clock.sound() == []
    assert clock.playout.cut(ONE, clock.now) == Heard(ONE, (), cut=True)


def test_a_hold_fades_within_a_frame_and_the_rest_goes_on_from_there() -> None:
    clock = Clock()
    spoken(clock, 10)
    clock.tick(4)
    clock.playout.hold(clock.now)
    clock.tick(5)
    faded = clock.sound()[4]
    assert abs(faded[-1]) < 1e-6 * abs(faded[0])
    assert len(clock.sound()) == 5
    clock.playout.resume()
    clock.tick(8)
    resumed = clock.sound()[5]
    assert abs(resumed[0]) < 1e-3 * resumed[-1]
    assert resumed[-1] == pytest.approx(ramp(10)[5 * FRAME - 1], rel=1e-4)
    (heard,) = clock.ended()
    assert heard.samples == 10 * FRAME


def test_where_sent_sound_can_be_taken_back_a_hold_returns_to_what_is_audible() -> None:
    clock = Clock(lead_s=0.06, flushes=True)
    spoken(clock, 20)
    clock.tick(5)  # frames 0…7 were sent; at the next instant, 0.10 s, frame 5 begins to be heard
    clock.playout.hold(clock.now)
    sent = len(clock.sound())
    clock.tick(5)
    assert len(clock.sound()) == sent
    clock.playout.resume()
    clock.tick()
    first_again = clock.sound()[sent]
    assert first_again[-1] == pytest.approx(ramp(20)[7 * FRAME - 1])


def test_a_cut_tells_how_much_was_heard_of_each_clause() -> None:
    clock = Clock()
    clock.playout.open(ONE, released=True)
    clock.playout.push(ONE, 0, ramp(3))
    clock.playout.clause_done(ONE, 0)
    clock.playout.push(ONE, 1, ramp(5))
    clock.tick(5)
    heard = clock.playout.cut(ONE, clock.now)
    assert heard.cut
    assert [(c.clause, c.heard, c.complete) for c in heard.clauses] == [
        (0, 3 * FRAME, True),
        (1, 2 * FRAME, False),
    ]


def test_what_was_sent_ahead_and_taken_back_was_not_heard() -> None:
    clock = Clock(lead_s=0.06, flushes=True)
    spoken(clock, 20)
    clock.tick(5)
    heard = clock.playout.cut(ONE, clock.now)
    assert heard.samples == 6 * FRAME


def test_clauses_are_told_when_they_begin() -> None:
    clock = Clock()
    clock.playout.open(ONE, released=True)
    clock.playout.push(ONE, 0, ramp(2))
    clock.playout.push(ONE, 1, ramp(2))
    clock.playout.finish(ONE)
    clock.tick(6)
    assert [d.clauses for d in clock.dues if d.clauses] == [(0,), (1,)]


def test_a_short_stall_is_made_good_and_a_long_one_is_counted() -> None:
    clock = Clock(lead_s=0.06, flushes=True)
    spoken(clock, 100)
    clock.tick(5)
    clock.now += 0.04
    due = clock.tick()
    assert len(due.frames) == 3
    assert due.late == 0
    clock.now += 0.5
    due = clock.tick()
    assert len(due.frames) == 4
    assert due.late == pytest.approx(22, abs=1)
    clock.tick(100)
    assert np.array_equal(np.concatenate(clock.sound()), ramp(100))


def test_volume_is_applied_as_it_leaves_and_never_clips_over() -> None:
    clock = Clock()
    clock.playout.open(ONE, released=True)
    clock.playout.push(ONE, 0, np.full(FRAME, 0.8, np.float32))
    clock.playout.finish(ONE)
    clock.playout.volume = 2.0
    clock.tick()
    assert clock.sound()[0].max() == 1.0


def test_ahead_is_what_is_made_and_not_sent() -> None:
    clock = Clock()
    clock.playout.open(ONE, released=True)
    clock.playout.push(ONE, 0, ramp(50))
    clock.tick(10)
    assert clock.playout.ahead_s(ONE) == pytest.approx(0.8)
    assert clock.playout.ahead_s(TWO) == 0.0


def test_frames_are_placed_on_one_grid() -> None:
    clock = Clock(lead_s=0.06, flushes=True)
    clock.tick(3)
    spoken(clock, 10)
    clock.tick(20)
    positions = [f.position for d in clock.dues for f in d.frames]
    assert positions == [i * FRAME for i in range(len(positions))]
    assert PLAYOUT_RATE // FRAME == 50
