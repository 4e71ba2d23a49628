"""The ring: what it keeps, what it holds, and what is cut from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.audio.frame import HEARING_RATE, WINDOW, AudioFrame
from ultraandchat.turn.utterance import RING_S, Ring


def filled(windows: int, ring: Ring | None = None, start: int = 0) -> Ring:
    """Every sample says where it stands (in tenths of a thousandth)."""
    ring = ring or Ring()
    for index in range(start, start + windows):
        at = np.arange(index * WINDOW, (index + 1) * WINDOW)
        ring.push(AudioFrame((at / 1e6).astype(np.float32), HEARING_RATE, index * WINDOW))
    return ring


def positions(ring: Ring, start: int = 0) -> list[int]:
    return [round(float(sample) * 1e6) for sample in ring.since(start)]


def test_an_empty_ring_ends_at_zero_and_gives_nothing() -> None:
    assert Ring().end == 0
    assert len(Ring().since(0)) == 0


def test_it_keeps_the_newest_four_seconds_and_at_most_a_window_more() -> None:
    ring = filled(1000)
    kept = positions(ring)
    assert kept[-1] == ring.end - 1
    assert RING_S * HEARING_RATE <= len(kept) < RING_S * HEARING_RATE + WINDOW


def test_what_is_held_stays_however_long_it_grows() -> None:
    ring = filled(100)
    ring.hold(50 * WINDOW)
    filled(900, ring, start=100)
    assert positions(ring, 50 * WINDOW) == list(range(50 * WINDOW, 1000 * WINDOW))


def test_once_let_go_only_the_newest_is_kept_again() -> None:
    ring = filled(100)
    ring.hold(0)
    filled(900, ring, start=100)
    ring.let_go()
    filled(1, ring, start=1000)
    assert len(positions(ring)) < RING_S * HEARING_RATE + WINDOW


@given(st.integers(0, 20 * WINDOW), st.integers(0, 20 * WINDOW))
def test_a_cut_has_exactly_the_samples_between_its_ends(first: int, second: int) -> None:
    start, end = sorted((first, second))
    assert len(filled(20).cut(start, end, at_least_s=0)) == end - start


def test_a_short_cut_is_padded_with_silence_at_its_end() -> None:
    pcm = filled(20).cut(WINDOW, 2 * WINDOW, at_least_s=1.0)
    assert len(pcm) == HEARING_RATE
    assert pcm[:WINDOW].any()
    assert not pcm[WINDOW:].any()


def test_one_gain_for_the_whole_utterance() -> None:
    pcm = filled(20).cut(WINDOW, 20 * WINDOW, at_least_s=0).astype(float)
    sound = np.arange(WINDOW, 20 * WINDOW)
    assert pcm[-1] / pcm[WINDOW] == pytest.approx(sound[-1] / sound[WINDOW], rel=0.01)
