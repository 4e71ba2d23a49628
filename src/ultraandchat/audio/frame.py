"""What sound is here: mono float samples and where they stand on their stream's media timeline."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
"""Mono sound, −1…1, shape (n,)."""

Pcm16: TypeAlias = NDArray[np.int16]
"""Mono sound as 16-bit integers, shape (n,): half the memory, what wires and history carry."""

HEARING_RATE = 16_000
"""Hz. What every recogniser and voice-activity model here was trained on."""

PLAYOUT_RATE = 48_000
"""Hz. Opus' own rate; replies are paced at it whatever the voice was made at."""

FRAME_MS = 20
"""One frame on a transport: Opus' usual packet."""

WINDOW = 512
"""Samples at 16 kHz (32 ms): the run Silero v5 and later look at, and the step of turn-taking."""


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """A run of samples and where it stands on its stream's media timeline."""

    samples: Samples
    rate: int
    position: int
    """Of the first sample, counted in samples at `rate`. A gap in positions is a gap in the sound."""

    @property
    def end(self) -> int:
        """Position just after the last sample."""
        return self.position + len(self.samples)


# As arrays without a dimension: numpy takes twice as long over scalars.
_HIGHEST, _LOWEST = np.array(32767, np.float32), np.array(-32768, np.float32)


def to_pcm16(samples: Samples) -> Pcm16:
    """Rounded and clipped to 16 bits; NaN, which a broken engine may give, becomes silence."""
    if not np.isfinite(samples).all():
        samples = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    scaled = samples * _HIGHEST
    np.rint(scaled, out=scaled)
    np.minimum(scaled, _HIGHEST, out=scaled)
    np.maximum(scaled, _LOWEST, out=scaled)
    return scaled.astype(np.int16)


def from_pcm16(pcm: Pcm16) -> Samples:
    """The same sound as floats, −1…1."""
    return pcm.astype(np.float32) * np.float32(1 / 32768)
