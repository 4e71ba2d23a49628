"""Tokens into mel frames are what the package's `flow.inference` makes of the same noise."""

from typing import Any

import pytest
import torch

from tests.models.chatterbox.random_s3gen import small, tokens, voice
from ultraandchat.engines.chatterbox.flow import Flow
from ultraandchat.engines.chatterbox.variants import ORIGINAL, TURBO, Variant


def of_the_package(s3gen: Any, variant: Variant, spoken: list[int], noise: torch.Tensor) -> Any:
    """(bins, frames), for the clip of `voice()`."""
    given = voice().sounder
    frames, _ = s3gen.flow.inference(
        token=torch.tensor([spoken]),
        token_len=torch.tensor([len(spoken)]),
        finalize=True,
        n_timesteps=variant.steps,
        # As long as all frames, so that it takes the place of all of its own.
        noised_mels=noise[None],
        meanflow=s3gen.meanflow,
        **given,
    )
    return frames[0]


@pytest.mark.parametrize("count", [1, 13, 60])
@pytest.mark.parametrize("variant", [TURBO, ORIGINAL], ids=lambda variant: variant.name)
def test_frames_are_those_of_the_package(variant: Variant, count: int) -> None:
    s3gen = small(variant)
    flow = Flow(s3gen, variant.steps)
    spoken = tokens(count)
    noise = torch.randn(80, 2 * (40 + count), generator=torch.Generator().manual_seed(4))
    made = flow.frames(flow.timbre(voice()), spoken, noise)
    assert made.shape == (80, 2 * count)
    torch.testing.assert_close(
        made, of_the_package(s3gen, variant, spoken, noise), atol=1e-4, rtol=1e-4
    )


def test_a_voice_is_the_same_as_the_package_hands_it_on() -> None:
    """Its `forward` makes floats of a clip's tokens, in the very dictionary that it was given."""
    flow, given = Flow(small(TURBO), 2), voice()
    as_floats = voice()
    as_floats.sounder["prompt_token"] = given.sounder["prompt_token"].float()
    assert torch.equal(flow.timbre(as_floats).tokens, flow.timbre(given).tokens)
