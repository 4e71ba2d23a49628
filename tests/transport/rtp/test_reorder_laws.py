"""What the reordering buffer keeps to on any network."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.link import TICK_S, Arrival, with_ticks
from tests.support.rtp import FRAME, number, packet
from ultraandchat.transport.rtp.media_time import Gap
from ultraandchat.transport.rtp.packet import RtpPacket
from ultraandchat.transport.rtp.reorder import LEAST_WAIT_S, MOST_WAIT_S, Placed, Reordering

fates = st.lists(
    st.tuples(
        st.sampled_from(["comes", "comes", "comes", "comes", "lost", "twice"]),
        st.floats(0, 0.25),
    ),
    min_size=1,
    max_size=80,
)


def _arrivals(fates: list[tuple[str, float]]) -> list[tuple[float, int]]:
    arrivals = []
    for n, (fate, late) in enumerate(fates):
        if fate != "lost" or n == 0:
            arrivals.append((n * 0.02 + late * (n > 0), n))
        if fate == "twice":
            arrivals.append((n * 0.02 + 0.3 * late, n))
    return sorted(arrivals)


def _run(fates: list[tuple[str, float]]) -> tuple[list[tuple[float, Placed]], dict[int, float]]:
    """What comes out and when, and when each packet arrived first."""
    buffer = Reordering()
    out: list[tuple[float, Placed]] = []
    arrived: dict[int, float] = {}
    arrivals = [Arrival(at, n.to_bytes(2)) for at, n in _arrivals(fates)]
    for now, data in with_ticks(arrivals, arrivals[-1].at + 1):
        if data is None:
            placed = buffer.due(now)
        else:
            n = int.from_bytes(data)
            arrived.setdefault(n, now)
            placed = buffer.put(packet(n), FRAME, now)
        out += [(now, item) for item in placed]
    return out, arrived


@settings(max_examples=200, deadline=None)
@given(fates)
def test_nothing_comes_out_of_order_twice_or_after_the_bound(
    fates: list[tuple[str, float]],
) -> None:
    out, arrived = _run(fates)
    numbers = [number(item) for _, item in out if isinstance(item, RtpPacket)]
    assert numbers == sorted(set(numbers))
    assert all(
        now - arrived[number(item)] <= MOST_WAIT_S + TICK_S + 1e-9
        for now, item in out
        if isinstance(item, RtpPacket)
    )


@settings(max_examples=200, deadline=None)
@given(fates)
def test_as_much_media_time_comes_out_as_was_sent(fates: list[tuple[str, float]]) -> None:
    out, _ = _run(fates)
    items = [item for _, item in out]
    numbers = [number(item) for item in items if isinstance(item, RtpPacket)]
    samples = sum(item.samples if isinstance(item, Gap) else FRAME for item in items)
    assert samples == (numbers[-1] - numbers[0] + 1) * FRAME


@settings(max_examples=100, deadline=None)
@given(fates)
def test_a_lost_gap_stands_in_front_of_the_packet_that_follows_it(
    fates: list[tuple[str, float]],
) -> None:
    items = [item for _, item in _run(fates)[0]]
    for at, item in enumerate(items):
        if isinstance(item, Gap):
            assert item.lost
            assert isinstance(items[at + 1], RtpPacket)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_loss_without_reordering_never_makes_the_wait_longer(lost: list[bool]) -> None:
    buffer = Reordering()
    for n, is_lost in enumerate(lost):
        if not is_lost:
            buffer.put(packet(n), FRAME, n * 0.02)
        buffer.due(n * 0.02 + 0.01)
        assert buffer.bound.at(n * 0.02) == LEAST_WAIT_S


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFF_FFFF),
            st.integers(0, 5760),
            st.floats(0, 1),
        ),
        max_size=60,
    )
)
def test_whatever_comes_no_gap_is_long_and_nothing_is_made_up(
    junk: list[tuple[int, int, int, float]],
) -> None:
    buffer, now, out = Reordering(), 0.0, 0
    for put, (sequence, timestamp, duration, passed) in enumerate(junk, start=1):
        now += passed
        placed = buffer.put(RtpPacket(111, False, sequence, timestamp, 1, b"x"), duration, now)
        placed += buffer.due(now)
        out += sum(isinstance(item, RtpPacket) for item in placed)
        assert out <= put
        assert all(0 < item.samples <= 96_000 for item in placed if isinstance(item, Gap))


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 0xFFFF),
    st.integers(0, 2**32 - 1),
    st.lists(
        st.tuples(
            st.sampled_from([120, 480, 960, 1_920, 2_880, 5_760]), st.booleans(), st.integers(0, 30)
        ),
        min_size=1,
        max_size=60,
    ),
)
def test_packets_of_any_length_keep_the_media_time(
    sequence: int, timestamp: int, sent: list[tuple[int, bool, int]]
) -> None:
    """Lengths that change, losses, and a sender's silence of up to 30 steps after any packet."""
    buffer, now, first, out = Reordering(), 0.0, timestamp, 0
    spoken = timestamp
    for n, (duration, lost, silent_steps) in enumerate(sent):
        one = RtpPacket(111, False, (sequence + n) & 0xFFFF, timestamp & 0xFFFF_FFFF, 1, b"sound")
        if not lost or n == 0:
            placed = buffer.put(one, duration, now) + buffer.due(now + MOST_WAIT_S)
            out += sum(item.samples if isinstance(item, Gap) else duration for item in placed)
            spoken = timestamp + duration
        timestamp += duration + 960 * silent_steps
        now += (duration + 960 * silent_steps) / 48_000 + MOST_WAIT_S
    if spoken - first <= 96_000:  # no gap can have been cut to two seconds
        assert out == spoken - first
    else:
        assert out <= spoken - first
