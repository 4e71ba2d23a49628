"""Sounds to embeddings: alone or in company, of any length."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.ultravox.support import CHECKPOINTS, clip_samples
from tests.models.conftest import Golden
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.ultravox.checkpoint import Checkpoint
from ultraandchat.engines.ultravox.load import Loaded, load

NEAR = 1e-5
SECOND = 16_000


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    checkpoint = Checkpoint.read(CHECKPOINTS[1])
    return load(checkpoint, device="cpu", precision="fp32", progress=lambda *told: None)


def noise(samples: int, seed: int = 1) -> np.ndarray:
    return (np.random.default_rng(seed).normal(0, 3000, samples)).astype(np.int16)


@given(st.lists(st.integers(1, 3 * SECOND), min_size=2, max_size=5))
@settings(max_examples=25)
def test_in_company_a_sound_is_what_it_is_alone(loaded: Loaded, lengths: list[int]) -> None:
    sounds = [noise(length, seed) for seed, length in enumerate(lengths)]
    together = loaded.embed_audio(sounds)
    for sound, embedded in zip(sounds, together, strict=True):
        (alone,) = loaded.embed_audio([sound])
        assert embedded.shape == alone.shape == (loaded.audio_tokens(len(sound)), 64)
        assert (embedded - alone).abs().max() <= NEAR


def test_two_clips_in_one_batch_are_the_golden_ones(golden: Golden) -> None:
    clips = ["yes", "goforward"]
    for clip, embedded in zip(
        clips, golden.loaded.embed_audio([clip_samples(clip) for clip in clips]), strict=True
    ):
        expected = torch.from_numpy(golden.arrays[f"{clip}/projector"][0])
        assert (embedded - expected).abs().max() <= 1e-4


@pytest.mark.parametrize(
    ("seconds", "tokens"), [(0.5, 4), (3, 19), (10, 63), (30, 188), (40, 251), (65, 408)]
)
def test_a_second_is_six_tokens_and_a_quarter(loaded: Loaded, seconds: float, tokens: int) -> None:
    samples = int(seconds * SECOND)
    assert loaded.audio_tokens(samples) == tokens
    (embedded,) = loaded.embed_audio([noise(samples)])
    assert embedded.shape == (tokens, 64)


def test_forty_seconds_are_heard_in_two_windows(loaded: Loaded) -> None:
    """Each as it would be heard alone, but for the frames at the seam, whose Fourier window sees over it.

    The sound repeats itself, because levels are measured against the loudest of the whole."""
    sound = np.tile(noise(10 * SECOND), 4)
    (embedded,) = loaded.embed_audio([sound])
    (first,) = loaded.embed_audio([sound[: 30 * SECOND]])
    (second,) = loaded.embed_audio([sound[30 * SECOND :]])
    assert (embedded[:187] - first[:187]).abs().max() <= NEAR
    assert (embedded[188:] - second).abs().max() < 0.05
    assert embedded.abs().max() > 1


@pytest.mark.parametrize("samples", [1, 159, 160, 319, 320, 321])
def test_a_click_is_padded_to_two_frames(loaded: Loaded, samples: int) -> None:
    (embedded,) = loaded.embed_audio([noise(samples)])
    assert embedded.shape == (loaded.audio_tokens(samples), 64) == (1, 64)
    padded = np.zeros(320, np.int16)
    padded[: min(samples, 320)] = noise(samples)[:320]
    if samples <= 320:
        assert torch.equal(embedded, loaded.embed_audio([padded])[0])


def test_floats_are_heard_as_their_integers(loaded: Loaded) -> None:
    sound = noise(SECOND)
    (whole,) = loaded.embed_audio([sound])
    (parts,) = loaded.embed_audio([sound.astype(np.float32) / 32768])
    assert torch.equal(whole, parts)


def test_silence_is_heard_too(loaded: Loaded) -> None:
    (embedded,) = loaded.embed_audio([np.zeros(SECOND, np.int16)])
    assert torch.isfinite(embedded).all()


def test_no_sound_at_all_is_refused_and_spoils_nothing(loaded: Loaded) -> None:
    with pytest.raises(EngineError, match="no sound in this turn"):
        loaded.embed_audio([noise(SECOND), np.zeros(0, np.int16)])
    assert loaded.embed_audio([]) == []
