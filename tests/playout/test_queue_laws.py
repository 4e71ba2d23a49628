"""Laws of playout, whatever is pushed, held, cut and however late the ticks come."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.queue import FRAME, SILENCE, Playout
from ultraandchat.turn.events import TurnId

ONE = TurnId(1)
blocks = st.lists(st.integers(1, 4 * FRAME), min_size=1, max_size=12)
delays = st.lists(st.floats(0.0, 0.3), min_size=1, max_size=60)
leads = st.sampled_from([0.0, 0.02, 0.06, 0.1])


def numbered(sizes: list[int]) -> list[np.ndarray]:
    total = np.arange(1, sum(sizes) + 1, dtype=np.float64) / (sum(sizes) + 1)
    return [b.astype(np.float32) for b in np.split(total, np.cumsum(sizes)[:-1])]


@given(sizes=blocks, late=delays, lead_s=leads, flushes=st.booleans())
@settings(deadline=None, max_examples=80)
def test_every_sample_leaves_once_and_in_order_and_never_in_a_burst(
    sizes: list[int], late: list[float], lead_s: float, flushes: bool
) -> None:
    playout = Playout(PlayoutPolicy(), lead_s=lead_s, flushes=flushes)
    playout.open(ONE, released=True)
    waiting = numbered(sizes)
    whole = np.concatenate(waiting)
    now, sent, last = 0.0, [], -1
    for tick in range(sum(sizes) // FRAME + 80):
        now += 0.02 + (late[tick] if tick < len(late) else 0.0)
        if waiting:
            playout.push(ONE, 0, waiting.pop(0))
            if not waiting:
                playout.finish(ONE)
        due = playout.due(now)
        assert len(due.frames) <= max(round(lead_s / 0.02) + 1, 2)
        for frame in due.frames:
            assert frame.position > last
            last = frame.position
            assert len(frame.samples) == FRAME
            if frame.samples is not SILENCE:
                sent.append(frame.samples)
    assert np.array_equal(np.concatenate(sent)[: len(whole)], whole)


@given(
    sizes=blocks,
    holds=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=4),
    lead_s=leads,
)
@settings(deadline=None, max_examples=80)
def test_holds_lose_and_repeat_nothing_that_was_audible(
    sizes: list[int], holds: list[tuple[int, int]], lead_s: float
) -> None:
    """With a transport that takes sound back: the audible timeline is the reply, once, with gaps."""
    playout = Playout(PlayoutPolicy(fade_ms=1), lead_s=lead_s, flushes=True)
    playout.open(ONE, released=True)
    pieces = numbered(sizes)
    whole = np.concatenate(pieces)
    for piece in pieces:
        playout.push(ONE, 0, piece)
    playout.finish(ONE)
    timeline: dict[int, np.ndarray] = {}
    held_until: int | None = None
    starts = dict(holds)
    heard = None
    for tick in range(len(whole) // FRAME + 200):
        now = tick * 0.02
        if held_until is None and tick in starts:
            playout.hold(now + 0.01)
            held_until = tick + starts[tick]
            current = tick + 1  # frames whose instant has not come are taken back
            timeline = {i: f for i, f in timeline.items() if i < current}
        elif held_until == tick:
            playout.resume()
            held_until = None
        due = playout.due(now)
        heard = due.ended or heard
        for frame in due.frames:
            if frame.samples is not SILENCE:
                timeline[frame.position // FRAME] = frame.samples
    played = np.concatenate([timeline[i] for i in sorted(timeline)])[: len(whole)]
    assert len(played) == len(whole)
    differing = np.flatnonzero(np.abs(played - whole) > 1e-6)
    assert all(i % FRAME < 48 for i in differing)  # only inside 1 ms fades
    assert heard is not None
    assert heard.samples == len(whole)
