"""Whether speech tokens go round in circles. Silence may: it is one token, repeated."""

from ultraandchat.engines.chatterbox.variants import SILENCE_TOKEN

LONGEST_CYCLE = 30
"""Tokens, 1.2 s: some words."""

SAME = 20
"""One token so many times, 0.8 s. Vowels that are held, and silence that is not quite `SILENCE_TOKEN`, are
shorter. (The package's own look-out, of the multilingual release, takes two for a fault.)"""

AGAIN = 10
"""Tokens that are those before, one by one: a cycle is believed after so many, or one whole period more if that
is longer. At 2 nats of choice in each token chance makes this once in e²⁰ tokens."""

NEARLY = 25
"""Nearly a circle: so many more tokens that ended a run of three which was there before than tokens that did
not, 1 s. Judgement."""

DOUBT_SAME, DOUBT_AGAIN = 6, 5
"""From so many on it may be one: what follows waits until it is known."""


class Repeats:
    """One clause's."""

    def __init__(self, *, times: int) -> None:
        """`times`: as often in a row the text itself says something; 1: it does not. Each is allowed for."""
        self._times = times
        self._tokens: list[int] = []
        self._same = 0
        """How many of the last tokens are one."""
        self._matches = [0] * (LONGEST_CYCLE + 1)
        self._seen: set[tuple[int, ...]] = set()
        self._nearly = 0
        self._nearly_since = 0

    def saw(self, token: int) -> tuple[bool, int]:
        """Whether this is a circle now; and how many tokens from the beginning are beyond doubt."""
        tokens = self._tokens
        self._same = self._same + 1 if tokens and tokens[-1] == token else 1
        tokens.append(token)
        circle, surely = self._looks_again()
        count, times = len(tokens), self._times
        for period in range(1, min(LONGEST_CYCLE, count - 1) + 1):
            if token != tokens[-1 - period] or not self._is_cycle_of(period):
                self._matches[period] = 0
                continue
            self._matches[period] = again = self._matches[period] + 1
            enough = SAME - 1 if period == 1 else max(AGAIN, period)
            circle = circle or again >= enough * times
            if again >= (DOUBT_SAME if period == 1 else DOUBT_AGAIN) * times:
                surely = min(surely, count - again)
        return circle, surely

    def _is_cycle_of(self, period: int) -> bool:
        """A token that only stays is a cycle of one and of nothing longer; and silence of nothing."""
        return self._tokens[-1] != SILENCE_TOKEN if period == 1 else self._same <= period

    def _looks_again(self) -> tuple[bool, int]:
        count, last = len(self._tokens), tuple(self._tokens[-3:])
        known = last in self._seen and self._same < 3
        self._seen.add(last)
        if known and not self._nearly:
            self._nearly_since = max(0, count - 3)
        self._nearly = self._nearly + 1 if known else max(0, self._nearly - 1)
        doubt = self._nearly >= DOUBT_AGAIN * self._times
        return self._nearly >= NEARLY * self._times, self._nearly_since if doubt else count
