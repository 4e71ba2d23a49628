"""Where in the text the voice is, as the attention of T3 shows it. numpy only.

Some heads of a text-to-speech transformer look, while a speech token is written, at the text token that it
speaks. For the original and multilingual releases the package names three (`LLAMA_ALIGNED_HEADS`); for Turbo
nobody has. `aligned_heads` looks for them in the attention of a sentence that was spoken, and finds none where
none is: a position is told only where it is demonstrably there.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Weights: TypeAlias = NDArray[np.floating]

LEAST_MASS = 0.2
"""Of a head's attention, on the text: the rest goes to the voice and to what was said. Judgement."""
LEAST_SHARP = 0.3
"""Of that, on the one token that it looks at most, at the median speech token. Judgement."""
LEAST_ORDER = 0.95
"""Rank correlation of time and place. Of ten thousand heads that looked anywhere, over 80 speech tokens, none had
more than 0.75."""
LEAST_ONWARD = 0.9
"""Steps that stay, or go on by few tokens. One that looks at the end whenever there is silence has them too,
but not the order."""
LEAST_COVERED = 0.8
"""Of the text, between the first place and the last."""
FEWEST_SPEECH, FEWEST_TEXT = 80, 8
"""Tokens: of less nothing can be said."""
MOST_HEADS = 4
"""More would not be better, and each costs."""
LONGEST_STRIDE = 7
"""Text tokens in a step: the package's own limit."""


def aligned_heads(attention: Weights) -> tuple[tuple[int, int], ...]:
    """(layer, head) of those that align, the best first, `MOST_HEADS` at most; empty where none does.

    `attention`: (layers, heads, speech tokens, text tokens), one sentence from its first speech token to its
    last; each row what is left on the text of weights whose sum over all positions is 1.
    """
    layers, heads, speech, text = attention.shape
    if speech < FEWEST_SPEECH or text < FEWEST_TEXT or not np.isfinite(attention).all():
        return ()
    found: list[tuple[float, tuple[int, int]]] = []
    for layer in range(layers):
        for head in range(heads):
            order = _order(attention[layer, head])
            if order is not None:
                found.append((order, (layer, head)))
    found.sort(reverse=True)
    return tuple(which for _, which in found[:MOST_HEADS])


def position(rows: Weights) -> float | None:
    """Where heads look that align: `rows` (heads, text tokens) of one speech token, to its middle among them.
    None: they look elsewhere than at the text."""
    if not rows.size or float(rows.sum(axis=-1).max()) < LEAST_MASS / 2:
        return None
    return float(np.median(rows.argmax(axis=-1)))


def _order(rows: Weights) -> float | None:
    """The rank correlation of one head that aligns; none where it does not. `rows`: (speech, text)."""
    mass = rows.sum(axis=-1)
    if float(mass.mean()) < LEAST_MASS:
        return None
    if float(np.median(rows.max(axis=-1) / np.maximum(mass, 1e-9))) < LEAST_SHARP:
        return None
    there = _without_errors(rows.argmax(axis=-1))
    strides = np.diff(there)
    if float(np.mean((strides >= -1) & (strides <= LONGEST_STRIDE))) < LEAST_ONWARD:
        return None
    # The ends without the silence around the words, where attention rests anywhere.
    few = max(1, len(there) // 10)
    first, last = np.median(there[:few]), np.median(there[-few:])
    if last - first < LEAST_COVERED * (rows.shape[1] - 1):
        return None
    order = _rank_correlation(there)
    return order if order >= LEAST_ORDER else None


def _without_errors(there: NDArray[np.intp]) -> NDArray[np.intp]:
    """The middle of each five: a head that aligns looks elsewhere now and then."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(there, 2, mode="edge"), 5)
    middle: NDArray[np.intp] = np.median(around, axis=-1).astype(np.intp)
    return middle


def _rank_correlation(there: NDArray[np.intp]) -> float:
    """Spearman's, of places with the order of time; ties have their mean rank."""
    _, which, counts = np.unique(there, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[which]
    if len(counts) < 2:
        return 0.0
    return float(np.corrcoef(ranks, np.arange(len(there)))[0, 1])
