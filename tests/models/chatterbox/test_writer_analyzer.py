"""The published heads, on as many layers as the releases on Llama have: what we are told of them is what the
package's own analyzer reads, which makes all attention the slow way for it."""

import copy
from typing import Any, ClassVar

import pytest
import torch
from chatterbox.models.t3 import T3
from chatterbox.models.t3.inference.alignment_stream_analyzer import (
    LLAMA_ALIGNED_HEADS,
    AlignmentStreamAnalyzer,
)

from tests.models.chatterbox.tiny_t3 import (
    SMALL,
    TEXT,
    by_the_package,
    first,
    hyperparameters,
    small,
    taste,
    voice,
    writer_of,
)
from ultraandchat.engines.chatterbox.heads import LLAMA_HEADS, LLAMA_LAYERS
from ultraandchat.engines.chatterbox.variants import MULTILINGUAL

COUNT = 10


class Reading(AlignmentStreamAnalyzer):
    """It notes where the heads look, start and stop of the text left out, and forces nothing."""

    read: ClassVar[list[int]] = []

    def step(self, logits: Any, **more: Any) -> Any:
        begin, end = self.text_tokens_slice
        looks = torch.stack(self.last_aligned_attns).mean(dim=0)[-1, begin + 1 : end - 1]
        self.read.append(int(looks.argmax()))
        return logits


@pytest.fixture(scope="module")
def deep() -> Any:
    """All layers, thin ones."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(SMALL["Llama_520M"], "num_hidden_layers", LLAMA_LAYERS)
        with small():
            torch.manual_seed(4)
            t3 = T3(hyperparameters("multilingual")).eval()
    with torch.no_grad():
        t3.speech_head.weight *= 8.0
        t3.speech_head.weight[6563:] = 0
        for layer in t3.tfmr.layers:
            layer.self_attn.q_proj.weight *= 6.0
    return t3


def test_positions_are_what_the_packages_analyzer_reads(
    deep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tuple(LLAMA_ALIGNED_HEADS) == LLAMA_HEADS
    writer = writer_of("multilingual", t3=copy.deepcopy(deep), slots=1)
    assert writer.aligned_heads == LLAMA_HEADS
    asked = voice("multilingual"), TEXT, taste(MULTILINGUAL), 5
    written = first(writer.write(*asked), COUNT)
    monkeypatch.setattr(Reading, "read", [])
    expected = by_the_package("multilingual", *asked, COUNT, t3=deep, analyzer=Reading)
    assert [token.number for token in written] == expected
    assert [token.position for token in written] == Reading.read
    assert len(set(Reading.read)) > 1
