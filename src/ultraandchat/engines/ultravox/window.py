"""What of a long history still goes into the window: old sound becomes words, older exchanges are left out.

A rule that always fits as much as it can would move its marks at every turn, and all that comes after a
mark must be computed again. These marks stay where they are for many turns, though nothing is
remembered from one request to the next, and though the caller, too, may let go of what is oldest: among
the places where a mark may stand it is set at the one whose exchange has the smallest hash, and that is
the same exchange until it has grown too old (as winnowing chooses fingerprints of a text).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

SOUND = 0.2, 0.6
"""Of the limit: so much of the newest history, at least and at most, keeps its sound when not all can."""

KEPT = 0.5, 1.0
"""Of the limit: so much of the history is kept, at least and at most, when not all can be. In talk of usual
lengths both spans together mean that something changes at every fifth turn; narrower ones kept more, and
changed at every third (tests/engines/ultravox/test_window.py has the talk)."""


@dataclass(frozen=True, slots=True)
class Weight:
    """One exchange of the history."""

    sound: int
    """Tokens, with its sound as sound."""
    words: int
    """Tokens, with words in place of the sound."""
    hash: int
    """Of what was said: the same in every request that has this exchange in it."""


def marks(history: Sequence[Weight], limit: int) -> tuple[int, int]:
    """(left out, in words): counted from the oldest exchange, so that the rest takes at most `limit` tokens."""
    with_sound = _from_the_end([weight.sound for weight in history])
    if with_sound[0] <= limit:
        return 0, 0
    in_words = _mark(with_sound, history, limit, SOUND)
    mixed = _from_the_end([w.words if at < in_words else w.sound for at, w in enumerate(history)])
    if mixed[0] <= limit:
        return 0, in_words
    left_out = _mark(mixed, history, limit, KEPT)
    return left_out, max(left_out, in_words)


def _from_the_end(tokens: Sequence[int]) -> list[int]:
    """For each place, and for the end: the tokens from there on."""
    return list(accumulate(reversed(tokens), initial=0))[::-1]


def _mark(
    rest: Sequence[int], history: Sequence[Weight], limit: int, share: tuple[float, float]
) -> int:
    least, most = (share[0] * limit, share[1] * limit)
    may_stand = [at for at in range(len(history)) if least <= rest[at] <= most]
    if may_stand:
        return min(may_stand, key=lambda at: history[at].hash)
    # One exchange is larger than the whole span: the oldest place from which all fits.
    return next(at for at in range(len(rest)) if rest[at] <= max(most, 0))
