"""From sound to voiced or quiet: three detectors agree to start, one with hysteresis continues.

Requiring WebRTC's detector beside Silero to *continue* cost up to nine points of missed speech in
noise; to *start*, agreement is what the specification asks for. The energy gate is fixed, because
an adaptive one lost whole sentences at 0 dB.
"""

from typing import Protocol

from ultraandchat.audio.frame import Samples
from ultraandchat.audio.level import dbfs
from ultraandchat.turn.policy import TurnPolicy


class SpeechDetector(Protocol):
    """What `engines` gives for one conversation."""

    def probability(self, window: Samples) -> float: ...

    def reset(self) -> None: ...


class Activity:
    """Is a window voiced? One conversation's detectors and their hysteresis."""

    def __init__(self, policy: TurnPolicy, gate: SpeechDetector, hearing: SpeechDetector) -> None:
        self._policy = policy
        self._gate = gate
        self._hearing = hearing
        self._voiced = False

    def hear(self, window: Samples) -> bool:
        """512 samples at 16 kHz, in order. Both detectors see every window: they have memory."""
        agreement = self._gate.probability(window)
        speech = self._hearing.probability(window)
        if self._voiced:
            self._voiced = speech >= self._policy.silence_threshold
        else:
            self._voiced = (
                speech >= self._policy.speech_threshold
                and agreement >= self._policy.gate_agreement
                and dbfs(window) >= self._policy.gate_dbfs
            )
        return self._voiced

    def reset(self) -> None:
        """The sound was interrupted for long: what the detectors remember means nothing now."""
        self._gate.reset()
        self._hearing.reset()
        self._voiced = False
