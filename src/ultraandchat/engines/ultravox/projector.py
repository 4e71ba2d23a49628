"""From the encoder's steps to the language model's embeddings: eight steps become one token (160 ms).

stack → RMSNorm → linear → SwiGLU → [norm, from v0.5 on] → linear → [norm, up to v0.4.1]. The gate is the
second half: silu(second) × first.
"""

from collections.abc import Mapping
from typing import Any

from torch.nn import functional

EPSILON = 1e-6
"""Of its norms, in every release."""


class Projector:
    """Its four weights, on the device."""

    def __init__(self, weights: Mapping[str, Any], stack: int) -> None:
        self._weights = weights
        self._stack = stack

    def __call__(self, steps: Any) -> Any:
        """(batch, ceil(steps / stack), text width) of (batch, steps, audio width)."""
        batch, count, width = steps.shape
        tokens = -(-count // self._stack)
        steps = functional.pad(steps, (0, 0, 0, tokens * self._stack - count))
        hidden = self._norm("ln_pre", steps.reshape(batch, tokens, self._stack * width))
        hidden = functional.linear(hidden, self._weights["linear_1.weight"])
        values, gate = hidden.chunk(2, dim=-1)
        hidden = self._norm("ln_mid", functional.silu(gate) * values)
        hidden = functional.linear(hidden, self._weights["linear_2.weight"])
        return self._norm("ln_post", hidden)

    def _norm(self, name: str, hidden: Any) -> Any:
        """Nothing is done where the checkpoint has no such norm."""
        weight = self._weights.get(f"{name}.weight")
        if weight is None:
            return hidden
        wide = hidden.float()
        wide = wide * (wide.square().mean(-1, keepdim=True) + EPSILON).rsqrt()
        return weight * wide.to(hidden.dtype)
