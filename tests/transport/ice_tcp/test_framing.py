"""Packets on a stream: however it is cut, the same packets come out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.transport.ice_tcp.framing import Framing, TooLong, framed

LARGEST = 64
PACKETS = st.lists(st.binary(max_size=LARGEST), max_size=20)


def fed(framing: Framing, stream: bytes) -> list[bytes]:
    """What a reader hands out that is given these bytes, as many at a time as there is room for."""
    packets = []
    while stream:
        room = framing.room
        taken, stream = stream[: len(room)], stream[len(room) :]
        room[: len(taken)] = taken
        framing.filled(len(taken))
        while (packet := framing.next()) is not None:
            packets.append(packet)
    return packets


@given(PACKETS, st.lists(st.integers(1, 3 * LARGEST)))
def test_the_same_packets_come_out_however_the_stream_is_cut(
    packets: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(map(framed, packets))
    framing = Framing(LARGEST)
    seen = []
    for cut in cuts:
        seen += fed(framing, stream[:cut])
        stream = stream[cut:]
    seen += fed(framing, stream)
    assert seen == [packet for packet in packets if packet]


@given(PACKETS, st.integers(0, 20 * LARGEST), st.integers(LARGEST, 4 * LARGEST))
def test_growing_in_the_middle_loses_nothing(packets: list[bytes], at: int, largest: int) -> None:
    stream = b"".join(map(framed, packets))
    framing = Framing(LARGEST)
    seen = fed(framing, stream[:at])
    framing.grow(largest)
    seen += fed(framing, stream[at:] + framed(b"x" * largest))
    assert seen == [*(packet for packet in packets if packet), b"x" * largest]


@given(st.binary(max_size=2_000))
def test_any_bytes_are_packets_or_too_long_and_the_buffer_stays_as_it_is(stream: bytes) -> None:
    framing = Framing(LARGEST)
    whole = len(framing.room)
    seen: list[bytes] = []
    try:
        seen += fed(framing, stream)
        assert 0 < len(framing.room) <= whole
    except TooLong:
        pass
    assert all(0 < len(packet) <= LARGEST for packet in seen)


def test_a_length_beyond_the_largest_is_refused_before_the_packet_is_there() -> None:
    framing = Framing(LARGEST)
    with pytest.raises(TooLong):
        fed(framing, (LARGEST + 1).to_bytes(2, "big"))


def test_what_came_together_is_held_against_the_length_that_holds_when_it_is_taken() -> None:
    """The first packet binds a connection, and only then longer ones are taken."""
    framing = Framing(LARGEST)
    stream = framed(b"first") + (LARGEST + 8).to_bytes(2, "big")
    framing.room[: len(stream)] = stream
    framing.filled(len(stream))
    assert framing.next() == b"first"
    framing.grow(2 * LARGEST)
    assert framing.next() is None
    assert fed(framing, b"y" * (LARGEST + 8)) == [b"y" * (LARGEST + 8)]
