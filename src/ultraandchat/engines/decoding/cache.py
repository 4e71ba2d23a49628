"""Keys and values of one conversation's prefix: room for a whole window, made once, cropped by counting.

transformers' own caches do not serve here. `DynamicCache` copies everything it holds for each token.
`StaticCache` keeps a counter in every layer, cannot be cropped, and reads its whole window for each
token, however short the conversation. Here the caller says where the next pass stands, no layer counts
anything, and so a pass that fails leaves what was there as it was. The masks are still transformers'
own, made from what this cache tells of its lengths, so every backbone gets those it needs.
"""

import torch
from transformers.cache_utils import Cache, CacheLayerMixin


class KeyValues(Cache):
    """Where every pass stands: `at` before one of any length, `fix` before one that may be captured."""

    def __init__(self, layers: int, window: int, rows: int = 1) -> None:
        self.window = window
        """Tokens that fit."""
        self.rows = rows
        """Sequences side by side; a pass of fewer uses the first."""
        self.before = 0
        """Tokens that count as there when the next pass begins. Whatever lies behind them is overwritten."""
        self.position: torch.Tensor | None = None
        """The same on the device, shape (), for a pass whose kernels must not depend on the number."""
        self.reach = 0
        """With `position`: how many tokens are read, of which the mask hides those not there."""
        super().__init__(layers=[_Layer(self) for _ in range(layers)])

    def at(self, before: int) -> None:
        """The next pass follows `before` tokens, and reads exactly what is there."""
        self.before, self.position = before, None

    def fix(self, position: torch.Tensor, reach: int) -> None:
        """The next pass begins at `position` and reads the first `reach`: the same kernels, wherever it is."""
        self.position, self.reach = position, reach

    @torch.inference_mode()
    def copy_prefix(self, other: "KeyValues", count: int) -> None:
        """Take the first `count` tokens from `other`, which must have had a pass, as must this one. What it
        has in one row is taken into all."""
        for mine, theirs in zip(self.layers, other.layers, strict=True):
            mine.keys[:, :, :count] = theirs.keys[:, :, :count]
            mine.values[:, :, :count] = theirs.values[:, :, :count]

    @torch.inference_mode()
    def clear(self) -> None:
        """Zeros, everywhere."""
        for layer in self.layers:
            layer.keys.zero_()
            layer.values.zero_()

    @property
    def is_compileable(self) -> bool:
        # What transformers asks to learn whether a mask is needed even for one token.
        return self.position is not None


class _Layer(CacheLayerMixin):
    """One layer's keys and values, each (rows, heads, window, size of a head)."""

    is_sliding = False  # A sliding layer's mask hides what it must not see; all is kept, so all can be cropped.
    is_croppable = True

    def __init__(self, cache: KeyValues) -> None:
        super().__init__()
        self._cache = cache

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        # Zeros, not empty memory: what a mask hides is still multiplied, and NaN times nothing is NaN.
        self.keys = key_states.new_zeros(self._shape(key_states))
        self.values = value_states.new_zeros(self._shape(value_states))
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        cache = self._cache
        keys, values = self.keys[: len(key_states)], self.values[: len(value_states)]
        if cache.position is not None:
            index = cache.position + torch.arange(key_states.shape[2], device=key_states.device)
            keys.index_copy_(2, index, key_states)
            values.index_copy_(2, index, value_states)
            return keys[:, :, : cache.reach], values[:, :, : cache.reach]
        end = cache.before + key_states.shape[2]
        keys[:, :, cache.before : end] = key_states
        values[:, :, cache.before : end] = value_states
        return keys[:, :, :end], values[:, :, :end]

    def get_seq_length(self) -> int | torch.Tensor:
        position = self._cache.position
        return self._cache.before if position is None else position

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        if self._cache.position is not None:
            return self._cache.reach, 0
        return self._cache.before + query_length, 0

    def get_max_length(self) -> int:
        return self._cache.window

    def _shape(self, states: torch.Tensor) -> tuple[int, int, int, int]:
        _, heads, _, size = states.shape
        return self._cache.rows, heads, self._cache.window, size
