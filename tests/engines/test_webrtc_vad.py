"""The quick detector looks at every sample once and finds speech."""

import numpy as np
import pytest

from tests.support.speech import clip, windows
from ultraandchat.audio.frame import to_pcm16
from ultraandchat.engines.webrtc_vad import WebRtcVad


def test_speech_is_called_speech_and_silence_is_not() -> None:
    stream = WebRtcVad().open()
    heard = [stream.probability(window) for window in windows(clip("goforward"))]
    assert max(heard) == 1.0
    for _ in range(30):
        stream.probability(np.zeros(512, np.float32))
    assert stream.probability(np.zeros(512, np.float32)) == 0.0


def test_the_sub_frames_of_the_windows_are_one_unbroken_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bytes] = []

    class Recorder:
        def __init__(self, mode: int) -> None:
            assert mode == 2

        def is_speech(self, sound: bytes, rate: int) -> bool:
            assert (len(sound), rate) == (320, 16_000)
            seen.append(sound)
            return True

    monkeypatch.setattr("webrtcvad.Vad", Recorder)
    stream = WebRtcVad().open()
    sound = np.random.default_rng(1).uniform(-1, 1, 512 * 10).astype(np.float32)
    counts = []
    for window in sound.reshape(-1, 512):
        before = len(seen)
        assert stream.probability(window) == 1.0
        counts.append(len(seen) - before)
    assert counts == [3, 3, 3, 3, 4] * 2
    assert b"".join(seen) == to_pcm16(sound).tobytes()


def test_reset_begins_as_a_new_stream() -> None:
    fresh, used = WebRtcVad().open(), WebRtcVad().open()
    for window in windows(clip("yes")):
        used.probability(window)
    used.reset()
    for window in windows(clip("goforward")):
        assert used.probability(window) == fresh.probability(window)
