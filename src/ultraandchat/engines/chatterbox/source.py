"""The vocoder's source: sines of the voice's pitch and noise, continuous over the blocks of a clause. Worker's side.

The package's `SineGen` begins every call at new random phases, and draws new noise: at each joint of two blocks
that is a click. Here the phase at the end of a block is where the next begins.
"""

import math
from typing import Any

import torch

from ultraandchat.engines.chatterbox.noise import Noise, generator
from ultraandchat.engines.chatterbox.variants import RATE, SAMPLES_PER_FRAME

USES = {"noise": 2, "phases": 3}
"""Of a clause's seed; the flow has 0 and 1."""


class Source:
    """One clause's source."""

    def __init__(self, module: Any, seed: int) -> None:
        """`module`: HiFT's `m_source`, whose mix of harmonics and amplitudes these are."""
        sines = module.l_sin_gen
        weights = module.l_linear.weight[0].detach()
        device, harmonics = weights.device, len(weights)
        phases = generator(seed, USES["phases"]).uniform(-math.pi, math.pi, harmonics)
        phases[0] = 0.0
        self._phases = torch.tensor(phases, dtype=torch.float32, device=device)[:, None]
        self._harmonics = torch.arange(1, harmonics + 1, device=device, dtype=torch.float64)[
            :, None
        ]
        self._within = torch.arange(1, SAMPLES_PER_FRAME + 1, device=device, dtype=torch.float64)
        self._noise = Noise(seed, USES["noise"], SAMPLES_PER_FRAME)
        self._module, self._sines, self._weights = module, sines, weights
        # Each harmonic has noise of its own, and they are added up by weight: that is one noise of this weight.
        self._noise_weight = weights.norm()
        self._first = 0
        self._cycle = torch.zeros((), dtype=torch.float64, device=device)
        """Of the fundamental, just before frame `_first`. A double: after a minute a float's error is heard."""

    @torch.inference_mode()
    def frames(self, pitch: torch.Tensor, keep: int) -> torch.Tensor:
        """The source (samples,) of the next frames, whose `pitch` (frames,) is in Hz; below the module's threshold
        they are voiceless. The first `keep` of them are settled, and the next call goes on after these."""
        step = pitch.double() / RATE
        ends = self._cycle + torch.cumsum(step * SAMPLES_PER_FRAME, dim=0)
        begins = torch.cat([self._cycle[None], ends[:-1]])
        cycles = (begins[:, None] + step[:, None] * self._within).flatten()
        angles = 2 * torch.pi * torch.frac(cycles * self._harmonics).float() + self._phases
        sines = self._weights @ (self._sines.sine_amp * torch.sin(angles))
        voiced = (pitch > self._sines.voiced_threshold).repeat_interleave(SAMPLES_PER_FRAME)
        noise = torch.from_numpy(self._noise.rows(self._first, len(pitch))).to(pitch.device)
        loudness = torch.where(voiced, self._sines.noise_std, self._sines.sine_amp / 3)
        mixed = sines * voiced + self._noise_weight * loudness * noise.flatten()
        if keep:
            self._first += keep
            self._cycle = torch.frac(ends[keep - 1])
        source: torch.Tensor = self._module.l_tanh(mixed + self._module.l_linear.bias)
        return source
