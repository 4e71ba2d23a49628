"""Who gets which slot: one's own, else the one longest unused, and never one in use but from who gives way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.engines.base import EngineOverloaded
from ultraandchat.engines.decoding.cache import KeyValues
from ultraandchat.engines.ultravox.slots import Element, Hold, Rank, Slots, common


class Paper(KeyValues):
    """A cache that only notes what was copied into it."""

    def __init__(self) -> None:
        super().__init__(1, 100)
        self.copied: list[int] = []

    def copy_prefix(self, other: KeyValues, count: int) -> None:
        self.copied.append(count)


OPENING = [1, 2, 3]


def made(count: int) -> Slots:
    return Slots(Paper() for _ in range(count))


def talk(slots: Slots, *elements: Element, rank: Rank = Rank.REPLY) -> Hold:
    """Take a slot, and compute all of it."""
    sequence = [*OPENING, *elements]
    digests = {element[0] for element in elements if isinstance(element, tuple)}
    hold = slots.take(sequence, len(OPENING), digests, rank)
    hold.slot.elements[:] = sequence
    return hold


def done(slots: Slots, *elements: Element, rank: Rank = Rank.REPLY) -> Hold:
    hold = talk(slots, *elements, rank=rank)
    slots.release(hold)
    return hold


def copied(hold: Hold) -> list[int]:
    assert isinstance(hold.slot.cache, Paper)
    return hold.slot.cache.copied


def test_a_conversation_comes_back_to_its_own() -> None:
    slots = made(3)
    first = done(slots, ("a", 0), 10)
    other = done(slots, ("b", 0), 10)
    assert first.slot is not other.slot
    assert done(slots, ("a", 0), 10, 11, ("c", 0)).slot is first.slot
    assert done(slots, ("b", 0), 12).slot is other.slot


def test_a_conversation_whose_beginning_was_left_out_is_known_by_its_sound() -> None:
    slots = made(3)
    first = done(slots, ("a", 0), 10, ("c", 0), 11)
    assert done(slots, ("c", 0), 11, 12).slot is first.slot


def test_a_newcomer_takes_the_opening_along_and_leaves_the_others_theirs() -> None:
    slots = made(2)
    first = done(slots, ("a", 0))
    newcomer = talk(slots, ("b", 0))
    assert newcomer.slot is not first.slot
    assert copied(newcomer) == [len(OPENING)]


def test_the_one_longest_unused_is_overwritten() -> None:
    slots = made(2)
    first, second = done(slots, ("a", 0)), done(slots, ("b", 0))
    done(slots, ("a", 0), 4)
    assert done(slots, ("c", 0)).slot is second.slot
    assert done(slots, ("a", 0), 4, 5).slot is first.slot


def test_one_in_use_is_left_alone_but_copied_from() -> None:
    slots = made(2)
    first = talk(slots, ("a", 0), 10, 11)
    second = talk(slots, ("a", 0), 10, 12)
    assert second.slot is not first.slot
    assert copied(second) == [len(OPENING) + 2]
    with pytest.raises(EngineOverloaded):
        talk(slots, ("b", 0))
    slots.release(first)
    assert talk(slots, ("b", 0)).slot is first.slot


def test_a_reply_goes_on_where_its_own_preparation_was() -> None:
    slots = made(2)
    preparing = talk(slots, ("a", 0), 10, rank=Rank.PREPARATION)
    reply = talk(slots, ("a", 0), 10, ("b", 0))
    assert reply.slot is preparing.slot
    assert preparing.lost
    assert not reply.lost
    slots.release(preparing)
    assert reply.slot.hold is reply


def test_a_transcript_gives_way_only_where_there_is_no_other_place() -> None:
    slots = made(2)
    transcript = talk(slots, ("a", 0), 10, rank=Rank.TRANSCRIPT)
    reply = talk(slots, ("a", 0), 11)
    assert reply.slot is not transcript.slot
    assert not transcript.lost
    assert not slots.may_take(Rank.TRANSCRIPT)
    assert slots.may_take(Rank.REPLY)
    other = talk(slots, ("b", 0))
    assert other.slot is transcript.slot
    assert transcript.lost
    assert not slots.may_take(Rank.REPLY)


def test_what_a_transcript_leaves_is_the_first_to_be_overwritten() -> None:
    slots = made(2)
    first = done(slots, ("a", 0))
    second = done(slots, ("b", 0), rank=Rank.TRANSCRIPT)
    assert done(slots, ("c", 0)).slot is second.slot
    assert done(slots, ("a", 0)).slot is first.slot


sequences = st.lists(st.integers(0, 2) | st.tuples(st.sampled_from("ab"), st.integers(0, 1)))


@given(sequences, sequences)
def test_the_common_prefix_is_common_and_the_longest(
    one: list[Element], other: list[Element]
) -> None:
    count = common(one, other)
    assert one[:count] == other[:count]
    assert one[count : count + 1] != other[count : count + 1] or count == len(one) == len(other)


@given(st.lists(st.tuples(sequences, st.sampled_from(Rank), st.booleans()), max_size=20))
def test_nobody_ever_holds_what_another_holds(
    story: list[tuple[list[Element], Rank, bool]],
) -> None:
    slots = made(3)
    holds: list[Hold] = []
    for elements, rank, ends in story:
        if slots.may_take(rank):
            hold = slots.take([*OPENING, *elements], 3, set(), rank)
            assert hold.slot.elements == [*OPENING, *elements][: len(hold.slot.elements)]
            hold.slot.elements[:] = [*OPENING, *elements]
            holds.append(hold)
        else:
            with pytest.raises(EngineOverloaded):
                slots.take([*OPENING, *elements], 3, set(), rank)
        if ends and holds:
            slots.release(holds.pop(0))
        held = [hold.slot for hold in holds if not hold.lost]
        assert len(held) == len({id(slot) for slot in held})
        assert all(not hold.lost for hold in holds if hold.rank is Rank.REPLY)
