"""Which token comes next: greedy, by chance, and never one that was ruled out."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ultraandchat.engines.decoding.sampling import Sampler, Taste

CPU = torch.device("cpu")

logits_of = st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=50).map(torch.tensor)


def draws(taste: Taste, logits: torch.Tensor, count: int, seed: int = 0) -> list[int]:
    sampler = Sampler(taste, len(logits), CPU, seed)
    return [int(sampler.choose(logits)) for _ in range(count)]


@given(logits_of)
def test_without_temperature_it_is_the_likeliest(logits: torch.Tensor) -> None:
    assert draws(Taste(), logits, 3) == [int(logits.argmax())] * 3


@settings(max_examples=30)
@given(logits_of, st.floats(0.1, 2), st.floats(0.05, 0.99))
def test_only_the_likeliest_that_make_up_top_p_are_drawn(
    logits: torch.Tensor, temperature: float, top_p: float
) -> None:
    likely = (logits / temperature).softmax(-1)
    order = sorted(range(len(logits)), key=lambda at: -float(likely[at]))
    allowed, together = set(), 0.0
    for at in order:
        if together >= top_p + 1e-4:
            break
        allowed.add(round(float(likely[at]), 5))
        together += float(likely[at])
    for token in draws(Taste(temperature, top_p), logits, 20):
        assert round(float(likely[token]), 5) in allowed


@settings(max_examples=30)
@given(logits_of, st.integers(1, 60), st.floats(0.05, 1))
def test_only_the_top_k_and_what_is_likely_enough_are_drawn(
    logits: torch.Tensor, top_k: int, min_p: float
) -> None:
    least = logits.sort(descending=True).values[:top_k][-1]
    likely = logits.softmax(-1)
    for token in draws(Taste(1.0, top_k=top_k), logits, 20):
        assert logits[token] >= least
    for token in draws(Taste(1.0, min_p=min_p), logits, 20):
        assert likely[token] >= min_p * likely.max() - 1e-6


def test_a_draw_is_that_of_torch_with_the_same_seed() -> None:
    logits = torch.randn(8194, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(5)
    expected = [int(torch.multinomial(logits.softmax(-1), 1)) for _ in range(20)]
    assert draws(Taste(1.0), logits, 20, seed=5) == expected


def test_a_penalty_at_the_end_is_for_what_is_left() -> None:
    logits = torch.tensor([3.0, 1.0, 0.9])
    for last, expected in ((False, [0, 1]), (True, [0, 0])):
        taste = Taste(1.0, top_k=1, repetition_penalty=100.0, penalty_last=last)
        assert draws(taste, logits, 2) == expected


def test_draws_are_in_proportion() -> None:
    logits = torch.tensor([0.5, 0.3, 0.2]).log()
    for taste in (Taste(1.0), Taste(1.0, 0.999999)):
        drawn = draws(taste, logits, 4000)
        shares = [drawn.count(token) / 4000 for token in range(3)]
        assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.03)


def test_the_same_seed_draws_the_same() -> None:
    logits = torch.zeros(100)
    assert draws(Taste(1.0), logits, 20, seed=4) == draws(Taste(1.0), logits, 20, seed=4)
    assert draws(Taste(1.0), logits, 20, seed=4) != draws(Taste(1.0), logits, 20, seed=5)


def test_what_was_said_is_less_likely_and_what_the_prompt_holds_too() -> None:
    sampler = Sampler(Taste(repetition_penalty=2.0), 4, CPU, seed=0)
    sampler.saw([0])
    logits = torch.tensor([1.5, 1.0, 0.9, -1.0])
    assert [int(sampler.choose(logits)) for _ in range(4)] == [1, 2, 0, 0]


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
@pytest.mark.parametrize("taste", [Taste(), Taste(0.7, 0.9, 1.1)])
def test_numbers_that_are_none_are_no_token(wrong: float, taste: Taste) -> None:
    assert draws(taste, torch.tensor([0.0, wrong, 1.0]), 1) == [-1]


def test_a_token_ruled_out_by_the_model_itself_is_no_fault() -> None:
    assert draws(Taste(1.0), torch.tensor([0.0, float("-inf")]), 5) == [0] * 5
    assert draws(Taste(), torch.tensor([float("-inf")] * 3), 1) == [-1]
