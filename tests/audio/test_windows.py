"""Exact windows from any run of frames."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ultraandchat.audio.frame import AudioFrame
from ultraandchat.audio.windows import Windows


def frame(start: int, count: int) -> AudioFrame:
    return AudioFrame(np.arange(start, start + count, dtype=np.float32), 16_000, start)


@given(sizes=st.lists(st.integers(0, 900), max_size=30), first=st.integers(0, 10**9))
@settings(deadline=None)
def test_every_sample_is_in_one_window_at_its_place(sizes: list[int], first: int) -> None:
    windows, at, made = Windows(512), first, []
    for size in sizes:
        samples = np.arange(at - first, at - first + size, dtype=np.float32)
        made += windows.feed(AudioFrame(samples, 16_000, at))
        at += size
    assert [w.position for w in made] == [first + 512 * i for i in range(len(made))]
    assert all(len(w.samples) == 512 for w in made)
    assert len(made) == sum(sizes) // 512
    if made:
        joined = np.concatenate([w.samples for w in made])
        assert np.array_equal(joined, np.arange(len(joined), dtype=np.float32))


def test_a_short_gap_is_filled_with_silence() -> None:
    windows = Windows(512)
    made = windows.feed(frame(0, 320)) + windows.feed(frame(640, 384))
    assert [w.position for w in made] == [0, 512]
    assert not made[0].samples[320:].any()
    assert made[1].samples[128] == 640


def test_a_long_gap_ends_the_window_and_the_next_begins_after_it() -> None:
    windows = Windows(512)
    made = windows.feed(frame(0, 320)) + windows.feed(frame(100_000, 512))
    assert [w.position for w in made] == [0, 100_000]


def test_sound_that_comes_again_is_dropped() -> None:
    windows = Windows(512)
    made = (
        windows.feed(frame(0, 320)) + windows.feed(frame(160, 160)) + windows.feed(frame(320, 192))
    )
    assert len(made) == 1
    assert np.array_equal(made[0].samples, np.arange(512, dtype=np.float32))


def test_a_position_that_jumps_back_far_is_dropped_and_does_no_harm() -> None:
    windows = Windows(512)
    windows.feed(frame(10_000, 320))
    assert windows.feed(frame(0, 320)) == []
    assert len(windows.feed(frame(10_320, 192))) == 1
