"""Laws of the keys and values: whatever was computed, cropped or copied, the next pass is as a fresh one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.backbones import CONFIGS, WINDOW, backbone, fresh_logits
from ultraandchat.engines.decoding.cache import KeyValues
from ultraandchat.engines.ultravox.decode import Decoder

NEAR = 1e-4

tokens = st.integers(0, 299)
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("prefill"), st.lists(tokens, min_size=1, max_size=40)),
        st.tuples(st.just("step"), st.lists(tokens, min_size=1, max_size=1)),
        st.tuples(st.just("crop"), st.integers(0, WINDOW)),
        st.tuples(st.just("fail"), st.lists(tokens, min_size=1, max_size=10)),
    ),
    min_size=1,
    max_size=12,
)


def decoder_of(kind: str, *, fixed: bool) -> Decoder:
    return Decoder(backbone(kind), WINDOW, fixed=fixed)


@pytest.mark.parametrize("fixed", [False, True], ids=["eager", "static"])
@pytest.mark.parametrize("kind", CONFIGS)
@settings(deadline=None, max_examples=25)
@given(story=deeds)
def test_whatever_happened_before_the_next_token_is_as_after_a_full_pass(
    kind: str, fixed: bool, story: list[tuple[str, object]]
) -> None:
    decoder = decoder_of(kind, fixed=fixed)
    cache, there = decoder.new_cache(), []
    for deed, what in story:
        if deed == "crop":
            there = there[: int(str(what))]
            continue
        assert isinstance(what, list)
        if len(there) + len(what) > WINDOW:
            continue
        if deed == "step":
            logits = decoder.step(cache, len(there), torch.tensor([what]))
        else:
            logits = decoder.prefill(cache, len(there), decoder.embed(what))
        if deed != "fail":  # else it was computed, and is not kept: as a guess that is dropped
            there = there + what
            torch.testing.assert_close(logits, fresh_logits(kind, there), atol=NEAR, rtol=0)


@pytest.mark.parametrize("kind", CONFIGS)
def test_the_very_last_place_of_the_window_is_as_good_as_any(kind: str) -> None:
    decoder = decoder_of(kind, fixed=True)
    cache, there = decoder.new_cache(), list(range(100, 100 + WINDOW - 1))
    decoder.prefill(cache, 0, decoder.embed(there))
    logits = decoder.step(cache, len(there), torch.tensor([[5]]))
    torch.testing.assert_close(logits, fresh_logits(kind, [*there, 5]), atol=NEAR, rtol=0)


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_prefix_copied_from_another_conversation_is_as_good_as_computed(kind: str) -> None:
    decoder = decoder_of(kind, fixed=False)
    one, other = decoder.new_cache(), decoder.new_cache()
    decoder.warm([one, other], lambda *told: None)
    shared, mine = [9, 8, 7, 6, 5] * 4, [1, 2, 3]
    decoder.prefill(one, 0, decoder.embed([*shared, 100, 101]))
    other.copy_prefix(one, len(shared))
    decoder.prefill(one, len(shared), decoder.embed([55, 56, 57]))
    logits = decoder.prefill(other, len(shared), decoder.embed(mine))
    torch.testing.assert_close(logits, fresh_logits(kind, shared + mine), atol=NEAR, rtol=0)


def test_what_is_behind_the_prefix_may_be_anything_but_nan() -> None:
    decoder = decoder_of("llama", fixed=True)
    cache = decoder.new_cache()
    decoder.warm([cache], lambda *told: None)
    with torch.inference_mode():
        for layer in cache.layers:
            layer.keys.fill_(float("nan"))
    cache.clear()
    logits = decoder.prefill(cache, 0, decoder.embed([4, 5]))
    logits = decoder.step(cache, 2, torch.tensor([[6]]))
    torch.testing.assert_close(logits, fresh_logits("llama", [4, 5, 6]), atol=NEAR, rtol=0)


def test_no_memory_is_taken_twice() -> None:
    decoder = decoder_of("llama", fixed=True)
    cache = decoder.new_cache()
    decoder.warm([cache], lambda *told: None)
    places = [layer.keys.data_ptr() for layer in cache.layers]
    decoder.prefill(cache, 0, decoder.embed([1] * 90))
    decoder.step(cache, 90, torch.tensor([[1]]))
    assert places == [layer.keys.data_ptr() for layer in cache.layers]
    assert isinstance(cache, KeyValues)
