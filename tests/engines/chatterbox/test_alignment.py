"""Heads that align are found in attention that was made: nobody here has the real one."""

import numpy as np
import pytest

from ultraandchat.engines.chatterbox.alignment import MOST_HEADS, aligned_heads, position

LAYERS, HEADS, SPEECH, TEXT = 6, 4, 150, 30
AT = (3, 2)


def noise(seed: int = 0, speech: int = SPEECH, text: int = TEXT, mass: float = 0.4) -> np.ndarray:
    """What heads have that look anywhere."""
    rng = np.random.default_rng(seed)
    weights = rng.gamma(0.3, size=(LAYERS, HEADS, speech, text))
    return mass * weights / weights.sum(axis=-1, keepdims=True)


def diagonal(
    speech: int = SPEECH, text: int = TEXT, late: float = 0.0, seed: int = 0
) -> np.ndarray:
    """(speech, text): looks where the voice is, some tokens late, a little blurred and sometimes astray."""
    rng = np.random.default_rng(seed)
    at = np.clip(np.linspace(-2, text + 1, speech) - late, 0, text - 1)
    rows = np.exp(-0.5 * ((np.arange(text) - at[:, None]) / 0.6) ** 2)
    astray = rng.random(speech) < 0.05
    rows[astray] = rng.random((int(astray.sum()), text))
    return 0.6 * rows / rows.sum(axis=-1, keepdims=True)


def test_the_one_head_that_aligns_is_found_among_noise() -> None:
    attention = noise()
    attention[AT] = diagonal()
    assert aligned_heads(attention) == (AT,)


@pytest.mark.parametrize("seed", range(20))
def test_in_nothing_but_noise_none_is_found(seed: int) -> None:
    assert aligned_heads(noise(seed, mass=0.9)) == ()


@pytest.mark.parametrize("late", [-2.0, 2.0])
def test_a_head_that_is_late_or_early_by_a_little_is_found(late: float) -> None:
    attention = noise()
    attention[AT] = diagonal(late=late)
    assert aligned_heads(attention) == (AT,)


def test_a_head_that_starts_to_align_in_the_midst_is_not() -> None:
    attention = noise()
    attention[AT] = diagonal()
    attention[AT][: SPEECH // 2] = attention[0, 0][: SPEECH // 2]
    assert aligned_heads(attention) == ()


def test_one_that_looks_at_the_end_all_the_time_is_not() -> None:
    attention = noise()
    attention[AT] = 0
    attention[AT][:, -1] = 0.9
    assert aligned_heads(attention) == ()


def test_one_that_steps_through_half_of_the_text_is_not() -> None:
    attention = noise()
    attention[AT] = 0
    attention[AT][:, : TEXT // 2] = diagonal(text=TEXT // 2)
    assert aligned_heads(attention) == ()


def test_one_that_hardly_looks_at_the_text_is_not() -> None:
    attention = noise()
    attention[AT] = diagonal() * 0.1
    assert aligned_heads(attention) == ()


def test_one_that_blurs_everything_is_not() -> None:
    attention = noise()
    at = np.linspace(0, TEXT - 1, SPEECH)
    rows = np.exp(-0.5 * ((np.arange(TEXT) - at[:, None]) / 8) ** 2)
    attention[AT] = 0.6 * rows / rows.sum(axis=-1, keepdims=True)
    assert aligned_heads(attention) == ()


def test_the_best_of_many_are_taken() -> None:
    attention = noise()
    for layer in range(LAYERS):
        attention[layer, 1] = diagonal(seed=layer)
    found = aligned_heads(attention)
    assert len(found) == MOST_HEADS
    assert all(head == 1 for _, head in found)


@pytest.mark.parametrize(("speech", "text"), [(10, 30), (150, 3), (0, 0)])
def test_of_too_little_nothing_is_said(speech: int, text: int) -> None:
    assert aligned_heads(np.zeros((LAYERS, HEADS, speech, text))) == ()


def test_attention_that_is_no_number_shows_nothing() -> None:
    attention = noise()
    attention[AT] = diagonal()
    attention[0, 0, 0, 0] = np.nan
    assert aligned_heads(attention) == ()


def test_the_position_is_the_middle_of_what_the_heads_look_at() -> None:
    rows = np.zeros((3, 10))
    rows[0, 4] = rows[1, 5] = rows[2, 9] = 0.7
    assert position(rows) == 5.0


def test_heads_that_look_elsewhere_have_no_position() -> None:
    assert position(np.full((3, 10), 0.001)) is None
    assert position(np.zeros((0, 10))) is None
