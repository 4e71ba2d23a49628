"""Passes of the language model, against the golden outputs of the tiny checkpoints."""

import pytest
import torch

from tests.engines.ultravox.support import clip_samples
from tests.models.backbones import WINDOW, backbone
from tests.models.conftest import Golden
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.decoding.sampling import Sampler, Taste
from ultraandchat.engines.ultravox.decode import Decoder


@pytest.mark.parametrize("fixed", [False, True], ids=["eager", "static"])
@pytest.mark.parametrize("stretch", [1, 5, 100])
def test_the_greedy_words_are_the_golden_ones(
    golden: Golden, clip: str, fixed: bool, stretch: int
) -> None:
    decoder = Decoder(golden.loaded.language, 128, fixed=fixed)
    cache = decoder.new_cache()
    ids = golden.arrays[f"{clip}/input_ids"][0].tolist()
    embedded = decoder.embed(ids)
    (heard,) = golden.loaded.embed_audio([clip_samples(clip)])
    embedded = torch.cat([embedded[:4], heard, embedded[4 + len(heard) :]])
    for begin in range(0, len(ids), stretch):
        logits = decoder.prefill(cache, begin, embedded[begin : begin + stretch])
    expected = golden.arrays[f"{clip}/logits"][0, -1]
    torch.testing.assert_close(logits, torch.from_numpy(expected), atol=1e-4, rtol=0)
    sampler = Sampler(Taste(), decoder.vocabulary, decoder.device, seed=0)
    found: list[int] = []
    for at in range(16):
        token = sampler.choose(logits)
        found.append(int(token))
        logits = decoder.step(cache, len(ids) + at, token)
    assert found == golden.arrays[f"{clip}/greedy"].tolist()


def test_warming_up_says_how_far_it_is_and_what_was_done() -> None:
    told: list[tuple[str, int, int]] = []
    decoder = Decoder(backbone("llama"), WINDOW, fixed=True)
    decoder.warm(
        [decoder.new_cache(), decoder.new_cache()], lambda *progress: told.append(progress)
    )
    assert told == [("warm-up (static cache)", done, 2) for done in (0, 1)]
    assert (decoder.how, decoder.why_not) == ("static cache", "")


def test_a_full_window_is_an_error_of_that_reply() -> None:
    decoder = Decoder(backbone("llama"), WINDOW, fixed=True)
    with pytest.raises(EngineError, match="the window of 96 tokens is full"):
        decoder.step(decoder.new_cache(), WINDOW, torch.tensor([[1]]))


def test_a_captured_pass_reads_the_next_power_of_two() -> None:
    decoder = Decoder(backbone("llama"), 3000, fixed=True)
    reaches = [decoder.passes.reach(count) for count in (1, 512, 513, 1025, 2049, 3000)]
    assert reaches == [512, 512, 1024, 2048, 3000, 3000]
