"""How quickly one voice speaks, learned from its clauses that went well.

People differ by half in their pace, and one person from clause to clause by a tenth: LJ Speech's four clips here
are within 6 % of their mean, while all that are read go from 0.72 to 0.94 of `USUAL`. So whoever has heard a voice
knows sooner when it has said its text.
"""

from collections import deque
from dataclasses import replace
from math import ceil
from statistics import median

from ultraandchat.engines.chatterbox.pace import Pace
from ultraandchat.engines.chatterbox.variants import TOKEN_RATE

FEWEST, MOST = 6, 32
"""Clauses from which on it is believed, and the latest that count."""
LETTERS = 20.0
"""Of a clause that counts: in a shorter one the silence around it is too much of it."""
LEAST, GREATEST = 0.6, 1.6
"""Bounds of what is learned. A voice whose clauses have all had a tail shall not teach that tails are usual."""
BEYOND, BEYOND_S = 1.5, 0.8
"""Times the usual length of this voice, and seconds more: longer no clause of it is. Five times a person's own
spread; the seconds are a pause that the text has no mark for."""


class Habit:
    """One voice's."""

    def __init__(self) -> None:
        self._ratios: deque[float] = deque(maxlen=MOST)

    def learn(self, pace: Pace, tokens: int) -> None:
        """A clause of the text that `pace` was told of went well, with so many tokens."""
        if pace.letters >= LETTERS and pace.repeats == 1:
            self._ratios.append(tokens / pace.usual)

    def expect(self, pace: Pace) -> Pace:
        """What this voice needs for that text: another usual length, and perhaps a lower bound for the most."""
        if len(self._ratios) < FEWEST:
            return pace
        ratio = min(max(median(self._ratios), LEAST), GREATEST)
        usual = min(max(round(pace.usual * ratio), pace.least), pace.most)
        most = max(usual, ceil(usual * BEYOND + BEYOND_S * TOKEN_RATE))
        return replace(pace, usual=usual, most=min(pace.most, most))


class Habits:
    """Of the voices last heard."""

    MOST = 64
    """Voices; each is some hundred bytes."""

    def __init__(self) -> None:
        self._of: dict[str, Habit] = {}

    def of(self, voice: str) -> Habit:
        """By the voice's digest, and whatever else makes it speak otherwise."""
        habit = self._of.pop(voice, None) or Habit()
        self._of[voice] = habit  # at the end: the first is the one longest unheard
        while len(self._of) > self.MOST:
            del self._of[next(iter(self._of))]
        return habit
