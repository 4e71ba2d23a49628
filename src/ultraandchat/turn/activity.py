"""From sound to voiced or quiet: three detectors agree to start, one with hysteresis continues.

Requiring WebRTC's detector beside Silero to *continue* cost up to nine points of missed speech in
noise; to *start*, agreement is what the specification asks for. The energy gate is fixed, because
an adaptive one lost whole sentences at 0 dB.

Silero is by far the dearest of them, so below the gate, where speech cannot start, it goes to sleep.
Not soon, because even in silence its state drifts for some twenty seconds and decides about weak
beginnings, and not above the gate, where it drifts for a minute: decision 12 has the figures.
"""

from collections import deque
from typing import Protocol

import numpy as np

from ultraandchat.audio.frame import Samples
from ultraandchat.audio.level import dbfs
from ultraandchat.turn.policy import TurnPolicy

SLEEP_AFTER = 625
"""Windows (20 s) below the gate after which Silero sleeps. After 2 s, one start or end in twenty moved by
more than a window when a long quiet hiss had gone before; after 20 s, none did."""
REMEMBERED = 10
"""Windows (320 ms) of those it missed that Silero is played on waking, on top of what it knew when it fell
asleep. Forgetting instead of knowing moved weak beginnings ("yes", a breath before a sentence) by up to
eight."""


REST_AFTER = 16
"""Windows (0.5 s) below the gate: longer than the pauses within a sentence."""

QUIETEST_SPEECH, LOUDEST_NOISE = -70.0, -20.0
"""Bounds of a caller's own level, dBFS: below the lower one microphones only hiss, above the higher one nobody
would be heard."""
HOLD_DB = 6.0
"""Speech that goes on may fall so far below a caller's own level. Within sentences it does, and with 6 dB no pause
inside the recordings of tests/data/speech grew by more than eight windows, with their words 15 dB above the level."""


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
        self._asleep = False
        self._own: float | None = None
        self._quiet = 0  # windows below the gate in a row
        self._missed: deque[Samples] = deque(maxlen=REMEMBERED)

    @property
    def at_rest(self) -> bool:
        """Nothing above the gate for so long that nobody is about to speak on."""
        return self._quiet >= REST_AFTER

    @property
    def threshold_dbfs(self) -> float | None:
        """This caller's own level below which sound is not speech; None: the policy's.

        Below the policy's, the detectors hear everything louder by the difference: they do not find whispers.
        Above it, sound below the level does not continue speech either: who talks in the background does so in
        the user's pauses, too.
        """
        return self._own

    @threshold_dbfs.setter
    def threshold_dbfs(self, dbfs: float | None) -> None:
        self._own = dbfs

    def hear(self, window: Samples) -> bool:
        """512 samples at 16 kHz, in order."""
        level, least, held = dbfs(window), self._policy.gate_dbfs, True
        if self._own is not None:
            if self._own < least:
                factor = np.float32(10 ** ((least - self._own) / 20))
                window = np.clip(window * factor, -1.0, 1.0)
            else:
                held = level >= self._own - HOLD_DB
            least = self._own
        agreement = self._gate.probability(window)  # cheap, and its idea of the noise must go on
        loud = level >= least
        self._quiet = 0 if loud else self._quiet + 1
        if self._asleep and not loud:
            self._missed.append(window)
            return False
        if self._asleep:
            self._wake()
        speech = self._hearing.probability(window)
        if self._voiced:
            self._voiced = held and speech >= self._policy.silence_threshold
        else:
            self._voiced = (
                loud
                and speech >= self._policy.speech_threshold
                and agreement >= self._policy.gate_agreement
            )
        self._asleep = not self._voiced and self._quiet >= SLEEP_AFTER
        return self._voiced

    def reset(self) -> None:
        """The sound was interrupted for long: what the detectors remember means nothing now."""
        self._gate.reset()
        self._hearing.reset()
        self._missed.clear()
        self._voiced = self._asleep = False
        self._quiet = 0

    def _wake(self) -> None:
        self._asleep = False
        for window in self._missed:
            self._hearing.probability(window)
        self._missed.clear()
