"""T3's own loop writes what the package's writes, however its passes run."""

import math

import pytest
import torch

from tests.models.chatterbox.tiny_t3 import (
    NAMES,
    TEXT,
    WINDOW,
    by_the_package,
    first,
    hyperparameters,
    ready,
    taste,
    tiny,
    voice,
    writer_of,
)
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.prefix import MOST, Prefixes
from ultraandchat.engines.chatterbox.roles import Taste
from ultraandchat.engines.chatterbox.variants import (
    MULTILINGUAL,
    ORIGINAL,
    SPEECH_TOKENS,
    STOP_TOKEN,
    TURBO,
    VARIANTS,
    VariantName,
)

LONG = [(number * 37) % 250 for number in range(90)]
LONGEST = [(number * 41) % 250 for number in range(170)]

TASTES = {
    "turbo": [
        taste(TURBO),
        taste(TURBO, temperature=1.0, top_k=12, top_p=0.7, repetition_penalty=2.5),
    ],
    "original": [
        taste(ORIGINAL),
        taste(ORIGINAL, temperature=1.3, top_p=0.8, min_p=0.02, guidance=1.5, exaggeration=0.9),
    ],
    "multilingual": [taste(MULTILINGUAL)],
}


def numbers(name: VariantName, text: list[int], wish: Taste, count: int, **how: bool) -> list[int]:
    written = first(ready(name, **how).write(voice(name), text, wish, 5), count)
    return [token.number for token in written]


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "static"])
@pytest.mark.parametrize(
    ("name", "wish"), [(name, wish) for name in NAMES for wish in TASTES[name]]
)
def test_our_tokens_are_the_packages(name: VariantName, wish: Taste, graph: bool) -> None:
    expected = by_the_package(name, voice(name), TEXT, wish, 5, 30)
    assert numbers(name, TEXT, wish, len(expected), graph=graph) == expected
    assert len(set(expected)) > 5, "a model that likes one token only shows nothing"


@pytest.mark.parametrize("text", [[1], LONG, LONGEST], ids=["one token", "long", "longest"])
@pytest.mark.parametrize("name", ["turbo", "original"])
def test_a_text_of_any_length_is_read_as_by_the_package(name: VariantName, text: list[int]) -> None:
    wish = taste(VARIANTS[name])
    expected = by_the_package(name, voice(name), text, wish, 5, 12)
    for graph in (False, True):
        assert numbers(name, text, wish, len(expected), graph=graph) == expected


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "static"])
def test_without_guidance_it_speaks_with_the_text_alone(graph: bool) -> None:
    """The package crashes there. What hardly any guidance writes, none does too, in half the work."""
    hardly, none = (
        numbers("original", TEXT, taste(ORIGINAL, guidance=guidance), 20, graph=graph)
        for guidance in (1e-6, 0.0)
    )
    assert hardly == none
    assert none != numbers("original", TEXT, taste(ORIGINAL, guidance=1.0), 20, graph=graph)


@pytest.mark.parametrize("name", NAMES)
def test_a_prefix_kept_is_one_computed_anew(name: VariantName) -> None:
    t3, emotional = tiny(name), VARIANTS[name].emotional
    prefixes = Prefixes(t3, emotional=emotional)
    kept = prefixes.of(voice(name), 0.5)
    assert prefixes.of(voice(name), 0.5) is kept
    assert (prefixes.of(voice(name), 0.9) is kept) is not emotional
    assert kept.length == (41 if name == "turbo" else 34)
    again = Prefixes(t3, emotional=emotional).of(voice(name), 0.5)
    for mine, theirs in zip(kept.cache.layers, again.cache.layers, strict=True):
        assert torch.equal(mine.keys, theirs.keys)
        assert torch.equal(mine.values, theirs.values)


