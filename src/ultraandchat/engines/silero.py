"""Silero voice activity, the good detector: recurrent, and what it costs is shared.

All conversations use one copy of the network's weights; each has only what it remembers (1.3 KB). The
weights lie in the package, so the detector is the same on every machine. Without it nothing can tell
speech from noise, so the server does not start: it never takes everything for speech.
"""

import zipfile
from importlib import resources

import numpy as np

from ultraandchat.audio.frame import WINDOW, Samples
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.silero_network import SHAPES, Memory, Network, Weights

WEIGHTS = "silero_16k.npz"
LOUDEST = 1e9
"""Samples beyond it are broken: the network's sums could overflow."""
REMEDY = "Install it again: pip install --force-reinstall --no-deps ultraandchat"


class Silero:
    """The model: one network, which runs for one window at a time."""

    def __init__(self) -> None:
        """Loads the weights (some ms); `EngineUnavailable` where they are missing or broken."""
        try:
            self._network = Network(_weights())
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            reason = f"its network does not load ({error})"
            raise EngineUnavailable("silero", reason, REMEDY) from error

    def open(self) -> "SileroStream":
        """A stream for one conversation. Streams of one model are used from one thread."""
        return SileroStream(self._network)


class SileroStream:
    """One conversation's detector."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._memory = Memory()

    def probability(self, window: Samples) -> float:
        """That 512 samples at 16 kHz are speech. Broken sound (NaN, infinity) is none, and what was
        heard before it is forgotten."""
        if len(window) != WINDOW:
            raise ValueError(f"a window has {WINDOW} samples, not {len(window)}")
        if np.abs(window).max() < LOUDEST:  # NaN is not
            return self._network.step(window, self._memory)
        self._memory.clear()
        return 0.0

    def reset(self) -> None:
        self._memory.clear()


def _weights() -> dict[str, Weights]:
    with (
        resources.files("ultraandchat.engines").joinpath(WEIGHTS).open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        return {name: stored[name] for name in SHAPES}
