"""Real recordings through the real detectors and the turn machine: nothing said is lost, noise is no turn.

Where speech begins and ends in each clip was found once by its energy: tests/data/speech/bounds.json
says how. All times are media time, so a busy machine changes nothing.
"""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from tests.support.speech import CLIPS, SPEECH, clip, noise, noisy
from ultraandchat.audio.frame import HEARING_RATE, AudioFrame, Samples
from ultraandchat.engines.base import Engines
from ultraandchat.engines.scripted import ScriptedLanguage, ScriptedSpeech
from ultraandchat.engines.silero import Silero
from ultraandchat.engines.webrtc_vad import WebRtcVad
from ultraandchat.hearing import Ear
from ultraandchat.turn.events import SpeechStarted, TurnEnded, Utterance
from ultraandchat.turn.policy import TurnPolicy
from ultraandchat.turn.taking import TurnTaking

POLICY = TurnPolicy()
BEFORE_S, AFTER_S = 1.0, 1.5
BOUNDS = json.loads((SPEECH / "bounds.json").read_text(encoding="utf-8"))["clips"]
NOISES = [("white", 20), ("white", 10), ("pink", 20), ("pink", 10)]

LATE_S = 0.05
"""So much of a soft onset may be missing: one and a half windows, under the bounds' own uncertainty."""
EARLY_S = 0.75
"""The turn may begin this long before speech: the pre-roll and a breath."""
TAIL_S = 0.35
"""Speech may be believed this long after its end: the words die away in the room."""


@pytest.fixture(scope="module")
def engines() -> Engines:
    return Engines(
        gate=WebRtcVad(),
        hearing=Silero(),
        language=ScriptedLanguage(),
        speech=ScriptedSpeech(),
        transcriber=None,
        status=lambda: (),
        about="",
        greeting="",
    )


@dataclass
class Told:
    """What the turn machine made of a stretch of sound."""

    started: list[SpeechStarted]
    said: list[Utterance]


def told(engines: Engines, sound: Samples) -> Told:
    """Every turn is answered at once and without a sound, so that the floor is free again."""
    ear, taking = Ear(engines, POLICY), TurnTaking(POLICY)
    heard = Told([], [])
    for position in range(0, len(sound), 320):
        frame = AudioFrame(sound[position : position + 320], HEARING_RATE, position)
        for window, voiced in ear.hear(frame):
            now = window.end / HEARING_RATE
            for event in taking.hear(window, voiced, now):
                if isinstance(event, SpeechStarted):
                    heard.started.append(event)
                elif isinstance(event, TurnEnded):
                    assert isinstance(event.said, Utterance)
                    heard.said.append(event.said)
                    taking.reply_ended(event.said.turn, now)
    return heard


def padded(sound: Samples) -> Samples:
    """As from an open microphone: quiet before and after."""
    before, after = (np.zeros(int(s * HEARING_RATE), np.float32) for s in (BEFORE_S, AFTER_S))
    return np.concatenate([before, sound, after])


def expect_all_of_it(name: str, heard: Told) -> None:
    """At least one turn; the first begins and the last ends where the speech does."""
    assert heard.said, "no turn"
    assert len(heard.started) == len(heard.said), "a turn did not end"
    bounds = BOUNDS[name]
    start, end = bounds["start_s"] + BEFORE_S, bounds["end_s"] + BEFORE_S
    latest = bounds.get("applause_until_s", bounds["end_s"]) + BEFORE_S + TAIL_S
    first, last = heard.said[0], heard.said[-1]
    assert start - EARLY_S <= first.start / HEARING_RATE <= start + LATE_S
    assert end - LATE_S <= (last.start + len(last.pcm)) / HEARING_RATE
    assert end - LATE_S - 0.1 <= last.speech_end / HEARING_RATE <= latest


@pytest.mark.parametrize("name", CLIPS)
def test_a_clean_clip_starts_and_ends_within_its_bounds(engines: Engines, name: str) -> None:
    expect_all_of_it(name, told(engines, padded(clip(name))))


@pytest.mark.speech
@pytest.mark.parametrize(("kind", "snr_db"), NOISES)
@pytest.mark.parametrize("name", CLIPS)
def test_a_noisy_clip_starts_and_ends_within_its_bounds(
    engines: Engines, name: str, kind: str, snr_db: int
) -> None:
    sound = noisy(padded(clip(name)), kind, snr_db, seed=7, rms=BOUNDS[name]["rms"])
    expect_all_of_it(name, told(engines, sound))


@pytest.mark.parametrize("level_dbfs", [-60, -40, -20])
@pytest.mark.parametrize("kind", ["white", "pink", "brown"])
def test_noise_is_no_speech(engines: Engines, kind: str, level_dbfs: int) -> None:
    sound = noise(kind, 10 * HEARING_RATE, seed=3) * np.float32(10 ** (level_dbfs / 20))
    assert told(engines, np.clip(sound, -1, 1)).started == []


@pytest.mark.parametrize("hz", [50, 120, 440, 1000])
def test_hum_and_tones_are_no_speech(engines: Engines, hz: int) -> None:
    at = np.arange(10 * HEARING_RATE) / HEARING_RATE
    sound = (0.2 * np.sin(2 * np.pi * hz * at)).astype(np.float32)
    assert told(engines, sound).started == []


def test_clicks_and_typing_are_no_speech(engines: Engines) -> None:
    rng = np.random.default_rng(11)
    sound = np.zeros(10 * HEARING_RATE, np.float32)
    for at in rng.integers(0, len(sound) - 400, 60):
        burst = rng.normal(0, 0.3, 400) * np.exp(-np.arange(400) / 80)
        sound[at : at + 400] += burst.astype(np.float32)
    assert told(engines, np.clip(sound, -1, 1)).started == []


def test_digital_silence_is_no_speech(engines: Engines) -> None:
    assert told(engines, np.zeros(10 * HEARING_RATE, np.float32)).started == []
