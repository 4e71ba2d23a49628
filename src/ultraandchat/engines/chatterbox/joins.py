"""Fades, and what lies between two computations of the same stretch. Worker's side."""

from typing import Any

import torch


def rising(count: int, device: Any) -> torch.Tensor:
    """(count,) from just above 0 to just below 1, along half a cosine."""
    steps = torch.arange(1, count + 1, device=device, dtype=torch.float32)
    return (1 - torch.cos(torch.pi * steps / (count + 1))) / 2


def blend(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """`after`, its beginning faded over from `before` along the last axis; at most all of it.

    The weights add up to 1 and not their squares: both are computations of the same frames, from the same noise
    and phases, so that they are alike. With equal power the middle would be up to 3 dB too loud.
    """
    count = min(before.shape[-1], after.shape[-1])
    weights = rising(count, after.device)
    faded = torch.lerp(before[..., :count], after[..., :count], weights)
    return torch.cat([faded, after[..., count:]], dim=-1)


def fade_out(sound: torch.Tensor, count: int) -> torch.Tensor:
    """`sound` (n,), its last `count` samples fading to nothing."""
    count = min(count, len(sound))
    weights = 1 - rising(count, sound.device)
    return torch.cat([sound[: len(sound) - count], sound[len(sound) - count :] * weights])
