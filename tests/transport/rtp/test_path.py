"""One path on a clock that is told: reports each second, trouble, and what is passed on."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from tests.support.opus_senders import tone
from tests.support.rtp import FRAME
from ultraandchat.audio.frame import PLAYOUT_RATE, AudioFrame
from ultraandchat.transport.rtp.opus import find_opus
from ultraandchat.transport.rtp.packet import RtpPacket, build, parse
from ultraandchat.transport.rtp.path import (
    DEAD_S,
    KEPT_S,
    RTCP_PER_S,
    STALLED_S,
    TOGETHER,
    RtpPath,
)
from ultraandchat.transport.rtp.reception import ReceptionReport
from ultraandchat.transport.rtp.rtcp import Reports
from ultraandchat.transport.rtp.sender import SILENT_PACKET
from ultraandchat.transport.webrtc_config import WebRtcConfig

OURS, THEIRS = 0x1234, 0x5678
CONFIG = WebRtcConfig()


class Wire:
    """Where a bypass would be: keeps what is sent, hands in what a test says came."""

    ssrc = OURS

    def __init__(self) -> None:
        self.answered = False
        self.refused = 0
        self.failed = False
        self.full = False
        self.sent: list[RtpPacket] = []
        self.reports: list[bytes] = []
        self.rtp: Callable[[bytes], None]
        self.rtcp: Callable[[bytes], None]

    def listen(self, rtp: Callable[[bytes], None], rtcp: Callable[[bytes], None]) -> None:
        self.rtp, self.rtcp = rtp, rtcp

    def gets_there(self, within_s: float) -> bool:
        return self.answered

    def send(self, packet: bytes) -> bool:
        if not self.full:
            self.sent.append(parse(packet))
        return not self.full

    def send_rtcp(self, packet: bytes) -> bool:
        self.reports.append(packet)
        return True


class Story:
    """A path whose time passes in ticks of 20 ms."""

    def __init__(self) -> None:
        self.now = 100.0
        self.wire = Wire()
        self.heard: list[AudioFrame] = []
        self._number = 0
        self.theirs = Reports(THEIRS, "peer", self.now)
        self.path = RtpPath(
            self.wire,
            payload_type=111,
            name="story",
            opus=find_opus(),
            config=CONFIG,
            clock=lambda: self.now,
            heard=self.heard.append,
        )

    def passes(self, seconds: float, *, talking: bool = False) -> None:
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            if talking:
                self.comes()
            self.path.tick()

    def comes(self, payload: bytes = SILENT_PACKET) -> None:
        n = self._number
        self._number += 1
        self.wire.rtp(build(RtpPacket(111, False, n & 0xFFFF, n * FRAME, THEIRS, payload)))

    def loses(self) -> None:
        self._number += 1

    def report(self, heard: ReceptionReport | None = None) -> bytes:
        return self.theirs.made(self.now, timestamp=0, packets=0, octets=0, reception=heard)


def test_what_comes_is_heard_in_its_own_callback() -> None:
    story = Story()
    for _ in range(5):
        story.now += 0.02
        story.comes()
    assert [frame.position for frame in story.heard] == [0, 320, 640, 960, 1280]


def test_while_nobody_speaks_packets_are_heard_together_and_none_is_lost() -> None:
    story, closely = Story(), Story()
    story.path.attend(closely=False)
    for _ in range(TOGETHER * 10):
        for one in (story, closely):
            one.now += 0.02
            one.comes()
    assert [len(frame.samples) for frame in story.heard] == [TOGETHER * 320] * 10
    assert [frame.position for frame in story.heard] == [n * TOGETHER * 320 for n in range(10)]
    together = np.concatenate([frame.samples for frame in story.heard])
    np.testing.assert_array_equal(
        together, np.concatenate([frame.samples for frame in closely.heard])
    )


def test_what_was_kept_is_heard_as_soon_as_somebody_listens_closely() -> None:
    story = Story()
    story.path.attend(closely=False)
    story.comes()
    assert not story.heard
    story.path.attend(closely=True)
    assert len(story.heard) == 1
    story.comes()
    assert len(story.heard) == 2


def test_a_packet_waits_for_others_no_longer_than_it_may() -> None:
    """A sender of 60 ms frames, or one that falls silent, is not heard later and later."""
    story = Story()
    story.path.attend(closely=False)
    story.comes()
    story.passes(KEPT_S + 0.02)
    assert len(story.heard) == 1


def test_a_packet_that_was_kept_is_not_given_up() -> None:
    """It came late and in time, and lies with those that are to be taken together."""
    story = Story()
    story.path.attend(closely=False)
    for n in (0, 1, 3, 2):
        story.now += 0.01
        story.wire.rtp(build(RtpPacket(111, False, n, n * FRAME, THEIRS, SILENT_PACKET)))
    story.passes(KEPT_S + 0.1)
    assert (story.path.quality().lost, story.path.quality().late) == (0, 0)
    assert sum(len(frame.samples) for frame in story.heard) == 4 * 320


def test_what_waits_for_a_lost_packet_is_heard_with_a_tick() -> None:
    story = Story()
    story.passes(0.1, talking=True)
    story.loses()
    story.now += 0.02
    story.comes()
    before = len(story.heard)
    story.passes(0.5)
    assert len(story.heard) > before
    assert sum(len(frame.samples) for frame in story.heard) >= 7 * 320


def test_each_second_a_report_is_sent() -> None:
    story = Story()
    story.passes(3.0, talking=True)
    assert len(story.wire.reports) == 3


def test_frames_and_silence_go_out_as_one_stream() -> None:
    story = Story()
    story.path.silence(0)
    for n, part in enumerate(tone(440, 0.1).reshape(-1, FRAME), start=1):
        story.path.play(AudioFrame(part, PLAYOUT_RATE, n * FRAME))
    story.path.silence(6 * FRAME)
    sent = story.wire.sent
    assert {(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(sent)} == {FRAME}
    assert [one.marker for one in sent].index(True) == 1
    assert {one.ssrc for one in sent} == {OURS}


def test_what_the_socket_does_not_take_is_counted_once() -> None:
    story = Story()
    story.wire.full = True
    for n in range(3):
        story.path.silence(n * FRAME)
    assert story.path.dropped() == 3
    assert story.path.dropped() == 0


def test_a_peer_that_sends_is_there() -> None:
    story = Story()
    story.passes(1.0, talking=True)
    assert story.path.arrived
    assert story.path.trouble == ""


def test_a_muted_peer_that_only_reports_is_there_too() -> None:
    story = Story()
    for _ in range(30):
        story.wire.rtcp(story.report())
        story.passes(1.0)
    assert story.path.arrived
    assert story.path.trouble == ""


def test_a_path_is_stalled_while_nothing_comes_or_nothing_can_be_sent() -> None:
    story = Story()
    story.passes(1.0, talking=True)
    assert not story.path.stalled
    story.passes(STALLED_S + 0.1)
    assert story.path.stalled
    story.passes(0.02, talking=True)
    assert not story.path.stalled
    story.wire.full = True  # as when the connection is lost that carried it
    story.path.silence(0)
    assert story.path.stalled
    story.wire.full = False
    story.path.silence(FRAME)
    assert not story.path.stalled


def test_a_path_whose_packets_get_there_is_not_stalled_though_nothing_comes() -> None:
    story = Story()
    story.passes(0.1, talking=True)
    story.wire.answered = True
    story.passes(2.0)
    assert not story.path.stalled
    story.wire.answered = False
    assert story.path.stalled


def test_a_caller_who_sends_reports_and_no_sound_has_no_microphone() -> None:
    story = Story()
    story.passes(1.0, talking=True)
    story.passes(STALLED_S + 0.1)
    story.wire.rtcp(story.report())
    assert not story.path.stalled
    story.passes(5.0)
    assert not story.path.stalled
    story.passes(1.0, talking=True)
    story.passes(STALLED_S + 0.1)
    assert story.path.stalled


def test_a_peer_that_is_gone_without_a_goodbye_is_trouble_in_time() -> None:
    story = Story()
    story.passes(5.0, talking=True)
    story.passes(DEAD_S)
    assert story.path.trouble == ""
    story.passes(2.0)
    assert story.path.trouble == f"nothing came for {DEAD_S:.0f} s"
    assert not story.path.arrived


def test_a_peer_that_comes_back_in_time_is_no_trouble() -> None:
    story = Story()
    for _ in range(3):
        story.passes(DEAD_S - 2.0)
        story.passes(1.0, talking=True)
    assert story.path.trouble == ""


def test_a_second_burst_of_packets_is_no_trouble_and_a_lasting_flood_is() -> None:
    story = Story()
    for _ in range(450):
        story.comes()
    story.passes(1.0, talking=True)
    assert story.path.trouble == ""
    for _ in range(6 * 50):
        story.now += 0.02
        for _ in range(20):
            story.comes()
        story.path.tick()
    assert "far more packets" in story.path.trouble


def test_an_error_of_ours_is_trouble() -> None:
    story = Story()
    story.wire.failed = True
    assert story.path.trouble == "the server made an error"


def test_reports_tell_the_round_trip_and_what_was_forged() -> None:
    story = Story()
    story.passes(1.0, talking=True)
    story.theirs.take(story.wire.reports[-1], story.now)
    story.now += 0.06
    answered = story.report(heard=ReceptionReport(OURS, 0, 0, 50, 0))
    story.now += 0.04
    story.wire.rtcp(answered)
    story.wire.refused = 4
    quality = story.path.quality()
    assert quality.rtt_ms == pytest.approx(40.0, abs=1.0)
    assert quality.received == 50
    assert quality.refused == 4
    assert story.path.quality().refused == 0


def test_a_storm_of_reports_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    take = Reports.take

    def counted(reports: Reports, data: bytes, now: float) -> object:
        read.append(data)
        return take(reports, data, now)

    monkeypatch.setattr(Reports, "take", counted)
    story = Story()
    for _ in range(10 * RTCP_PER_S):
        story.wire.rtcp(story.report())
    assert len(read) == RTCP_PER_S
    story.passes(1.0)
    story.wire.rtcp(story.report())
    assert len(read) == RTCP_PER_S + 1


@pytest.mark.parametrize("junk", [b"", b"\x80\xc8", b"\x80\xc8\xff\xff" * 9, bytes(200)])
def test_junk_harms_nothing(junk: bytes) -> None:
    story = Story()
    story.wire.rtcp(junk)
    story.wire.rtp(junk)
    story.passes(0.2, talking=True)
    assert sum(len(frame.samples) for frame in story.heard) == 10 * 320
    assert all(np.all(np.isfinite(frame.samples)) for frame in story.heard)
