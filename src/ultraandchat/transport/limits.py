"""What one caller may send, and how fast. Arithmetic only: it is told the time.

A caller who goes beyond a limit is closed with the reason; nobody else notices.
"""

from dataclasses import dataclass

from ultraandchat.audio.frame import HEARING_RATE

MESSAGE_BURST = 5.0
"""Seconds' worth of control messages at once: a page that wakes up sends what it had queued."""

SOUND_BURST_S = 5.0
"""Seconds of sound at once: what a network stall of 4 s (the longest seen to recover) delivers together."""

SHORTEST_CHARGE_S = 0.005
"""A frame counts as at least this much sound, so that a stream of tiny frames is a flood too."""

ANSWERS_PER_S = 2.0
ANSWER_BURST = 10.0
"""Error replies to bad input; what is beyond them is counted and not answered."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of one transport, from `[server]`."""

    messages_per_s: float = 20.0
    """Control messages (and refused frames) in a steady stream; `MESSAGE_BURST` times that at once."""
    sound_speed: float = 3.0
    """Seconds of sound in a second, in a steady stream; `SOUND_BURST_S` more at once."""
    idle_timeout_s: float = 600.0
    """Neither sound nor a message for this long: the caller is gone."""


class Bucket:
    """Grants `rate` a second in a steady stream, and `burst` at once after a rest."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at: float | None = None

    def take(self, now: float, cost: float = 1.0) -> bool:
        """Whether `cost` was still there at `now` (seconds, any monotonic clock); if not, none is taken."""
        if self._at is not None:
            self._left = min(self._burst, self._left + self._rate * max(0.0, now - self._at))
        self._at = now
        if cost > self._left:
            return False
        self._left -= cost
        return True


class Allowance:
    """The three buckets of one caller."""

    def __init__(self, limits: Limits) -> None:
        self._messages = Bucket(limits.messages_per_s, limits.messages_per_s * MESSAGE_BURST)
        self._sound = Bucket(limits.sound_speed, SOUND_BURST_S)
        self._answers = Bucket(ANSWERS_PER_S, ANSWER_BURST)

    def message(self, now: float) -> bool:
        """One more control message, or frame that was refused."""
        return self._messages.take(now)

    def sound(self, now: float, samples: int) -> bool:
        """`samples` more at 16 kHz."""
        return self._sound.take(now, max(samples / HEARING_RATE, SHORTEST_CHARGE_S))

    def answer(self, now: float) -> bool:
        """One more error reply."""
        return self._answers.take(now)
