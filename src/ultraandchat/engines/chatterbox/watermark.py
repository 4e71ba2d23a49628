"""Perth's watermark on every block: what says of sound that a machine made it, and is not heard.

The package marks a whole reply at once. Here each block is marked as it comes, alone, and what that changes is
faded in and out at the block's edges, so that two blocks join as they would have without. The detector is as
sure of such a reply as of one that was marked whole (tests/models/chatterbox/test_watermark.py).
"""

import logging
import time
from statistics import median
from typing import Any

import numpy as np
import torch

from ultraandchat.audio.frame import Samples
from ultraandchat.engines.chatterbox.package import Package, package
from ultraandchat.engines.chatterbox.variants import RATE

log = logging.getLogger("ultraandchat.model")

FADE = RATE // 100
"""Samples: 10 ms at either edge."""

HOP = RATE // 100
"""Samples: Perth gives back whole steps of 10 ms, and leaves out what is over."""

SHORTEST = 2400
"""Samples: 0.1 s. A shorter block is left as it is: Perth looks at 64 ms at a time, and the fades take 20 more."""

MOST_MS = 20.0
"""What marking may add to the time until somebody is heard."""

WARM_S = (2.0, 1.0, 0.4, 0.4, 0.4)
"""Seconds of the blocks that it is warmed with; the last three are as short as a first block, and measured."""


class PerthWatermark:
    """The role `Watermark`."""

    def __init__(self, device: str, found: Package | None = None) -> None:
        """`device`: "cpu" or one GPU. 9.3 million parameters in float32."""
        self._perth = (found or package()).Watermarker(device=device)
        self._perth.perth_net.eval()
        rising = 0.5 - 0.5 * np.cos(np.pi * (np.arange(FADE) + 0.5) / FADE)
        self._rising: Samples = rising.astype(np.float32)
        self.cost_ms = 0.0
        """Of a first block, as `warm` measured it."""

    @property
    def spares_the_first(self) -> bool:
        """Whether a reply's first block is left as it is, because marking it would be noticed."""
        return self.cost_ms > MOST_MS

    def warm(self) -> None:
        """The first call is slow (its resampler and the device's kernels are loaded), so none that matters is
        the first. Measures what a block costs here, and says so in the log where the first block is spared."""
        numbers, costs = np.random.default_rng(0), []
        for seconds in WARM_S:
            noise = 0.1 * numbers.standard_normal(round(seconds * RATE))
            begun = time.perf_counter()
            self.marked(noise.astype(np.float32))
            costs.append(1000 * (time.perf_counter() - begun))
        self.cost_ms = median(costs[-3:])
        if self.spares_the_first:
            log.info(
                "the watermark takes %.0f ms of a first block here, so it begins with the second",
                self.cost_ms,
            )

    def open(self) -> "PerthMarking":
        return PerthMarking(self, spares_first=self.spares_the_first)

    def marked(self, block: Samples) -> Samples:
        """`block` at 24 kHz with the watermark, its first and last sample as they were."""
        padded = np.pad(block, (0, -len(block) % HOP))
        with torch.no_grad():
            whole: Any = self._perth.apply_watermark(padded, sample_rate=RATE)
        change: Samples = np.asarray(whole, dtype=np.float32)[: len(block)] - block
        change[:FADE] *= self._rising
        change[-FADE:] *= self._rising[::-1]
        return block + change


class PerthMarking:
    """The role `Marking`: one reply's blocks."""

    def __init__(self, watermark: PerthWatermark, *, spares_first: bool) -> None:
        self._watermark = watermark
        self._spared = spares_first

    def mark(self, block: Samples) -> Samples:
        """The same block, marked, of the same length."""
        spared, self._spared = self._spared, False
        if spared or len(block) < SHORTEST or not np.any(block):
            return block
        return self._watermark.marked(block)
