"""What memory.py counts is what the package's modules hold, each of them at its full size."""

from typing import Any

import pytest

from ultraandchat.engines.chatterbox.load import Unfilled, shape_of
from ultraandchat.engines.chatterbox.memory import HEARS, HIDDEN, LAYERS, MARKS, SOUNDS, WRITES
from ultraandchat.engines.chatterbox.package import package
from ultraandchat.engines.chatterbox.variants import VARIANTS, Variant

pytestmark = pytest.mark.timeout(300)
"""Gigabytes of weights, on a machine that may have other things to do."""


def parameters(*modules: Any) -> int:
    return sum(each.numel() for module in modules for each in module.parameters())


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=lambda variant: variant.name)
def test_weights_are_counted_as_they_are(variant: Variant) -> None:
    found = package()
    with Unfilled():  # so its gigabytes are never touched
        t3 = found.T3(shape_of(variant, found))
        s3gen = found.S3Gen(meanflow=variant.name == "turbo")
    if t3.is_gpt:
        del t3.tfmr.wte
    assert parameters(t3) == WRITES[variant.name]
    assert (t3.cfg.num_hidden_layers, t3.cfg.hidden_size) == (LAYERS[variant.name], HIDDEN)
    assert parameters(s3gen.flow, s3gen.mel2wav) == SOUNDS[variant.name]
    hears = parameters(s3gen.tokenizer, s3gen.speaker_encoder, found.VoiceEncoder())
    assert hears == HEARS
    assert parameters(found.Watermarker().perth_net) == MARKS
