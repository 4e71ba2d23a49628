"""What one benchmark caller hears: when a reply begins and ends, and what its listener would miss."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ultraandchat.audio.frame import FRAME_MS

PERIOD_S = FRAME_MS / 1000
BUFFER_S = 0.06
"""What a listener keeps before it plays: a frame later than that is an underrun."""
APART_S = 0.3
"""Sound after so long without any is another reply."""
AUDIBLE = 0.01
"""Peak of full scale; a frame below it (-40 dBFS) is silent."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What a link did to the packets that stood at one position."""

    dropped: bool = False
    delayed_s: float = 0.0


UNTOUCHED = Fate()


class Hearing:
    """The replies of one conversation, as frames of sound that arrive. Instants in seconds of one clock."""

    def __init__(self, *, ahead: bool, counting: Callable[[], bool]) -> None:
        """`ahead`: frames arrive before they are audible, and can be taken back. Without it a frame is
        audible as it arrives. Replies that begin while not `counting` are not in the counts."""
        self.begun = -math.inf
        """Arrival of the first frame of sound of the newest reply."""
        self.silent_at = -math.inf
        """The newest reply is audible until then, as far as is known."""
        self.frames = 0
        """Of replies that were heard to their end: those that should have come."""
        self.underruns = 0
        """Of them, those that were silent, missing or late through the server's fault."""
        self.lost = 0
        """Of them, those that the link lost."""
        self.sounded = 0
        """Frames of sound that came, of all replies."""
        self.fate: Callable[[float], Fate] = lambda position_s: UNTOUCHED
        """Of the frame at a position."""
        self._ahead = ahead
        self._counting = counting
        self._arrivals: list[tuple[float, float]] = []  # position and arrival, of the newest reply
        self._last = -math.inf
        self._counted = False

    def sound(self, position_s: float, now: float) -> None:
        """A frame that holds sound has come."""
        if now - self._last > APART_S or not self._arrivals:
            self.close()
            self.begun = now
            self._counted = self._counting()
        self._last = now
        self._arrivals.append((position_s, now - self.fate(position_s).delayed_s))
        if self._counting():
            self.sounded += 1
        if self._ahead:
            first, base = self._arrivals[0]
            self.silent_at = base + (position_s - first) + PERIOD_S
        else:
            self.silent_at = now

    def flushed(self, now: float) -> None:
        """What has come and is not audible yet is taken back; the listener fades within a frame."""
        self.silent_at = min(self.silent_at, now + PERIOD_S)
        self.spoil()
        self.close()

    def is_quiet(self, now: float) -> bool:
        """No reply is being heard."""
        return now - max(self._last, self.silent_at) > APART_S

    def spoil(self) -> None:
        """The newest reply is interrupted: its frames say nothing."""
        self._counted = False

    def close(self) -> None:
        """The newest reply is over: judge its frames."""
        arrivals, self._arrivals = sorted(self._arrivals), []
        if not self._counted or len(arrivals) < 2:
            return
        self._counted = False
        first = min(arrivals, key=lambda frame: frame[1])
        zero = first[1] - first[0] + BUFFER_S  # the listener's clock starts with what came first
        late = sum(arrived > zero + position for position, arrived in arrivals)
        begin, end = arrivals[0][0], arrivals[-1][0]
        expected = round((end - begin) / PERIOD_S) + 1
        dropped = sum(self.fate(begin + k * PERIOD_S).dropped for k in range(expected))
        self.frames += expected
        self.lost += dropped
        self.underruns += max(expected - len(arrivals) - dropped, 0) + late
