"""Normal noise that belongs to a position: the same whatever stretches it is asked for in. No torch.

numpy draws one number after the other, so a stream cut anywhere is the same stream; torch's generators draw
sixteen at a time, and differ between devices.
"""

import numpy as np
from numpy.typing import NDArray


class Noise:
    """Rows of normal noise, numbered from 0; those before the last one asked for are let go."""

    def __init__(self, seed: int, use: int, width: int) -> None:
        """`use` tells apart what one seed is drawn for."""
        self._generator = generator(seed, use)
        self._first = 0
        self._rows: NDArray[np.float32] = np.empty((0, width), np.float32)

    def rows(self, first: int, count: int) -> NDArray[np.float32]:
        """(count, width) from row `first` on, which is never before that of the call before."""
        if first < self._first:
            raise ValueError("noise that was let go is asked for")
        missing = first + count - self._first - len(self._rows)
        if missing > 0:
            more = self._generator.standard_normal((missing, self._rows.shape[1]), np.float32)
            self._rows = np.concatenate([self._rows, more])
        self._rows = self._rows[first - self._first :]
        self._first = first
        return self._rows[:count]


def generator(seed: int, use: int) -> np.random.Generator:
    """What is drawn for one use of a seed; any whole number is one."""
    return np.random.default_rng([seed % 2**64, use])
