"""A bad network in virtual time: seeded, so that every run loses and delays the same packets.

It is handed packets with the instants at which they are sent and says when they arrive; nothing waits.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

TICK_S = 0.020
"""The ticker of every conversation."""


class Arrival(NamedTuple):
    at: float
    data: bytes


@dataclass(frozen=True)
class Link:
    """One direction of a path."""

    seed: int
    loss: float = 0.0
    """Share of packets that never arrive, each by itself."""
    jitter_s: float = 0.0
    """Every packet is late by 0…this, evenly."""
    delay_s: float = 0.030
    """And by this."""
    in_order: bool = False
    """Packets queue behind one another instead of overtaking."""
    twice: float = 0.0
    """Share of packets that arrive a second time."""
    stalls: tuple[tuple[float, float], ...] = ()
    """Spans of sending time in which nothing passes; all of it arrives together behind its end."""

    def carry(self, sent: Iterable[tuple[float, bytes]]) -> list[Arrival]:
        """What arrives, in order of arrival."""
        chance = random.Random(self.seed)
        arrivals: list[Arrival] = []
        latest = 0.0
        for at, data in sent:
            lost, late, again = chance.random() < self.loss, chance.random(), chance.random()
            if lost:
                continue
            leaves = next((until for start, until in self.stalls if start <= at < until), at)
            arrives = leaves + self.delay_s + late * self.jitter_s
            if self.in_order:
                arrives = latest = max(arrives, latest)
            arrivals.append(Arrival(arrives, data))
            if again < self.twice:
                arrivals.append(Arrival(arrives + 0.001, data))
        return sorted(arrivals, key=lambda arrival: arrival.at)


def with_ticks(arrivals: Iterable[Arrival], until: float) -> Iterator[tuple[float, bytes | None]]:
    """Every arrival, and between them the ticks (None) that the server gives every 20 ms, to `until`."""
    ticks = 1
    for at, data in arrivals:
        while ticks * TICK_S <= at:
            yield ticks * TICK_S, None
            ticks += 1
        yield at, data
    while ticks * TICK_S <= until:
        yield ticks * TICK_S, None
        ticks += 1
