"""Silero finds speech as the original does, forgets between callers, and is never replaced by a guess."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.speech import CLIPS, SPEECH, clip, noisy, windows
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.silero import Silero

GOLDEN = SPEECH.parent / "silero_golden.npz"
"""What the original network says of every window (tools/silero.py wrote it with ONNX Runtime)."""


@pytest.fixture(scope="module")
def silero() -> Silero:
    return Silero()


@pytest.mark.parametrize("kind", ["clean", "pink"])
@pytest.mark.parametrize("name", CLIPS)
def test_it_says_what_the_original_says(silero: Silero, name: str, kind: str) -> None:
    sound = clip(name)
    if kind == "pink":
        sound = noisy(sound, "pink", 10.0, seed=1, rms=float(np.sqrt(np.mean(sound**2))))
    stream = silero.open()
    heard = [stream.probability(window) for window in windows(sound)]
    with np.load(GOLDEN) as golden:
        assert np.abs(heard - golden[f"{name}/{kind}"]).max() <= 1e-4


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


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_broken_sound_is_no_speech_and_what_follows_is_heard_as_new(
    silero: Silero, value: float
) -> None:
    stream, fresh = silero.open(), silero.open()
    for window in windows(clip("yes")):
        stream.probability(window)
    broken = np.zeros(512, np.float32)
    broken[-1] = value
    assert stream.probability(broken) == 0.0
    for window in windows(clip("goforward")):
        assert stream.probability(window) == fresh.probability(window)


def test_sound_far_beyond_full_scale_does_no_lasting_harm(silero: Silero) -> None:
    stream = silero.open()
    window = np.full(512, 1e8, np.float32)
    window.flags.writeable = False
    assert 0.0 <= stream.probability(window) <= 1.0
    heard = [stream.probability(window) for window in windows(clip("goforward"))]
    assert max(heard) > 0.9


def test_a_window_of_another_length_is_refused(silero: Silero) -> None:
    with pytest.raises(ValueError, match="512"):
        silero.open().probability(np.zeros(480, np.float32))


def test_without_its_weights_the_engine_is_unavailable_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ultraandchat.engines.silero.WEIGHTS", "nowhere.npz")
    with pytest.raises(EngineUnavailable, match="pip install"):
        Silero()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"no weights at all"])
def test_a_broken_file_of_weights_is_unavailable_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "silero_16k.npz").write_bytes(content)
    monkeypatch.setattr("ultraandchat.engines.silero.resources.files", lambda package: tmp_path)
    with pytest.raises(EngineUnavailable, match="does not load"):
        Silero()


def test_weights_of_another_network_are_unavailable_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    np.savez(tmp_path / "silero_16k.npz", **{"encoder.0.weight": np.zeros(3, np.float32)})
    monkeypatch.setattr("ultraandchat.engines.silero.resources.files", lambda package: tmp_path)
    with pytest.raises(EngineUnavailable, match="does not load"):
        Silero()
