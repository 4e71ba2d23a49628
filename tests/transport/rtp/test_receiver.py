"""From decrypted packets to frames: what is taken, what is refused, and the account of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rtp import FRAME, SILENT, PlainDecoder, packet, plain
from ultraandchat.audio.frame import AudioFrame
from ultraandchat.transport.rtp.opus import find_opus
from ultraandchat.transport.rtp.packet import RtpPacket, build
from ultraandchat.transport.rtp.receiver import RtpReceiver

TONE = plain(np.full(320, 0.5, np.float32))


class Story:
    """A receiver and one sender's packets to it; instants in ms."""

    def __init__(self) -> None:
        self.decoder = PlainDecoder()
        self.receiver = RtpReceiver(self.decoder, payload_type=111)
        self.frames: list[AudioFrame] = []

    def put(self, at_ms: float, n: int, **changes: object) -> int:
        """The samples that came out for the `n`th packet, with some of its fields changed."""
        sent = packet(n, payload=TONE)._replace(**changes)  # type: ignore[arg-type]
        return self.take(at_ms, build(sent))

    def take(self, at_ms: float, data: bytes) -> int:
        return self._heard(self.receiver.take(data, at_ms / 1000))

    def tick(self, at_ms: float) -> int:
        return self._heard(self.receiver.tick(at_ms / 1000))

    def _heard(self, frames: list[AudioFrame]) -> int:
        self.frames += frames
        return sum(len(frame.samples) for frame in frames)


def test_every_packet_in_order_is_one_frame_on_a_timeline_from_zero() -> None:
    story = Story()
    for n in range(10):
        assert story.put(20 * n, n) == 320
    assert [frame.position for frame in story.frames] == list(range(0, 3200, 320))
    assert {frame.rate for frame in story.frames} == {16_000}


def test_a_loss_is_filled_when_its_wait_is_over() -> None:
    story = Story()
    story.put(0, 0)
    assert story.put(40, 2) == 0
    assert story.tick(61) == 640
    assert story.frames[-1].end == 960


# --- what is refused ---------------------------------------------------------------------------------


def test_what_is_no_rtp_is_counted_and_changes_nothing() -> None:
    story = Story()
    story.put(0, 0)
    for junk in (b"", b"junk", bytes(40), b"\x80" * 11):
        assert story.take(10, junk) == 0
    assert story.put(20, 1) == 320
    assert story.receiver.refusals == {"no rtp": 4}


def test_another_payload_type_is_counted_and_begins_no_stream() -> None:
    story = Story()
    assert story.put(0, 5, payload_type=0, ssrc=99) == 0
    assert story.put(20, 0) == 320
    assert story.receiver.refusals == {"payload type": 1}


def test_comfort_noise_and_key_tones_keep_their_place_in_the_sequence() -> None:
    story = Story()
    story.put(0, 0)
    assert story.put(20, 1, payload_type=13, payload=b"\x20") == 0
    assert story.put(40, 2) == 640  # at once: nothing is missing but the sound of the other packet
    assert np.all(story.frames[1].samples == 0)


def test_a_payload_that_is_no_opus_is_as_good_as_lost() -> None:
    story = Story()
    story.put(0, 0)
    assert story.put(20, 1, payload=b"\xff") == 0
    assert story.put(40, 2) == 0
    assert story.tick(61) == 640
    assert story.receiver.refusals == {"payload": 1}


# --- a second stream ------------------------------------------------------------------------------------


def test_a_second_stream_at_the_same_time_is_not_heard() -> None:
    story = Story()
    for n in range(500):
        assert story.put(20 * n, n) == 320
        assert story.put(20 * n + 5, n, ssrc=2) == 0
    assert story.receiver.refusals == {"stream": 500}


def test_a_new_stream_is_heard_at_once_when_the_old_one_is_over() -> None:
    story = Story()
    story.put(0, 0)
    assert story.put(1_990, 700, ssrc=2) == 0
    assert story.put(2_010, 701, ssrc=2) == 320
    assert story.decoder.resets == 1
    assert story.frames[-1].position == 320
    assert story.put(2_020, 1) == 0


