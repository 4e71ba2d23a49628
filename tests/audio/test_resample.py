"""Streaming resampling: length, phase and continuity, however the stream is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultraandchat.audio.frame import AudioFrame
from ultraandchat.audio.resample import Resampler

RATES = [(48_000, 16_000), (16_000, 48_000), (24_000, 48_000), (48_000, 24_000), (22_050, 48_000)]


def through(resampler: Resampler, sound: np.ndarray, sizes: list[int]) -> np.ndarray:
    made, at = [], 0
    for size in [*sizes, len(sound)]:
        piece = sound[at : at + size]
        made += resampler.feed(AudioFrame(piece, resampler.source, at))
        at += len(piece)
    made += resampler.flush()
    return np.concatenate([np.zeros(0, np.float32), *(f.samples for f in made)])


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_second_stays_a_second_and_a_tone_stays_that_tone(source: int, target: int) -> None:
    t = np.arange(source) / source
    tone = np.sin(2 * np.pi * 440 * t).astype(np.float32)
    made = through(Resampler(source, target), tone, [source // 50] * 49)
    assert len(made) == pytest.approx(target, abs=2)
    expected = np.sin(2 * np.pi * 440 * np.arange(len(made)) / target)
    assert np.abs(made - expected)[200:-200].max() < 0.02


@given(cuts=st.lists(st.integers(1, 3000), min_size=1, max_size=12), rates=st.sampled_from(RATES))
@settings(deadline=None, max_examples=40)
def test_how_the_stream_is_cut_changes_nothing(cuts: list[int], rates: tuple[int, int]) -> None:
    sound = np.random.default_rng(7).uniform(-0.5, 0.5, sum(cuts)).astype(np.float32)
    whole = through(Resampler(*rates), sound, [])
    assert np.allclose(through(Resampler(*rates), sound, cuts), whole, atol=1e-5)


@pytest.mark.parametrize(("source", "target"), RATES)
def test_hardly_anything_is_held_back(source: int, target: int) -> None:
    resampler, given_s, made = Resampler(source, target), 0.0, 0
    for i in range(20):
        frame = AudioFrame(np.zeros(source // 50, np.float32), source, i * (source // 50))
        made += sum(len(f.samples) for f in resampler.feed(frame))
        given_s += (source // 50) / source
    assert given_s - made / target < 0.003


def test_positions_run_on_and_a_gap_restarts_the_filter_at_its_place() -> None:
    resampler = Resampler(48_000, 16_000)
    first = resampler.feed(AudioFrame(np.ones(960, np.float32), 48_000, 0))
    after = resampler.feed(AudioFrame(np.ones(960, np.float32), 48_000, 48_000))
    assert first[0].position == 0
    assert after[-1].position == 16_000
    assert after[0].end <= 16_000


def test_equal_rates_pass_through() -> None:
    frame = AudioFrame(np.ones(320, np.float32), 16_000, 5)
    assert Resampler(16_000, 16_000).feed(frame) == [frame]


def test_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="fed 8000 Hz"):
        Resampler(16_000, 48_000).feed(AudioFrame(np.ones(8, np.float32), 8_000, 0))
