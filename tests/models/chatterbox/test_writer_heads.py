"""Where T3 looks: the watched heads see what the slow way sees."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.models.chatterbox.tiny_t3 import NAMES, TEXT, first, ready, taste, tiny, voice, writer_of
from ultraandchat.engines.base import EngineError, EngineOverloaded
from ultraandchat.engines.chatterbox.heads import LLAMA_HEADS, Head
from ultraandchat.engines.chatterbox.t3 import T3
from ultraandchat.engines.chatterbox.variants import TURBO, VARIANTS, VariantName

HEADS: tuple[Head, ...] = ((1, 3), (0, 2), (1, 0))


def by_the_slow_way(
    name: VariantName, writer: Any, tokens: list[int], heads: tuple[Head, ...]
) -> list[int]:
    attention = writer.attention(voice(name), TEXT, tokens)
    mean = np.mean([attention[layer, head] for layer, head in heads], axis=0)
    return [int(at) for at in mean.argmax(axis=1)]


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "static"])
@pytest.mark.parametrize("name", NAMES)
def test_positions_are_those_of_the_slow_way(name: VariantName, graph: bool) -> None:
    writer = writer_of(name, graph=graph, heads=HEADS)
    written = first(writer.write(voice(name), TEXT, taste(VARIANTS[name]), 5), 12)
    found = [token.position for token in written]
    assert found == by_the_slow_way(name, writer, [token.number for token in written], HEADS)
    assert len(set(found)) > 1, "heads that look at one place only show nothing"


@pytest.mark.parametrize("name", ["turbo", "original"])
def test_all_attention_is_what_the_package_would_see(name: VariantName) -> None:
    tokens = [100, 200, 300, 400, 500]
    found = ready(name).attention(voice(name), TEXT, tokens)
    t3 = tiny(name)
    layers = t3.cfg.num_hidden_layers
    assert found.shape == (layers, t3.cfg.num_attention_heads, len(tokens), len(TEXT))
    t3.tfmr.config._attn_implementation = "eager"
    prefix = ready(name)._prefixes.embedded(voice(name), VARIANTS[name].exaggeration)
    with torch.inference_mode():
        embedded = torch.cat([prefix, ready(name)._model.embedded(TEXT, 1, tokens[:-1])], dim=1)
        out = t3.tfmr(inputs_embeds=embedded, output_attentions=True)
    text = prefix.shape[1] + (0 if name == "turbo" else 1)
    last = out.attentions[-1][0, :, -1, text : text + len(TEXT)]
    np.testing.assert_allclose(found[-1, :, -1], last.numpy(), atol=1e-5)


def test_looking_at_all_attention_changes_nothing_for_the_next_clause() -> None:
    writer, wish = ready("turbo"), taste(TURBO)
    expected = first(writer.write(voice("turbo"), TEXT, wish, 5), 5)
    writer.attention(voice("turbo"), TEXT, [1, 2, 3])
    assert first(writer.write(voice("turbo"), TEXT, wish, 5), 5) == expected
    for wrong in ([], [6561], [-1]):
        with pytest.raises(EngineError, match="these are no speech tokens"):
            writer.attention(voice("turbo"), TEXT, wrong)


def test_a_voice_is_passed_unwatched_whatever_was_passed_before() -> None:
    """Of 34 queries: what was watched last stood further on."""
    writer = writer_of("original", graph=False, heads=HEADS)
    model = writer._model
    model.prefill(model.clause(writer._places[0], 0, TEXT * 9, 0.5), TEXT * 9)
    assert writer._prefixes.of(voice("original"), 0.5).length == 34


@pytest.mark.parametrize("wrong", [(3, 0), (-1, 0), (0, 4), (0, -1)])
def test_heads_that_the_model_lacks_are_refused(wrong: Head) -> None:
    with pytest.raises(ValueError, match="of 3 layers with 4 heads each"):
        writer_of("turbo", heads=[wrong])


def test_heads_may_be_chosen_later() -> None:
    writer, wish = writer_of("turbo"), taste(TURBO)
    without = first(writer.write(voice("turbo"), TEXT, wish, 5), 6)
    assert writer.aligned_heads == ()
    assert all(token.position is None for token in without)
    writer.align(HEADS, lambda *told: None)
    assert writer.aligned_heads == HEADS
    with_them = first(writer.write(voice("turbo"), TEXT, wish, 5), 6)
    assert [token[:2] for token in with_them] == [token[:2] for token in without]
    found = [token.position for token in with_them]
    assert found == by_the_slow_way("turbo", writer, [t.number for t in without], HEADS)
    speaking = writer.write(voice("turbo"), TEXT, wish, 5)
    next(speaking)
    with pytest.raises(EngineOverloaded, match="while it is speaking"):
        writer.align((), lambda *told: None)
    speaking.close()  # type: ignore[attr-defined]
    writer.align((), lambda *told: None)
    assert first(writer.write(voice("turbo"), TEXT, wish, 5), 6) == without


def test_the_published_heads_are_for_the_models_that_have_them() -> None:
    assert ready("original").aligned_heads == ()
    known = tiny("original")
    known.cfg.num_hidden_layers = 30
    known.tfmr.layers = torch.nn.ModuleList([known.tfmr.layers[0]] * 30)
    assert T3(known, 512, guided=True, fixed=False, heads=None).heads.heads == LLAMA_HEADS
