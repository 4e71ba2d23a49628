"""Voiced or quiet: who must agree, who sleeps, and that sleeping changes no beginning and no end."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.speech import CLIPS, clip, noisy, windows
from ultraandchat.audio.frame import Samples
from ultraandchat.audio.level import dbfs
from ultraandchat.engines.silero import Silero
from ultraandchat.engines.webrtc_vad import WebRtcVad
from ultraandchat.turn.activity import REMEMBERED, SLEEP_AFTER, Activity
from ultraandchat.turn.policy import TurnPolicy

LOUD = np.full(512, 0.1, np.float32)
QUIET = np.zeros(512, np.float32)


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
    assert hearing.asked == SLEEP_AFTER + 1
    hearing.says = 0.9
    assert activity.hear(LOUD)
    assert hearing.asked == SLEEP_AFTER + 1 + REMEMBERED + 1


def test_it_never_sleeps_while_somebody_is_voiced() -> None:
    hearing = Says(0.9)
    activity = Activity(TurnPolicy(), Says(1.0), hearing)
    activity.hear(LOUD)
    assert all(activity.hear(QUIET) for _ in range(100))


def test_after_a_reset_it_listens_to_silence_anew_before_it_sleeps() -> None:
    hearing = Says(0.0)
    activity = Activity(TurnPolicy(), Says(1.0), hearing)
    for _ in range(100):
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
    """Three seconds of silence before and after each clip, so that it sleeps, against detectors that are always awake."""
    speech = clip(name)
    if snr_db is not None:
        speech = noisy(speech, "pink", snr_db, seed=1, rms=float(np.sqrt(np.mean(speech**2))))
    silence = np.zeros(48_000, np.float32)
    sound = windows(np.concatenate([silence, speech, silence]))
    silero, policy = Silero(), TurnPolicy()
    always = np.flatnonzero(awake(sound, policy, silero))
    activity = Activity(policy, WebRtcVad().open(), silero.open())
    slept = np.flatnonzero([activity.hear(window) for window in sound])
    assert abs(int(slept[0]) - int(always[0])) <= 1
    assert abs(int(slept[-1]) - int(always[-1])) <= 1


def awake(sound: NDArray[np.float32], policy: TurnPolicy, silero: Silero) -> list[bool]:
    """The same rules with a Silero that sees every window."""
    gate, hearing = WebRtcVad().open(), silero.open()
    found, voiced = [], False
    for window in sound:
        agreement, speech = gate.probability(window), hearing.probability(window)
        starts = (
            speech >= policy.speech_threshold
            and agreement >= policy.gate_agreement
            and dbfs(window) >= policy.gate_dbfs
        )
        voiced = speech >= policy.silence_threshold if voiced else starts
        found.append(voiced)
    return found
