"""Frames to packets: numbers that follow the sound, silence that carries its end, and less on a full path."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.opus_senders import tone
from ultraandchat.audio.frame import PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.transport.rtp.opus import find_opus
from ultraandchat.transport.rtp.packet import RtpPacket, parse
from ultraandchat.transport.rtp.sender import (
    FRAME,
    HEAVY_LOSS,
    LEAST_BITRATE,
    LIGHT_LOSS,
    SILENT_PACKET,
    RtpSender,
)

BITRATE = 32_000


class CountingEncoder:
    """Numbers what it is given; keeps what it was told."""

    lookahead = 312

    def __init__(self) -> None:
        self.encoded: list[Samples] = []
        self.resets: list[int] = []
        self.told: list[tuple[int, int]] = []

    def encode(self, samples: Samples) -> bytes:
        self.encoded.append(samples)
        return b"\xf8" + bytes([len(self.encoded)])

    def adapt(self, *, bitrate: int, loss_percent: int) -> None:
        self.told.append((bitrate, loss_percent))

    def reset(self) -> None:
        self.resets.append(len(self.encoded))


class Stream:
    """A sender and what it sent."""

    def __init__(self, bitrate: int = BITRATE) -> None:
        self.encoder = CountingEncoder()
        self.sender = RtpSender(
            self.encoder,
            bitrate=bitrate,
            payload_type=111,
            ssrc=7,
            first_sequence=65_530,
            first_timestamp=2**32 - 5_000,
        )
        self.sent: list[RtpPacket] = []
        self._position = 0

    def sound(self, frames: int = 1) -> None:
        for _ in range(frames):
            frame = AudioFrame(tone(440, 0.02), PLAYOUT_RATE, self._position)
            self._send(self.sender.sound(frame))

    def silence(self, frames: int = 1) -> None:
        for _ in range(frames):
            self._send(self.sender.silence(self._position))

    def _send(self, data: bytes) -> None:
        self.sent.append(parse(data))
        self._position += FRAME


def test_numbers_go_on_and_wrap_around() -> None:
    stream = Stream()
    stream.silence(3)
    stream.sound(5)
    stream.silence(5)
    assert {(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(stream.sent)} == {1}
    assert {(b.timestamp - a.timestamp) & 0xFFFF_FFFF for a, b in pairwise(stream.sent)} == {FRAME}
    assert {(one.ssrc, one.payload_type) for one in stream.sent} == {(7, 111)}
    assert stream.sent[0].timestamp == 2**32 - 5_000


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=20))
def test_a_timestamp_is_where_the_frame_stands(frames: list[int]) -> None:
    stream = Stream()
    for index in frames:
        packet = parse(stream.sender.silence(index * FRAME))
        assert packet.timestamp == (2**32 - 5_000 + index * FRAME) % 2**32


def test_the_first_packet_of_sound_is_marked() -> None:
    stream = Stream()
    stream.silence(2)
    stream.sound(3)
    stream.silence(2)
    stream.sound(2)
    assert [n for n, one in enumerate(stream.sent) if one.marker] == [2, 7]


def test_sound_from_the_beginning_is_marked_too() -> None:
    stream = Stream()
    stream.sound(2)
    assert [one.marker for one in stream.sent] == [True, False]


def test_silence_costs_no_encoding() -> None:
    stream = Stream()
    stream.silence(50)
    assert not stream.encoder.encoded
    assert {one.payload for one in stream.sent} == {SILENT_PACKET}


def test_the_first_silence_after_sound_carries_its_end_and_resets_the_encoder() -> None:
    stream = Stream()
    stream.sound(2)
    stream.silence(3)
    assert [one.payload for one in stream.sent[2:]] == [b"\xf8\x03", SILENT_PACKET, SILENT_PACKET]
    assert not np.any(stream.encoder.encoded[2])
    assert stream.encoder.resets == [3]
    stream.sound()
    assert stream.encoder.resets == [3]


def test_packets_and_bytes_of_payload_are_counted() -> None:
    stream = Stream()
    stream.sound(2)
    stream.silence(2)
    assert stream.sender.packets == 4
    assert stream.sender.octets == sum(len(one.payload) for one in stream.sent)


def test_all_of_the_sound_is_heard_and_then_nothing() -> None:
    """The look-ahead of the encoder would swallow the last 6.5 ms of every reply."""
    opus = find_opus()
    encoder = opus.encoder(bitrate=BITRATE, complexity=2, fec=False)
    sender = RtpSender(
        encoder, bitrate=BITRATE, payload_type=111, ssrc=7, first_sequence=0, first_timestamp=0
    )
    decoder = opus.decoder(PLAYOUT_RATE)
    sound = tone(440, 0.2)
    heard = [
        decoder.decode(parse(sender.sound(AudioFrame(part, PLAYOUT_RATE, n * FRAME))).payload)
        for n, part in enumerate(sound.reshape(-1, FRAME))
    ]
    heard += [decoder.decode(parse(sender.silence(n * FRAME)).payload) for n in range(10, 15)]
    end = np.concatenate(heard)[len(sound) :]
    held_back = end[: encoder.lookahead]
    assert np.sqrt(np.mean(held_back**2)) > 0.1
    assert np.max(np.abs(end[2 * FRAME :])) < 1e-3


# --- the path's state ------------------------------------------------------------------------------


def test_a_clear_path_is_sent_all_that_was_configured() -> None:
    stream = Stream()
    for _ in range(20):
        stream.sender.reported(0.0)
    assert stream.encoder.told[-1] == (BITRATE, 0)


def test_heavy_loss_lowers_what_is_sent_down_to_a_bound() -> None:
    stream = Stream()
    for _ in range(60):
        stream.sender.reported(0.5)
    told = [bitrate for bitrate, _ in stream.encoder.told]
    assert told == sorted(told, reverse=True)
    assert told[-1] == LEAST_BITRATE


def test_it_comes_back_once_the_loss_is_over() -> None:
    stream = Stream()
    for _ in range(60):
        stream.sender.reported(0.5)
    for _ in range(60):
        stream.sender.reported(0.0)
    assert stream.sender.bitrate == BITRATE


def test_between_light_and_heavy_it_stays() -> None:
    stream = Stream()
    stream.sender.loss = (LIGHT_LOSS + HEAVY_LOSS) / 2
    for _ in range(50):
        stream.sender.reported((LIGHT_LOSS + HEAVY_LOSS) / 2)
    assert stream.sender.bitrate == BITRATE


def test_one_bad_report_changes_little() -> None:
    stream = Stream()
    stream.sender.reported(0.3)
    assert stream.sender.bitrate == BITRATE
    assert stream.sender.loss < HEAVY_LOSS


def test_the_encoder_is_told_more_loss_than_there_was() -> None:
    stream = Stream()
    for _ in range(50):
        stream.sender.reported(0.04)
    assert stream.encoder.told[-1][1] == 6


def test_a_small_bitrate_stays_as_it_was_configured() -> None:
    stream = Stream(bitrate=8_000)
    for _ in range(50):
        stream.sender.reported(1.0)
    assert stream.encoder.told[-1] == (8_000, 100)


@given(st.lists(st.floats(0, 1), max_size=100), st.integers(6_000, 128_000))
def test_whatever_is_reported_stays_within_bounds(losses: list[float], bitrate: int) -> None:
    stream = Stream(bitrate)
    for loss in losses:
        stream.sender.reported(loss)
    for told, percent in stream.encoder.told:
        assert min(LEAST_BITRATE, bitrate) <= told <= bitrate
        assert 0 <= percent <= 100


@pytest.mark.parametrize("name", ["libopus", "stored"])
def test_the_stored_packet_is_twenty_milliseconds_of_nothing(name: str) -> None:
    decoder = find_opus().decoder(PLAYOUT_RATE)
    if name == "libopus":
        encoder = find_opus().encoder(bitrate=BITRATE, complexity=2, fec=False)
        for part in tone(440, 0.1).reshape(-1, FRAME):
            decoder.decode(encoder.encode(part))
        decoder.decode(encoder.encode(np.zeros(FRAME, np.float32)))
    silent = [decoder.decode(SILENT_PACKET) for _ in range(3)]
    assert [len(one) for one in silent] == [FRAME] * 3
    assert not np.any(silent[2])