def test_a_new_stream_takes_over_when_it_goes_on_and_the_old_one_is_silent() -> None:
    story = Story()
    story.put(0, 0)
    heard = [story.put(20 * n, n, ssrc=2) for n in range(1, 40)]
    assert heard[:24] == [0] * 24
    assert heard[24:] == [320] * 15


def test_a_burst_of_another_stream_takes_nothing_over_between_two_packets_of_a_silent_one() -> None:
    story = Story()
    story.put(0, 0, payload=SILENT)
    assert [story.put(400, n, ssrc=2) for n in range(60)] == [0] * 60
    story.put(401, 1, payload=SILENT)
    assert story.put(420, 61, ssrc=2) == 0


# --- too much -------------------------------------------------------------------------------------------


def test_the_burst_after_a_stall_of_four_seconds_is_heard_whole() -> None:
    story = Story()
    story.put(0, 0)
    assert sum(story.put(4_000, n) for n in range(1, 201)) == 200 * 320
    assert not story.receiver.flood


def test_a_thousand_packets_a_second_are_dropped_and_after_five_seconds_a_flood() -> None:
    story = Story()
    flood_ms = 0
    for n in range(10_000):
        story.put(n, n)
        if story.receiver.flood and not flood_ms:
            flood_ms = n
    assert 5_000 < flood_ms < 6_000
    assert len(story.frames) <= 300 + 3 * 10 * 50  # media time at three times the clock
    assert story.receiver.refusals["flood"] > 7_000


def test_two_bursts_with_a_pause_between_them_are_no_flood() -> None:
    story = Story()
    for start in (0, 4_000, 8_000, 12_000):
        for n in range(700):
            story.put(start, n)
    assert story.receiver.refusals["flood"] > 0
    assert not story.receiver.flood


def test_timestamps_that_claim_a_second_of_silence_in_every_packet_make_none_of_it() -> None:
    story = Story()
    for n in range(1_000):
        story.put(20 * n, n, timestamp=n * 48_000)
    assert story.frames[-1].end < 16_000 * (20 * 3 + 5)


# --- the account ------------------------------------------------------------------------------------------


def test_quality_is_the_account_since_the_last_call() -> None:
    story = Story()
    for n in (0, 1, 3, 4):
        story.put(20 * n, n)
    story.tick(85)
    story.put(95, 2)
    story.take(96, b"junk")
    first = story.receiver.quality(0.1)
    assert (first.received, first.lost, first.late, first.refused) == (4, 1, 1, 1)
    assert first.concealed_s == 0.02
    assert first.wait_ms == pytest.approx(45, abs=0.1)  # it came 35 ms after it had been missed
    second = story.receiver.quality(0.1)
    assert (second.received, second.lost, second.late, second.refused) == (0, 0, 0, 0)
    assert second.concealed_s == 0


def test_a_report_is_of_the_stream_that_is_heard() -> None:
    story = Story()
    assert story.receiver.report() is None
    for n in (0, 1, 3):
        story.put(20 * n, n)
        story.put(20 * n, n, ssrc=2)
    report = story.receiver.report()
    assert report is not None
    assert (report.ssrc, report.lost, report.fraction_lost) == (1, 1, 64)


# --- anything ------------------------------------------------------------------------------------------------

packets = st.builds(
    RtpPacket,
    st.sampled_from([111, 111, 111, 0, 13]),
    st.booleans(),
    st.one_of(st.integers(0, 40), st.integers(0, 0xFFFF)),
    st.one_of(st.integers(0, 40).map(lambda n: n * FRAME), st.integers(0, 2**32 - 1)),
    st.sampled_from([1, 1, 1, 2]),
    st.binary(max_size=60),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(packets.map(build), st.binary(max_size=60)), st.floats(0, 3)),
        max_size=60,
    )
)
def test_whatever_comes_the_timeline_is_unbroken_and_no_faster_than_allowed(
    junk: list[tuple[bytes, float]],
) -> None:
    receiver, now, position = RtpReceiver(find_opus().decoder(), payload_type=111), 0.0, 0
    for data, passed in junk:
        now += passed
        for frame in [*receiver.take(data, now), *receiver.tick(now)]:
            assert frame.position == position
            assert np.isfinite(frame.samples).all()
            position = frame.end
        receiver.quality(now)
        receiver.report()
    assert position <= 16_000 * (5 + 3 * now)
