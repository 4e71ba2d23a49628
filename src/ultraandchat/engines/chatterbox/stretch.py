"""Faster and slower speech: mel frames on a finer or coarser grid, which leaves the pitch. Worker's side."""

import math

import numpy as np
import torch


class Stretch:
    """One clause's frames at a speed: frame j of its sound lies at (j + ½)·speed − ½ among those given.

    The grid is one for the whole clause, so that nothing adds up: n frames become n/speed, rounded.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._given = 0
        self._made = 0
        self._before = torch.empty(0)

    def frames(
        self, new: torch.Tensor, ahead: torch.Tensor, *, last: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What becomes of the clause's next frames `new` (bins, n) and of `ahead` (bins, m), which come again.

        `last`: no more come, and none are ahead.
        """
        if self._speed == 1.0:
            return new, ahead
        if not self._given:
            self._before = new[:, :0]
        frames = torch.cat([self._before, new, ahead], dim=1)
        base = self._given - self._before.shape[1]
        self._given += new.shape[1]
        settled = self._reach(self._given, last=last)
        beyond = max(self._reach(self._given + ahead.shape[1], last=last), settled)
        positions = (np.arange(self._made, beyond) + 0.5) * self._speed - 0.5 - base
        positions = positions.clip(0, frames.shape[1] - 1)
        lower = np.floor(positions).astype(np.int64)
        upper = np.minimum(lower + 1, frames.shape[1] - 1)
        device = frames.device
        share = torch.from_numpy((positions - lower).astype(np.float32)).to(device)
        at = torch.from_numpy(lower).to(device), torch.from_numpy(upper).to(device)
        made = torch.lerp(frames[:, at[0]], frames[:, at[1]], share)
        count = settled - self._made
        self._made = settled
        self._before = new[:, -1:]
        return made[:, :count], made[:, count:]

    def _reach(self, given: int, *, last: bool) -> int:
        """How many frames lie within the first `given`; at the end also those half a frame behind them."""
        reach = given / self._speed if last else (given - 0.5) / self._speed
        return max(math.floor(reach + 0.5), self._made)
