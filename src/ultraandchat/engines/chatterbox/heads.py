"""Where T3 looks while it writes: a few heads' attention to the text, out of the pass that is made anyway.

Fused attention does not tell its weights, and the package therefore makes all of it the slow way. Here
every layer goes on as it was; for the heads that are watched, and for the last query only, the weights
are computed once more beside it, from the same queries and keys. Nothing of it asks the device, so it
can be captured with the pass.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

Head: TypeAlias = tuple[int, int]
"""Layer and head, from 0."""

LLAMA_HEADS: tuple[Head, ...] = ((12, 15), (13, 11), (9, 2))
"""Aligned with the text in the releases on Llama: `LLAMA_ALIGNED_HEADS` of chatterbox-tts 0.1.7, which uses
them in the multilingual one. For Turbo nobody published any."""

LLAMA_LAYERS = 30
"""Of those releases. A smaller model, as in tests, has other heads."""

WATCHED = "watched_sdpa"


class Heads:
    """Watches `heads` of one T3. Their weights of one pass are averaged."""

    def __init__(self, t3: Any, heads: Sequence[Head]) -> None:
        self._t3 = t3
        self._device: torch.device = t3.device
        self.begin = torch.zeros((), dtype=torch.long, device=self._device)
        self.end = torch.zeros((), dtype=torch.long, device=self._device)
        """The text is at the positions from `begin` to before `end`; on the device, as a captured pass reads
        them."""
        self._query: torch.Tensor | None = None
        self._where: torch.Tensor | None = None
        self._weights: list[torch.Tensor] = []
        self.heads: tuple[Head, ...] = ()
        self.choose(heads)
        t3.tfmr.config._attn_implementation = WATCHED

    def choose(self, heads: Sequence[Head]) -> None:
        """Watch these from now on. What was captured before does not know of it."""
        layers, most = len(_attentions(self._t3)), self._t3.cfg.num_attention_heads
        if not all(0 <= layer < layers and 0 <= head < most for layer, head in heads):
            raise ValueError(f"of {layers} layers with {most} heads each these are not: {heads}")
        self.heads = tuple(heads)
        for layer, attention in enumerate(_attentions(self._t3)):
            mine = [head for at, head in self.heads if at == layer]
            attention.watching = self if mine else None
            attention.watched = torch.tensor(mine, dtype=torch.long, device=self._device)

    @contextmanager
    def watching(self, query: torch.Tensor, where: torch.Tensor) -> Iterator[None]:
        """The pass made in it is watched, at its query of that index (1,), which stands at the position `where`
        (1,). No other pass is: this index might be none of its queries."""
        self._query, self._where, self._weights = query, where, []
        try:
            yield
        finally:
            self._query = None

    def saw(self, module: Any, query: torch.Tensor, key: torch.Tensor, scaling: float) -> None:
        """One layer's queries (rows, heads, tokens, size) and keys (rows, heads, reach, size)."""
        if self._query is None:
            return
        asks = query[0].index_select(0, module.watched).index_select(1, self._query)
        keys = key[0].index_select(0, module.watched)
        scores = (asks @ keys.transpose(1, 2)).float() * scaling
        unseen = torch.arange(key.shape[2], device=key.device) > self._where
        self._weights.append(scores.masked_fill(unseen, float("-inf")).softmax(-1).sum((0, 1)))

    def position(self) -> torch.Tensor:
        """After a pass that was watched: which of the text's tokens has most of the attention, shape (); −1 where no head
        is watched."""
        if not self._weights:
            return self.begin.new_full((), -1)
        weights = torch.stack(self._weights).sum(0)
        at = torch.arange(len(weights), device=self._device)
        text = (at >= self.begin) & (at < self.end)
        return weights.masked_fill(~text, -1.0).argmax() - self.begin


@contextmanager
def all_attention(t3: Any) -> Iterator[None]:
    """In it `t3.tfmr` computes its attention the slow way, and tells all of it where that is asked for."""
    config = t3.tfmr.config
    before, config._attn_implementation = config._attn_implementation, "eager"
    try:
        yield
    finally:
        config._attn_implementation = before


def _attentions(t3: Any) -> list[Any]:
    """Each layer's module of self-attention."""
    tfmr = t3.tfmr
    return [layer.attn for layer in tfmr.h] if t3.is_gpt else [one.self_attn for one in tfmr.layers]


def _watched_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    **more: Any,
) -> Any:
    if module.watching is not None:
        module.watching.saw(module, query, key, scaling)
    return sdpa_attention_forward(
        module, query, key, value, attention_mask, scaling=scaling, **more
    )


AttentionInterface.register(WATCHED, _watched_attention)
AttentionMaskInterface.register(WATCHED, sdpa_mask)
