"""Packets in the order in which they were sent. No playout buffer: what follows runs on media time,
so a packet that comes in order goes on at once, and only a missing one makes later ones wait.

A missing packet is waited for `WaitBound` seconds from the arrival of the first one behind it. Told
the time; `due` is to be called every 20 ms.
"""

from typing import NamedTuple, TypeAlias

from ultraandchat.transport.rtp.media_time import DTX_BYTES, Gap, MediaTime
from ultraandchat.transport.rtp.packet import RtpPacket, sequences_ahead

LEAST_WAIT_S = 0.020
"""A usual packet's length: a pair that changed places is less apart."""
MOST_WAIT_S = 0.100
"""Every lost packet delays what follows by the wait; beyond this the answer would feel late."""
MARGIN_S = 0.010
"""Above the latest that came: the next one may be a little later."""
SHRINK_S = 0.008
"""Per second without reordering: from the longest to the shortest wait in 10 s, as networks that
reorder at all do it again within seconds."""

MOST_HELD = 16
"""Packets that wait at once (320 ms of usual ones: reached only in bursts, when time is no measure)."""
MAX_DROPOUT = 1_000
"""Sequence numbers a stream may run ahead (20 s); further is a new run. RFC 3550 A.1 allows 3000."""
MAX_MISORDER = 100
"""And behind: RFC 3550 A.1."""

Placed: TypeAlias = RtpPacket | Gap


class WaitBound:
    """How long a missing packet is waited for.

    A packet that came `lateness` seconds after it was missed lifts the bound to `lateness` +
    `MARGIN_S` at once; it then falls by `SHRINK_S` a second to `LEAST_WAIT_S`. One later than
    `MOST_WAIT_S` says nothing: it could not have been waited for. Loss alone never lifts it.
    """

    def __init__(self) -> None:
        self._lifted = LEAST_WAIT_S
        self._at = 0.0

    def at(self, now: float) -> float:
        return max(LEAST_WAIT_S, self._lifted - SHRINK_S * (now - self._at))

    def came(self, lateness: float, now: float) -> None:
        if lateness <= MOST_WAIT_S:
            wanted = min(lateness + MARGIN_S, MOST_WAIT_S)
            self._lifted, self._at = max(wanted, self.at(now)), now


class _Waiting(NamedTuple):
    packet: RtpPacket
    duration: int
    arrived: float


class Reordering:
    """One stream's packets, in any order, to packets and gaps in theirs."""

    def __init__(self) -> None:
        self.bound = WaitBound()
        self.lost = 0
        """Packets given up; some of them may have come later."""
        self.late = 0
        """Packets that came after they had been given up, or twice, or from long ago."""
        self.strayed = 0
        """Packets of a jump in the sequence that the next packet did not confirm."""
        self._media = MediaTime()
        self._next: int | None = None
        self._held: dict[int, _Waiting] = {}
        self._missing = 0  # given up since the last packet with sound
        self._given_up: dict[int, float] = {}  # when each was missed, the latest MAX_MISORDER
        self._suspect: _Waiting | None = None

    def put(self, packet: RtpPacket, duration: int, now: float) -> list[Placed]:
        """One packet of `duration` samples at 48 kHz, 0 for one without sound, which only keeps its place
        in the sequence and does not come out. What is ready, in order."""
        placed: list[Placed] = []
        waiting = _Waiting(packet, duration, now)
        if packet.sequence == self._next and not self._held:
            self._release(waiting, placed)
            return placed
        if self._next is None:
            self._next = packet.sequence
        ahead = (packet.sequence - self._next) & 0xFFFF
        if ahead < MAX_DROPOUT:
            self._hold(waiting, placed)
        elif ahead >= 0x10000 - MAX_MISORDER:
            self._came_late(packet.sequence, now)
        else:
            self._jumped(waiting, placed)
        self._give_up_overdue(now, placed)
        return placed

    def due(self, now: float) -> list[Placed]:
        """What has become ready by `now`: packets whose wait is over, and the silence of a DTX sender."""
        placed: list[Placed] = []
        self._give_up_overdue(now, placed)
        if not self._held and (gap := self._media.silence(now, self.bound.at(now))) is not None:
            placed.append(gap)
        return placed

    def restart(self) -> None:
        """Another stream begins; what waits of this one is dropped. The wait and the counts stay."""
        self._media = MediaTime()
        self._next = self._suspect = None
        self._held.clear()
        self._given_up.clear()
        self._missing = 0

    def _release(self, waiting: _Waiting, placed: list[Placed]) -> None:
        packet, duration, arrived = waiting
        self._next = (packet.sequence + 1) & 0xFFFF
        if self._suspect is not None:
            self._suspect = None
            self.strayed += 1
        if not duration:
            return
        silent = len(packet.payload) <= DTX_BYTES
        placed += self._media.place(
            packet.timestamp, duration, silent=silent, missing=self._missing, arrived=arrived
        )
        placed.append(packet)
        self._missing = 0

    def _hold(self, waiting: _Waiting, placed: list[Placed]) -> None:
        sequence = waiting.packet.sequence
        if sequence in self._held:
            self.late += 1
            return
        missed = [
            held.arrived
            for number, held in self._held.items()
            if sequences_ahead(number, sequence) > 0
        ]
        if missed:
            self.bound.came(waiting.arrived - min(missed), waiting.arrived)
        self._held[sequence] = waiting
        self._drain(placed)
        while len(self._held) > MOST_HELD:
            self._give_up(placed)

    def _drain(self, placed: list[Placed]) -> None:
        while self._held and self._next in self._held:
            self._release(self._held.pop(self._next), placed)

    def _give_up_overdue(self, now: float, placed: list[Placed]) -> None:
        while self._held and now - self._missed_at() >= self.bound.at(now):
            self._give_up(placed)

    def _missed_at(self) -> float:
        return min(waiting.arrived for waiting in self._held.values())

    def _give_up(self, placed: list[Placed]) -> None:
        """The packets in front of the first that waits will not be heard any more."""
        begin = self._next
        assert begin is not None  # something is held, so a first packet was there
        count = min((number - begin) & 0xFFFF for number in self._held)
        missed = self._missed_at()
        for number in range(begin + max(0, count - MAX_MISORDER), begin + count):
            self._given_up.pop(number & 0xFFFF, None)
            self._given_up[number & 0xFFFF] = missed
        while len(self._given_up) > MAX_MISORDER:
            del self._given_up[next(iter(self._given_up))]
        self.lost += count
        self._missing += count
        self._next = (begin + count) & 0xFFFF
        self._drain(placed)

    def _came_late(self, sequence: int, now: float) -> None:
        self.late += 1
        missed = self._given_up.pop(sequence, None)
        if missed is not None:
            self.bound.came(now - missed, now)

    def _jumped(self, waiting: _Waiting, placed: list[Placed]) -> None:
        """Two packets in a row prove a new run (RFC 3550 A.1); one may be anything."""
        first, self._suspect = self._suspect, waiting
        if first is None:
            return
        if (first.packet.sequence + 1) & 0xFFFF != waiting.packet.sequence:
            self.strayed += 1
            return
        self._suspect = None
        while self._held:
            self._give_up(placed)
        self._media = MediaTime()
        self._missing = 0
        self._release(first, placed)
        self._release(waiting, placed)
