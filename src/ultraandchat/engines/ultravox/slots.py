"""Which conversation's keys and values lie in which cache, and which of them a request can go on from.

A sequence is written as elements: a token's number, or an audio's digest with the position in it. Two
sequences with equal elements have equal keys and values, so whatever a request shares with what a slot
holds need not be computed again: the system prompt, the history, even the first part of a longer answer.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import TypeAlias

from ultraandchat.engines.base import EngineOverloaded
from ultraandchat.engines.decoding.cache import KeyValues

Element: TypeAlias = int | tuple[str, int]
"""A token, or (digest of an audio, position among its embeddings)."""


class Rank(IntEnum):
    """What a slot is held for. A reply, which somebody waits for, may take the place of anything else."""

    PREPARATION = 1
    """Of the conversation's next turn: that turn's reply goes on from whatever is done."""
    TRANSCRIPT = 2
    """Kept from others as long as there is another place."""
    REPLY = 3


class Slot:
    """One cache and what it holds."""

    def __init__(self, cache: KeyValues) -> None:
        self.cache = cache
        self.elements: list[Element] = []
        """What is surely there. Extended after a pass succeeded, so a pass that fails or is never made
        leaves this true: the cache behind these elements is nobody's."""
        self.hold: Hold | None = None
        """Whose it is now."""
        self.used = 0
        """When it was last released, counted in releases; 0 = never, or not worth keeping."""

    def crop(self, count: int) -> None:
        """Forget all but the first `count` elements."""
        del self.elements[count:]

    def digests(self) -> set[str]:
        """Of the audio in it."""
        return {element[0] for element in self.elements if isinstance(element, tuple)}


class Hold:
    """A job's right to a slot, until it is released or lost to a reply."""

    def __init__(self, slot: Slot, rank: Rank) -> None:
        self.slot = slot
        self.rank = rank

    @property
    def lost(self) -> bool:
        """Then the slot is another's, and must not be touched any more."""
        return self.slot.hold is not self


class Slots:
    """All of them. A request gets the one that holds its conversation, else the one longest unused."""

    def __init__(self, caches: Iterable[KeyValues]) -> None:
        self._slots = [Slot(cache) for cache in caches]
        self._releases = 0

    def may_take(self, rank: Rank) -> bool:
        """Whether `take` would find a place now."""
        return any(slot.hold is None or _gives_way(slot, rank) for slot in self._slots)

    def take(
        self, elements: Sequence[Element], opening: int, digests: set[str], rank: Rank
    ) -> Hold:
        """A slot that holds a prefix of `elements`, as long a one as any slot has, and nothing else.

        `opening`: as many elements as conversations may share that have nothing to do with each other
        (the system prompt). `digests`: of all audio the conversation had, also what is no longer in
        `elements`. `EngineOverloaded` when there is no place.
        """
        shared = {id(slot): common(slot.elements, elements) for slot in self._slots}

        def is_own(slot: Slot) -> bool:
            nothing_lost = shared[id(slot)] == len(slot.elements)
            return nothing_lost or shared[id(slot)] > opening or bool(digests & slot.digests())

        free = [slot for slot in self._slots if slot.hold is None]
        overtaken = [
            slot
            for slot in self._slots
            if _gives_way(slot, rank) and slot.hold and slot.hold.rank is Rank.PREPARATION
        ]
        if own := [slot for slot in (*free, *overtaken) if is_own(slot)]:
            slot = max(own, key=lambda slot: (shared[id(slot)], slot.used))
        elif free:
            slot = min(free, key=lambda slot: slot.used)
        elif others := [slot for slot in self._slots if _gives_way(slot, rank)]:
            slot = min(others, key=lambda slot: slot.used)
        else:
            raise EngineOverloaded("ultravox", "it is talking with as many as it can")
        slot.crop(shared[id(slot)])
        best = max(self._slots, key=lambda other: shared[id(other)])
        if (count := shared[id(best)]) > len(slot.elements):
            # Also from one in use: what it shares with this request lies before all it is writing.
            slot.cache.copy_prefix(best.cache, count)
            slot.elements[:] = elements[:count]
        slot.hold = Hold(slot, rank)
        return slot.hold

    def release(self, hold: Hold) -> None:
        """The job is over. What a transcript leaves is the first to be overwritten."""
        if not hold.lost:
            self._releases += 1
            hold.slot.hold = None
            hold.slot.used = 0 if hold.rank is Rank.TRANSCRIPT else self._releases

    @property
    def caches(self) -> list[KeyValues]:
        return [slot.cache for slot in self._slots]


def _gives_way(slot: Slot, rank: Rank) -> bool:
    return slot.hold is not None and rank is Rank.REPLY and slot.hold.rank is not Rank.REPLY


def common(one: Sequence[Element], other: Sequence[Element]) -> int:
    """The length of their common prefix."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count