def test_a_prefix_used_again_and_one_forgotten_give_the_same_tokens() -> None:
    writer, wish = ready("turbo"), taste(TURBO)
    expected = first(writer.write(voice("turbo", 1), TEXT, wish, 5), 10)
    assert first(writer.write(voice("turbo", 1), TEXT, wish, 5), 10) == expected
    for seed in range(2, 2 + MOST):
        others = first(writer.write(voice("turbo", seed), TEXT, wish, 5), 10)
        assert others != expected
    kept = writer._prefixes._kept
    assert len(kept) == MOST
    assert all(digest != "turbo 1" for digest, _ in kept)
    assert first(writer.write(voice("turbo", 1), TEXT, wish, 5), 10) == expected


@pytest.mark.parametrize("name", ["turbo", "original"])
def test_entropy_is_that_of_what_the_model_thinks(name: VariantName) -> None:
    """Against one pass over everything, without a cache."""
    wish = taste(VARIANTS[name])
    writer, heard = ready(name), voice(name)
    written = first(writer.write(heard, TEXT, wish, 5), 8)
    model = writer._model
    before = writer._prefixes.embedded(heard, wish.exaggeration)
    with torch.inference_mode():
        after = model.embedded(TEXT, model.rows, [token.number for token in written[:-1]])
        embedded = torch.cat([before.expand(model.rows, -1, -1), after], dim=1)
        out = writer._t3.tfmr(inputs_embeds=embedded, use_cache=False).last_hidden_state
        logits = writer._t3.speech_head(out[:, -len(written) :])
    guided = logits[0] if name == "turbo" else logits[0] + wish.guidance * (logits[0] - logits[1])
    expected = torch.distributions.Categorical(logits=guided).entropy()
    found = [token.entropy for token in written]
    assert found == pytest.approx(expected.tolist(), rel=1e-4)
    assert 0 < max(found) <= math.log(hyperparameters(name).speech_tokens_dict_size)


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "static"])
def test_a_full_window_ends_the_clause(graph: bool) -> None:
    text = LONGEST * 2
    first_of_speech = 41 + len(text) + 1
    wish = taste(TURBO, temperature=0.0, repetition_penalty=1.0)
    writer = ready("turbo", graph=graph)
    stuck = next(
        number
        for number in writer._t3.speech_head.bias.argsort().tolist()
        if number < SPEECH_TOKENS
    )
    with torch.no_grad():
        bias = writer._t3.speech_head.bias.clone()
        writer._t3.speech_head.bias[stuck] = 1e4
    written = [token.number for token in writer.write(voice("turbo"), text, wish, 0)]
    with torch.no_grad():
        writer._t3.speech_head.bias.copy_(bias)
    assert written == [stuck] * (WINDOW - first_of_speech + 1)
    with pytest.raises(EngineError, match="a clause of 500 tokens of text is too long"):
        next(writer.write(voice("turbo"), [1] * 500, wish, 0))


def test_the_stop_token_is_the_last_and_what_is_no_sound_is_left_out() -> None:
    writer = ready("original")
    seen = writer._model.prefill, writer._model.step
    script = [17, 7000, SPEECH_TOKENS, 18, STOP_TOKEN]

    def scripted(*rest: object) -> tuple[torch.Tensor, torch.Tensor]:
        logits = torch.zeros(writer._model.vocabulary)
        logits[script.pop(0)] = 100.0
        return logits, torch.tensor(3)

    writer._model.prefill, writer._model.step = scripted, scripted  # type: ignore[method-assign]
    try:
        written = list(writer.write(voice("original"), TEXT, taste(ORIGINAL), 0))
    finally:
        writer._model.prefill, writer._model.step = seen  # type: ignore[method-assign]
    assert [token.number for token in written] == [17, 18, STOP_TOKEN]
    assert not script


@pytest.mark.parametrize("name", NAMES)
def test_it_also_speaks_in_half_the_precision(name: VariantName) -> None:
    writer = writer_of(name, t3=tiny(name).to(torch.bfloat16))
    written = first(writer.write(voice(name), TEXT, taste(VARIANTS[name]), 5), 10)
    assert len(written) == 10
    assert all(token.number < SPEECH_TOKENS and token.entropy > 0 for token in written)


def test_a_window_past_the_models_positions_is_refused() -> None:
    with pytest.raises(ValueError, match="a window of 701 positions, of which T3 knows 700"):
        writer_of("turbo", window=701)
