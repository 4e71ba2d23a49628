"""Laws of playout, whatever is pushed, held, cut and however late the ticks come."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.queue import LEAST_REST_S, Playout
from ultraandchat.playout.sound import FRAME, KEPT_S, SILENCE
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


@given(
    sizes=blocks,
    away=st.lists(st.tuples(st.integers(1, 40), st.integers(0, 400)), max_size=4),
    behind=st.integers(0, 12),
    wrap=st.booleans(),
    lead_s=leads,
    flushes=st.booleans(),
)
@settings(deadline=None, max_examples=80)
def test_who_comes_back_hears_the_rest_from_the_sample_up_to_which_they_had_heard_it(
    sizes: list[int],
    away: list[tuple[int, int]],
    behind: int,
    wrap: bool,
    lead_s: float,
    flushes: bool,
) -> None:
    """A listener hears each frame `behind` frames after it was sent; what was on its way when the
    network went is lost. In all they hear the reply once, but for fades."""
    playout = Playout(PlayoutPolicy(fade_ms=1), lead_s=lead_s, flushes=flushes)
    start = 2**32 // FRAME * 0.02 if wrap else 0.0  # positions run through 2³² within the reply
    playout.due(0.0)
    playout.waiting = True
    playout.come_back(None)
    playout.open(ONE, released=True)
    whole = np.concatenate(numbered(sizes))
    for piece in numbered(sizes):
        playout.push(ONE, 0, piece)
    playout.finish(ONE)
    heard: list[np.ndarray] = []
    on_its_way: list[tuple[int, int, np.ndarray]] = []
    position, tick, rest = round(start / 0.02) * FRAME, 0, SILENCE[:0]

    def arrive(tick: int) -> None:
        nonlocal position
        while on_its_way and on_its_way[0][0] + behind <= tick:
            _, position, samples = on_its_way.pop(0)
            heard.append(samples)

    absences = dict(away)
    for step in range(len(whole) // FRAME + 60):
        if step in absences:
            now = start + tick * 0.02
            arrive(tick)
            on_its_way.clear()
            playout.leave(now)
            tick += absences[step]
            rest = playout.come_back(position % 2**32)
            if len(rest):
                break
        tick += 1
        for frame in playout.due(start + tick * 0.02).frames:
            if frame.samples is not SILENCE:
                instant = max(tick, (frame.position // FRAME) - round(start / 0.02))
                on_its_way.append((instant, frame.position + FRAME, frame.samples))
        arrive(tick)
    arrive(10**9)
    played = np.concatenate([*heard, rest])
    least = len(whole) - round(LEAST_REST_S * 48_000)
    assert least < len(played) <= len(whole) + FRAME * (len(away) + 1)
    assert not played[len(whole) :].any()
    differing = np.flatnonzero(np.abs(played[: len(whole)] - whole[: len(played)]) > 1e-6)
    assert all(i % FRAME < 48 or played[i] == 0 for i in differing)


def test_what_was_sent_long_ago_is_let_go() -> None:
    playout = Playout(PlayoutPolicy())
    playout.open(ONE, released=True)
    for _ in range(30):
        playout.push(ONE, 0, np.full(48_000, 0.5, np.float32))
    for tick in range(50 * 20):
        playout.due(tick * 0.02)
    playout.leave(20.0)
    playout.come_back(0)  # she says that she has heard nothing
    frames = [frame for tick in range(1000, 2000) for frame in playout.due(tick * 0.02).frames]
    again = sum(frame.samples is not SILENCE for frame in frames)
    assert again == (30 - 20 + KEPT_S) * 50
