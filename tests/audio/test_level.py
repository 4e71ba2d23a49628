"""Levels, the DC filter, the one gain of an utterance, and fades."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultraandchat.audio.frame import HEARING_RATE, from_pcm16, to_pcm16
from ultraandchat.audio.level import (
    HIGHEST_PEAK,
    QUIETEST_DBFS,
    SPEECH_DBFS,
    DcFilter,
    dbfs,
    fade_in,
    fade_out,
    utterance_gain,
)


def sine(hz: float, seconds: float, peak: float) -> np.ndarray:
    t = np.arange(int(seconds * HEARING_RATE)) / HEARING_RATE
    return (peak * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def test_a_full_scale_sine_is_three_db_below_a_full_scale_square() -> None:
    assert dbfs(sine(1000, 1, 1.0)) == pytest.approx(-3.01, abs=0.01)


def test_silence_and_nothing_have_the_quietest_level() -> None:
    assert dbfs(np.zeros(512, np.float32)) == QUIETEST_DBFS
    assert dbfs(np.zeros(0, np.float32)) == QUIETEST_DBFS


def test_the_dc_filter_takes_the_offset_and_leaves_the_voice() -> None:
    voice = sine(150, 2, 0.3)
    cleaned = DcFilter(HEARING_RATE).feed(voice + np.float32(0.05))[8000:]
    assert abs(float(cleaned.mean())) < 1e-3
    assert dbfs(cleaned) == pytest.approx(dbfs(voice), abs=0.2)


@given(
    sizes=st.lists(st.integers(0, 1500), min_size=1, max_size=12), seed=st.integers(0, 2**32 - 1)
)
@settings(deadline=None, max_examples=50)
def test_cutting_the_stream_changes_nothing_of_the_dc_filter(sizes: list[int], seed: int) -> None:
    sound = np.random.default_rng(seed).uniform(-1, 1, sum(sizes)).astype(np.float32)
    whole = DcFilter(HEARING_RATE).feed(sound)
    pieces, filter_ = [], DcFilter(HEARING_RATE)
    for end, size in zip(np.cumsum(sizes), sizes, strict=True):
        pieces.append(filter_.feed(sound[end - size : end]))
    assert np.allclose(np.concatenate(pieces), whole, atol=1e-5)


def test_a_quiet_utterance_is_brought_to_speech_level_by_one_factor() -> None:
    quiet = sine(200, 2, 0.02)
    assert dbfs(quiet * utterance_gain(quiet)) == pytest.approx(SPEECH_DBFS, abs=0.1)


def test_the_gain_never_clips_and_never_lifts_a_quiet_room_to_speech() -> None:
    spiky = sine(200, 2, 0.02)
    spiky[100] = 0.9
    assert abs(spiky * utterance_gain(spiky)).max() <= HIGHEST_PEAK + 1e-6
    room = sine(200, 2, 0.0001)
    assert dbfs(room * utterance_gain(room)) < -50


def test_the_gain_of_silence_is_finite() -> None:
    assert np.isfinite(utterance_gain(np.zeros(16000, np.float32)))


def test_pauses_do_not_change_the_gain() -> None:
    speech = sine(200, 2, 0.05)
    padded = np.concatenate([speech, np.zeros(len(speech), np.float32)])
    assert utterance_gain(padded) == pytest.approx(utterance_gain(speech), rel=0.05)


def test_fades_reach_silence_within_their_length() -> None:
    level = np.ones(960, np.float32)
    assert not fade_out(level, 480)[480:].any()
    assert np.all(np.diff(fade_out(level, 480)[:480]) < 0)
    assert fade_in(level, 480)[0] < 1e-4
    assert np.array_equal(fade_in(level, 480)[480:], level[480:])


def test_sixteen_bits_and_back_are_the_same_within_a_step() -> None:
    sound = sine(300, 0.1, 0.9)
    assert np.abs(from_pcm16(to_pcm16(sound)) - sound).max() < 1e-4


def test_broken_floats_become_silence_or_full_scale() -> None:
    broken = np.array([np.nan, np.inf, -np.inf, 2.0], np.float32)
    assert to_pcm16(broken).tolist() == [0, 32767, -32767, 32767]
