"""Linear layers with weights in 8 bits, for a language model that does not fit in 16 (decision 23).

One scale for each output row; activations stay bf16, and so does the output layer, whose unpacked copy
would be larger than what it saves. Each tensor is made small as it arrives, so the whole model is never
there in 16 bits. No step waits for the device, so a CUDA graph can hold it.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

ROWS_AT_ONCE = 4096
"""Made small together: the copies in float32 stay below 250 MB for an 8B model."""


class Int8Linear(nn.Module):
    """x @ weight.T, the weight int8 with a scale for each row."""

    def __init__(self, linear: Any) -> None:
        """In the place of an `nn.Linear` whose weight may still be without storage."""
        super().__init__()
        self.bias = linear.bias
        self.weight: Any
        self.scale: Any
        self.register_buffer("weight", torch.empty_like(linear.weight, dtype=torch.int8))
        self.register_buffer("scale", torch.empty_like(linear.weight[:, 0]))

    def take(self, weight: Any) -> None:
        """The weight of a checkpoint, (out, in), in any floating type; rounded to the nearest."""
        self.weight = torch.empty_like(weight, dtype=torch.int8)
        scales = []
        for begin in range(0, weight.shape[0], ROWS_AT_ONCE):
            rows = weight[begin : begin + ROWS_AT_ONCE].float()
            # A row of zeros would have no scale.
            scale = rows.abs().amax(dim=1).clamp(min=1e-12) / 127
            self.weight[begin : begin + ROWS_AT_ONCE] = (
                (rows / scale[:, None]).round().to(torch.int8)
            )
            scales.append(scale)
        self.scale = torch.cat(scales).to(weight.dtype)

    def forward(self, hidden: Any) -> Any:
        found = functional.linear(hidden, self.weight.to(hidden.dtype)) * self.scale
        return found if self.bias is None else found + self.bias


def with_int8(model: Any) -> None:
    """Every linear layer becomes an `Int8Linear`, but the output layer."""
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and name != "lm_head":
            path, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(path), leaf, Int8Linear(module))
