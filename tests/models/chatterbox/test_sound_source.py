"""The vocoder's source is the package's, but for phases and noise, which go on from piece to piece."""

from typing import Any

import pytest
import torch
from chatterbox.models.s3gen.hifigan import SourceModuleHnNSF

from ultraandchat.engines.chatterbox.noise import Noise, generator
from ultraandchat.engines.chatterbox.source import USES, Source

PITCH = torch.tensor([120.0, 125.0, 131.0, 0.0, 3.0, 210.0, 205.0, 190.0] * 4)
"""Hz: voiced, and below the threshold of 10 Hz."""


@pytest.fixture(scope="module")
def module() -> Any:
    torch.manual_seed(1)
    return SourceModuleHnNSF(24_000, 480, harmonic_num=8, voiced_threshod=10)


def test_it_is_the_package_s_with_the_same_phases_and_noise(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed, weights = 9, module.l_linear.weight[0].detach()
    phases = torch.tensor(generator(seed, USES["phases"]).uniform(-torch.pi, torch.pi, 9)).float()
    noise = torch.from_numpy(Noise(seed, USES["noise"], 480).rows(0, len(PITCH))).flatten()
    # Nine noises that add up, by the weights of the harmonics, to the one that is drawn here.
    nine = weights[:, None] / weights.norm() * noise
    monkeypatch.setattr(
        torch, "randn_like", lambda like: nine[None] if like.shape[1] == 9 else like
    )
    monkeypatch.setattr(
        torch.distributions.uniform.Uniform, "sample", lambda self, **how: phases[None, :, None]
    )
    expected, _, _ = module(PITCH.repeat_interleave(480)[None, :, None])
    made = Source(module, seed).frames(PITCH, 0)
    # The package adds phases up in single precision.
    torch.testing.assert_close(made, expected[0, :, 0].detach(), atol=2e-4, rtol=0)


def test_in_pieces_it_is_the_same(module: Any) -> None:
    whole = Source(module, 9).frames(PITCH, len(PITCH))
    source, at, pieces = Source(module, 9), 0, []
    for keep, ahead in [(1, 3), (10, 0), (4, 6), (17, 0)]:
        pieces.append(source.frames(PITCH[at : at + keep + ahead], keep)[: keep * 480])
        at += keep
    torch.testing.assert_close(torch.cat(pieces), whole, atol=1e-6, rtol=0)


def test_what_was_only_looked_at_changes_nothing(module: Any) -> None:
    source = Source(module, 9)
    source.frames(PITCH[:5] * 3, 0)
    torch.testing.assert_close(source.frames(PITCH, 32), Source(module, 9).frames(PITCH, 32))


def test_phases_stay_exact_for_minutes(module: Any) -> None:
    """Four minutes of one pitch: the same samples at the end as at the beginning, but for the noise."""
    source = Source(module, 9)
    source._noise_weight = torch.zeros(())
    steady = torch.full((500,), 100.0)  # a whole number of cycles in every five frames
    pieces = [source.frames(steady, 500) for _ in range(24)]
    torch.testing.assert_close(pieces[-1], pieces[0], atol=1e-5, rtol=0)
