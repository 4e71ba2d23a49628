"""Silence around a clause is latency: voices without a model of pauses begin with 0.2 s of it."""

from collections.abc import Iterable, Iterator

import numpy as np

from ultraandchat.audio.frame import Samples
from ultraandchat.audio.level import dbfs

QUIET_DBFS = -50.0
"""10 ms below this are silence: the noise of flite's recorded voices lies at −55, weak onsets at −45."""
LEAD_MS = 30
"""Kept before the first sound, so that a soft "f" or "h" is not cut."""
TAIL_MS = 80
"""Kept after the last one: words fade out, and the next clause follows at once."""
STEP_MS = 10


def trimmed(blocks: Iterable[Samples], rate: int) -> Iterator[Samples]:
    """The sound without its leading and trailing silence; nothing at all if there is only silence.

    Each stretch of sound is given as soon as it is there; a pause, once the sound after it came.
    """
    step = rate * STEP_MS // 1000
    rest = np.empty(0, np.float32)
    quiet: list[Samples] = []  # steps held back: they may be the end
    begun = False
    for block in blocks:
        rest = np.concatenate([rest, block])
        whole = len(rest) // step * step
        ready: list[Samples] = []
        for piece in rest[:whole].reshape(-1, step):
            quiet.append(piece)
            if dbfs(piece) >= QUIET_DBFS:
                ready += quiet
                quiet = []
                begun = True
            elif not begun:
                quiet = quiet[-(LEAD_MS // STEP_MS) :]
        rest = rest[whole:]
        if ready:
            yield np.concatenate(ready)
    quiet.append(rest)
    if dbfs(rest) >= QUIET_DBFS:
        yield np.concatenate(quiet)
    elif begun and (tail := np.concatenate(quiet)[: rate * TAIL_MS // 1000]).size:
        yield tail
