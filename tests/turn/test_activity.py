"""Voiced or quiet: who must agree, who sleeps, and that sleeping changes no beginning and no end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.speech import CLIPS, clip, noisy, windows
from ultraandchat.audio.frame import WINDOW, Samples
from ultraandchat.audio.level import dbfs
from ultraandchat.engines.silero import Silero
from ultraandchat.engines.webrtc_vad import WebRtcVad
from ultraandchat.turn.activity import REMEMBERED, REST_AFTER, SLEEP_AFTER, Activity
from ultraandchat.turn.policy import TurnPolicy

LOUD = np.full(512, 0.1, np.float32)
QUIET = np.zeros(512, np.float32)
BEFORE = np.zeros((SLEEP_AFTER + 94) * WINDOW, np.float32)
"""So much silence that Silero sleeps for 3 s."""


class Says:
    """A detector that says what it is told to, and counts what it is asked."""

    def __init__(self, probability: float) -> None:
        self.says = probability
        self.asked = 0
        self.resets = 0

    def probability(self, window: Samples) -> float:
        self.asked += 1
        return self.says

    def reset(self) -> None:
        self.resets += 1


@pytest.mark.parametrize(
    ("gate", "hearing", "window", "voiced"),
    [
        (1.0, 0.9, LOUD, True),
        (0.3, 0.9, LOUD, False),
        (1.0, 0.4, LOUD, False),
        (1.0, 0.9, QUIET, False),
    ],
)
def test_all_must_agree_to_start(
    gate: float, hearing: float, window: Samples, voiced: bool
) -> None:
    assert Activity(TurnPolicy(), Says(gate), Says(hearing)).hear(window) is voiced


def test_it_is_at_rest_after_half_a_second_of_quiet_and_not_while_it_is_loud() -> None:
    activity = Activity(TurnPolicy(), Says(0.0), Says(0.0))
    for _ in range(REST_AFTER):
        assert not activity.at_rest
        activity.hear(QUIET)
    assert activity.at_rest
    activity.hear(LOUD)
    assert not activity.at_rest


def test_silero_alone_continues_with_hysteresis() -> None:
    gate, hearing = Says(1.0), Says(0.9)
    activity = Activity(TurnPolicy(), gate, hearing)
    assert activity.hear(LOUD)
    gate.says, hearing.says = 0.0, 0.36
    assert activity.hear(QUIET)
    hearing.says = 0.34
    assert not activity.hear(QUIET)
    hearing.says = 0.45
    assert not activity.hear(LOUD)


def test_silero_sleeps_in_silence_and_is_played_what_it_missed() -> None:
    hearing = Says(0.0)
    activity = Activity(TurnPolicy(), Says(1.0), hearing)
    for _ in range(1000):
        activity.hear(QUIET)
    assert hearing.asked == SLEEP_AFTER
    hearing.says = 0.9
    assert activity.hear(LOUD)
    assert hearing.asked == SLEEP_AFTER + REMEMBERED + 1


class Hears(Says):
    """It remembers which windows it was given."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.heard: list[float] = []

    def probability(self, window: Samples) -> float:
        self.heard.append(float(window[0]))
        return super().probability(window)


@given(loud=st.lists(st.tuples(st.integers(0, SLEEP_AFTER + 30), st.integers(1, 5)), max_size=4))
@settings(deadline=None, max_examples=50)
def test_it_hears_windows_in_order_none_twice_and_all_that_are_loud(
    loud: list[tuple[int, int]],
) -> None:
    hearing = Hears()
    activity = Activity(TurnPolicy(), Says(0.0), hearing)
    gains = [gain for quiet, run in loud for gain in (*[0.0] * quiet, *[0.1] * run)]
    for number, gain in enumerate(gains):
        window = np.full(512, gain, np.float32)
        window[0] = number * 1e-6  # which one it was, and still below the gate
        activity.hear(window)
    numbers = [round(number * 1e6) for number in hearing.heard]
    assert numbers == sorted(set(numbers))
    assert {number for number, gain in enumerate(gains) if gain == 0.1} <= set(numbers)


def test_it_never_sleeps_while_somebody_is_voiced() -> None:
    hearing = Says(0.9)
    activity = Activity(TurnPolicy(), Says(1.0), hearing)
    activity.hear(LOUD)
    assert all(activity.hear(QUIET) for _ in range(2 * SLEEP_AFTER))


def test_it_never_sleeps_in_noise_above_the_gate() -> None:
    hearing = Says(0.0)
    activity = Activity(TurnPolicy(), Says(0.0), hearing)
    for _ in range(2 * SLEEP_AFTER):
        activity.hear(LOUD)
    assert hearing.asked == 2 * SLEEP_AFTER


def test_after_a_reset_it_listens_to_silence_anew_before_it_sleeps() -> None:
    hearing = Says(0.0)
    activity = Activity(TurnPolicy(), Says(1.0), hearing)
    for _ in range(2 * SLEEP_AFTER):
        activity.hear(QUIET)
    activity.reset()
    before = hearing.asked
    activity.hear(QUIET)
    activity.hear(QUIET)
    assert hearing.asked == before + 2


@pytest.mark.parametrize("snr_db", [None, 20.0, 10.0])
@pytest.mark.parametrize("name", CLIPS)
def test_sleeping_moves_no_start_and_no_end_by_more_than_a_window(
    name: str, snr_db: float | None
) -> None:
    """Against detectors that are always awake; before each clip so much silence that it sleeps for 3 s."""
    speech = clip(name)
    if snr_db is not None:
        speech = noisy(speech, "pink", snr_db, seed=1, rms=float(np.sqrt(np.mean(speech**2))))
    assert_nothing_moves(np.concatenate([BEFORE, speech, BEFORE[:48_000]]))


@pytest.mark.parametrize("name", CLIPS)
def test_sleeping_in_a_quiet_hiss_moves_nothing_either(name: str) -> None:
    """Noise of -60 dBFS all the time, below the gate."""
    sound = np.concatenate([BEFORE, clip(name), BEFORE[:48_000]])
    assert_nothing_moves(noisy(sound, "pink", 60.0, seed=1, rms=1.0))


def assert_nothing_moves(samples: Samples) -> None:
    """Both hear the same windows; the quick detector, which never sleeps, is asked once for both."""
    silero, policy, quick = Silero(), TurnPolicy(), WebRtcVad().open()
    gate, always = Says(0.0), silero.open()
    activity = Activity(policy, gate, silero.open())
    expected, found, voiced = [], [], False
    for window in windows(samples):
        gate.says, speech = quick.probability(window), always.probability(window)
        starts = (
            speech >= policy.speech_threshold
            and gate.says >= policy.gate_agreement
            and dbfs(window) >= policy.gate_dbfs
        )
        voiced = speech >= policy.silence_threshold if voiced else starts
        expected.append(voiced)
        found.append(activity.hear(window))
    awake, slept = np.flatnonzero(expected), np.flatnonzero(found)
    assert abs(int(slept[0]) - int(awake[0])) <= 1
    assert abs(int(slept[-1]) - int(awake[-1])) <= 1
