"""The sound of one reply: what was made of it, what was sent and as which frames, what was heard."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from ultraandchat.audio.frame import FRAME_MS, PLAYOUT_RATE, Samples
from ultraandchat.playout.heard import ClauseHeard, Heard
from ultraandchat.turn.events import TurnId

FRAME = PLAYOUT_RATE * FRAME_MS // 1000
"""Samples in a frame: 960."""
PERIOD = FRAME_MS / 1000

KEPT_S = 8.0
"""Of what was sent, the newest so many seconds can be gone back to: a page that lost its network notices
within 3 s, and holds less than a second that is not audible yet."""
WRAP = 1 << 32
"""Positions come back from callers modulo this, as RTP timestamps do."""

SILENCE: Samples = np.zeros(FRAME, np.float32)
"""A frame whose `samples` *is* this one holds nothing."""
SILENCE.flags.writeable = False


@dataclass(slots=True)
class Clause:
    """A clause's samples."""

    index: int
    start: int
    end: int
    complete: bool = False
    begun: bool = False


@dataclass(slots=True)
class Sent:
    """A frame that was sent: its index on the grid, and which samples it had."""

    index: int
    start: int
    end: int


@dataclass(slots=True)
class ReplySound:
    """All counts are samples at 48 kHz from the reply's first one."""

    turn: TurnId
    released: bool
    blocks: deque[tuple[int, Samples]] = field(default_factory=deque)
    clauses: list[Clause] = field(default_factory=list)
    on_its_way: deque[Sent] = field(default_factory=deque)
    """Not audible before their instants."""
    gone: deque[Sent] = field(default_factory=lambda: deque(maxlen=round(KEPT_S / PERIOD)))
    """Before those, the newest."""
    made: int = 0
    sent: int = 0
    heard: int = 0
    finished: bool = False
    audible: bool = False
    rising: bool = False
    """The next frame fades in."""
    over_at: int = 0
    """The frame index at which the last one sent has been heard."""

    def push(self, clause: int, samples: Samples) -> None:
        """More sound of a clause, in order."""
        if not self.clauses or self.clauses[-1].index != clause:
            self.clauses.append(Clause(clause, self.made, self.made))
        self.blocks.append((self.made, samples))
        self.made += len(samples)
        self.clauses[-1].end = self.made

    def read(self, start: int, count: int, volume: float) -> Samples:
        """`count` samples from `start` on, which must be kept still."""
        pieces = []
        for at, block in self.blocks:  # what was heard long ago is gone
            if at >= start + count:
                break
            if at + len(block) > start:
                pieces.append(block[max(start - at, 0) : start + count - at])
        samples = np.concatenate(pieces) if pieces else SILENCE[:0]
        if volume != 1.0:
            samples = np.clip(samples * np.float32(volume), -1.0, 1.0)
        return samples

    def left(self, count: int, frame: int) -> None:
        """The next `count` samples were sent as that frame."""
        end = self.sent + count
        self.on_its_way.append(Sent(frame, self.sent, end))
        for clause in self.clauses:
            clause.begun = clause.begun or clause.start < end
        self.sent = end
        self.audible = True
        self.over_at = frame + 1

    def arrived(self, elapsed_s: float) -> None:
        """Frames whose instant has come, that long after the grid's first, are heard."""
        while self.on_its_way and self.on_its_way[0].index * PERIOD <= elapsed_s + 1e-9:
            self.heard = max(self.heard, self.on_its_way[0].end)
            self.gone.append(self.on_its_way.popleft())
        kept = min(self.gone[0].start if self.gone else 0, self.heard, self.sent)
        while self.blocks and self.blocks[0][0] + len(self.blocks[0][1]) <= kept:
            self.blocks.popleft()

    def go_back(self, sample: int) -> None:
        """Go on from that sample; what comes next fades in."""
        self.sent = self.heard = sample
        self.rising = sample > 0

    def sample_at(self, position: int, near: int) -> int:
        """Which sample stood at that position (samples at 48 kHz modulo 2³², not far from frame `near`);
        where none did, the nearest before it that is kept."""
        reference = near * FRAME
        position = reference + (position - reference + WRAP // 2) % WRAP - WRAP // 2
        at = self.gone[0].start if self.gone else self.heard
        for sent in self.gone:
            if sent.index * FRAME > position:
                break
            at = min(sent.start + position - sent.index * FRAME, sent.end)
        return at

    def account(self, *, cut: bool) -> Heard:
        """How much of each clause was heard."""
        clauses = tuple(
            ClauseHeard(
                clause.index,
                heard=min(max(self.heard - clause.start, 0), clause.end - clause.start),
                total=clause.end - clause.start,
                complete=clause.complete,
            )
            for clause in self.clauses
        )
        return Heard(self.turn, clauses, cut)
