"""The package's S3Gen at full size, with random weights: 1 GB, and the passes take their time."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.models.chatterbox.plans import AT_ONCE, Everything
from tests.models.chatterbox.random_s3gen import tokens, voice, whole
from ultraandchat.audio.frame import Samples
from ultraandchat.engines.chatterbox.chunks import Plan
from ultraandchat.engines.chatterbox.flow import Flow
from ultraandchat.engines.chatterbox.noise import Noise
from ultraandchat.engines.chatterbox.sounder import S3Sounder
from ultraandchat.engines.chatterbox.variants import ORIGINAL, TURBO
from ultraandchat.engines.chatterbox.vocoder import Vocoder

TOKENS = tokens(37)
CLIP = 20
"""Tokens of the voice's clip: as few as will do, since each pass decodes it again."""


@pytest.fixture(scope="module")
def turbo() -> Any:
    return whole(TURBO)


def made(s3gen: Any, plan: Plan) -> list[Samples]:
    sounding = S3Sounder(s3gen, TURBO, progress=lambda *told: None, plan=plan).open(
        voice(tokens=CLIP), 5, 1.0
    )
    sounding.feed(TOKENS)
    return list(sounding.rest())


@pytest.fixture(scope="module")
def at_once(turbo: Any) -> Samples:
    return np.concatenate(made(turbo, AT_ONCE))


def test_blocks_of_one_decoding_are_the_whole_exactly(turbo: Any, at_once: Samples) -> None:
    parts = made(turbo, Everything(sizes=(15,)))
    assert len(parts) == 3
    np.testing.assert_allclose(np.concatenate(parts), at_once, atol=1e-5, rtol=0)


def test_no_joint_jumps_more_than_the_sound_itself(turbo: Any, at_once: Samples) -> None:
    blocks = made(turbo, Plan())
    steps = np.abs(np.diff(np.concatenate(blocks)))
    joints = np.cumsum([len(block) for block in blocks])[:-1]
    assert joints.tolist() == [9600, 24000]
    assert steps[joints - 1].max() <= np.quantile(np.abs(np.diff(at_once)), 0.999)


def test_it_is_the_sound_of_the_package(
    turbo: Any, at_once: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`S3Gen.inference`, given our noise and our source."""
    given, spoken = voice(tokens=CLIP).sounder, torch.tensor([*TOKENS, 4299, 4299, 4299])
    clip, clause = (Noise(5, use, 80) for use in (0, 1))
    noise = np.concatenate([clip.rows(0, 2 * CLIP), clause.rows(0, 80)]).T.copy()
    monkeypatch.setattr(torch, "randn_like", lambda like: torch.from_numpy(noise)[None])
    monkeypatch.setattr(
        torch, "randn", lambda *shape, **how: torch.from_numpy(noise)[None, :, 2 * CLIP :]
    )
    source = turbo.mel2wav.m_source

    def ours(pitch: torch.Tensor) -> Any:
        frames = pitch[0, ::480, 0]
        made = Vocoder(turbo.mel2wav).track(5)._source.frames(frames, 0)
        return made[None, :, None], None, None

    monkeypatch.setattr(source, "forward", ours)
    theirs, _ = turbo.inference(spoken, ref_dict=given, n_cfm_timesteps=2)
    np.testing.assert_allclose(theirs[0].numpy(), at_once, atol=1e-4, rtol=0)


def test_the_original_s_ten_guided_steps_are_the_package_s() -> None:
    original = whole(ORIGINAL)
    flow, given = Flow(original, ORIGINAL.steps), voice(tokens=CLIP)
    noise = torch.randn(80, 2 * CLIP + 20, generator=torch.Generator().manual_seed(4))
    expected, _ = original.flow.inference(
        token=torch.tensor([TOKENS[:10]]),
        token_len=torch.tensor([10]),
        finalize=True,
        n_timesteps=ORIGINAL.steps,
        noised_mels=noise[None],
        **given.sounder,
    )
    frames = flow.frames(flow.timbre(given), TOKENS[:10], noise)
    torch.testing.assert_close(frames, expected[0], atol=1e-3, rtol=1e-3)
