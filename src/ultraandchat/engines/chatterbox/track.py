"""A clause's place in its text, from positions of which some are wrong."""

import math
from collections import deque

EARLY = 10
"""Tokens, 0.4 s. Before the first word attention rests anywhere."""

CONFIRMED = 10
"""Positions in a row, far from the place and near each other, are a jump: 0.4 s. Fewer are errors: in a pause
attention may rest on a mark, or on the end."""

STRIDE_LETTERS, LEAST_STRIDE = 14.0, 3.0
"""How far the place may go on at once, in letters and in text tokens: a word or two. The package allows 7
tokens of its letters and syllables."""

BACK = 3.0
"""Text tokens that attention may look back and mean nothing."""

WINDOW, MOST_WRONG = 25, 13
"""Of so many positions so many may be wrong; else none is believed any more."""


class Track:
    """Follows one clause. The place only goes on, but for a jump."""

    def __init__(self, text_tokens: int, letters: float) -> None:
        per_token = max(letters / max(text_tokens, 1), 0.1)
        self._stride = max(STRIDE_LETTERS / per_token, LEAST_STRIDE)
        self.place: float | None = None
        """Text token, from 0, that the latest speech token speaks; none before one is known, or when the
        positions turned out to be of no use."""
        self.since = 0
        """Tokens before the positions that speak against `place`, or did before the last jump."""
        self._count = 0
        self._wrong: list[float] = []
        self._errors: deque[bool] = deque(maxlen=WINDOW)
        self._lost = False

    @property
    def sure(self) -> int:
        """Tokens against whose place nothing speaks."""
        return self.since if self._wrong else self._count

    def saw(self, position: float | None, *, silent: bool) -> float:
        """The next speech token's. How far the place has jumped with it, in text tokens; 0: it has not."""
        self._count += 1
        if self._lost or position is None or not math.isfinite(position):
            return 0.0
        if silent or self._count <= EARLY:
            return 0.0
        place = 0.0 if self.place is None else self.place
        if -BACK <= position - place <= self._stride:
            self.place = max(place, position)
            self._wrong.clear()
            self._noted(False)
            return 0.0
        if self._wrong and abs(position - self._wrong[-1]) > self._stride:
            self._wrong.clear()
        if not self._wrong:
            self.since = self._count - 1
        self._wrong.append(position)
        self._noted(True)
        if self._lost or len(self._wrong) < CONFIRMED:
            return 0.0
        self.place = position
        jumped = self._wrong[0] - place
        self._wrong.clear()
        return jumped

    def _noted(self, wrong: bool) -> None:
        self._errors.append(wrong)
        if sum(self._errors) >= MOST_WRONG:
            self._lost, self.place = True, None
            self._wrong.clear()
