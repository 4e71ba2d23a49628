"""A caller's own level below which sound is not speech: who speaks quietly is heard, a loud television is not."""

import numpy as np
import pytest

from tests.support.speech import CLIPS, clip, windows
from ultraandchat.audio.frame import Samples
from ultraandchat.audio.level import dbfs
from ultraandchat.engines.silero import Silero
from ultraandchat.engines.webrtc_vad import WebRtcVad
from ultraandchat.turn.activity import HOLD_DB, Activity
from ultraandchat.turn.policy import TurnPolicy

SPOKEN = ("goforward", "jfk", "libri_1272", "libri_198", "librivox_0870", "yes")
"""Different voices, microphones and rooms."""
LONGEST_LOST = 8
"""Windows that a word's weak end may lose to a level 15 dB below it, or a pause may gain."""


def at(speech: Samples, wanted_dbfs: float) -> Samples:
    """Its words at that level (the louder half of its windows), as 16-bit sound over a quiet room's −75 dBFS."""
    levels = np.sort([dbfs(window) for window in windows(speech)])
    louder = levels[len(levels) // 2 :]
    gain = wanted_dbfs - 10 * np.log10(np.mean(10 ** (louder / 10)))
    room = np.random.default_rng(1).normal(0, 10 ** (-75 / 20), len(speech))
    return (np.round((speech * 10 ** (gain / 20) + room) * 32768) / 32768).astype(np.float32)


def voiced(sound: Samples, threshold_dbfs: float | None = None) -> list[bool]:
    activity = Activity(TurnPolicy(), WebRtcVad().open(), Silero().open())
    activity.threshold_dbfs = threshold_dbfs
    return [activity.hear(window) for window in windows(sound)]


def longest_run(of: list[bool], value: bool = True) -> int:
    """Between the first and the last voiced window."""
    first, last = of.index(True), len(of) - of[::-1].index(True)
    runs = "".join("v" if is_voiced is value else " " for is_voiced in of[first:last]).split()
    return max(map(len, runs), default=0)


@pytest.mark.parametrize("name", SPOKEN)
def test_a_quiet_speaker_is_heard_with_a_low_level_as_one_who_speaks_up(name: str) -> None:
    usual = sum(voiced(at(clip(name), -25.0)))
    quiet = at(clip(name), -60.0)
    assert sum(voiced(quiet)) == 0
    assert sum(voiced(quiet, -65.0)) >= 0.8 * usual


@pytest.mark.parametrize("name", ["libri_2412_0", "lj001_0004", "librivox_0880"])
def test_a_loud_television_is_speech_and_with_a_high_level_it_is_not(name: str) -> None:
    television = at(clip(name), -40.0)
    assert longest_run(voiced(television)) > 20
    spurious = voiced(television, -28.0)
    assert True not in spurious or longest_run(spurious) < 3  # of three windows speech begins


def test_a_television_does_not_keep_the_turn_open_behind_whoever_speaks_up() -> None:
    said, television = at(clip("goforward"), -18.0), at(clip("libri_2412_0"), -40.0)
    sound = np.concatenate([said, television])
    end = len(windows(said))
    assert sum(voiced(sound)[end:]) > 100
    assert sum(voiced(sound, -28.0)[end + LONGEST_LOST :]) < 3


@pytest.mark.parametrize("name", CLIPS)
def test_who_speaks_well_above_the_level_loses_no_words_to_it(name: str) -> None:
    speech = at(clip(name), -20.0)
    usual, with_level = voiced(speech), voiced(speech, -35.0)
    assert with_level.index(True) - usual.index(True) <= 1
    assert with_level[::-1].index(True) - usual[::-1].index(True) <= LONGEST_LOST
    assert longest_run(with_level, False) - longest_run(usual, False) <= LONGEST_LOST


def test_the_policys_own_level_as_the_callers_changes_nothing_above_it() -> None:
    speech = at(clip("jfk"), -20.0)
    without = voiced(speech)
    agreed = [a == b for a, b in zip(voiced(speech, TurnPolicy().gate_dbfs), without, strict=True)]
    assert sum(agreed) >= 0.98 * len(without)


def test_speech_goes_on_only_so_far_below_the_callers_level() -> None:
    class Always:
        def probability(self, window: Samples) -> float:
            return 1.0

        def reset(self) -> None:
            pass

    activity = Activity(TurnPolicy(), Always(), Always())
    activity.threshold_dbfs = -30.0

    def hears(level: float) -> bool:
        return activity.hear(np.full(512, 10 ** (level / 20), np.float32))

    assert [hears(-31.0), hears(-29.0), hears(-30.0 - HOLD_DB + 0.1)] == [False, True, True]
    assert [hears(-30.0 - HOLD_DB - 0.1), hears(-31.0)] == [False, False]
