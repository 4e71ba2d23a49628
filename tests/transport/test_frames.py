"""Binary frames of either codec: what is taken, what is refused and in which words, where a frame stands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.opus_senders import payloads, tone
from ultraandchat.audio.frame import AudioFrame
from ultraandchat.transport.base import ProtocolError
from ultraandchat.transport.frames import (
    LONGEST_GAP,
    MAX_OPUS_BYTES,
    SoundParser,
    opus_frame,
    pcm_frame,
)
from ultraandchat.transport.rtp.av_opus import AvOpus
from ultraandchat.transport.rtp.opus import Opus, find_opus
from ultraandchat.transport.wire import HEADER, MAX_SOUND_BYTES, BadMessage

OPUS = find_opus()
EITHER = pytest.mark.parametrize("opus", [OPUS, AvOpus()], ids=["libopus", "PyAV"])
TONE = payloads(tone(440, 0.4))
GAP = LONGEST_GAP // 3
"""At 16 kHz."""


def packet(position: int, payload: bytes = TONE[5]) -> bytes:
    """Of Opus; `position` at 48 kHz."""
    return HEADER.pack(1, 3, 0, position % 2**32) + payload


def sound(
    position: int, samples: int = 320, *, kind: int = 1, codec: int = 1, odd: int = 0
) -> bytes:
    return HEADER.pack(kind, codec, 0, position % 2**32) + b"\x01\x02" * samples + b"\0" * odd


def test_a_frame_is_sound_at_its_position() -> None:
    frame = SoundParser().parse(
        HEADER.pack(1, 1, 0, 960) + np.array([16384, -32768], "<i2").tobytes()
    )
    assert frame.position == 960
    assert frame.rate == 16_000
    np.testing.assert_array_equal(frame.samples, np.array([0.5, -1.0], np.float32))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "header"),
        (b"\x01\x01\x00", "header"),
        (sound(0, kind=9), "kind 9"),
        (sound(0, codec=7), "codec 1 or 3, not 7"),
        (sound(0, odd=1), "even"),
        (sound(0, samples=0), "no sound"),
    ],
)
def test_what_is_no_sound_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(BadMessage, match=words) as refused:
        SoundParser().parse(data)
    assert refused.value.answer.code == "bad_sound"


def test_more_than_a_second_in_one_frame_is_too_big() -> None:
    with pytest.raises(ProtocolError) as too_big:
        SoundParser().parse(bytes(MAX_SOUND_BYTES + 2))
    assert too_big.value.code == 1009


def test_positions_go_on_where_the_wire_wraps() -> None:
    parser = SoundParser()
    first = parser.parse(sound(2**32 - 320))
    second = parser.parse(sound(0))
    assert second.position == first.end


def test_a_lost_frame_is_a_gap() -> None:
    parser = SoundParser()
    parser.parse(sound(0))
    assert parser.parse(sound(960)).position == 960


def test_a_caller_that_counts_anew_is_heard_on() -> None:
    parser = SoundParser()
    last = parser.parse(sound(16_000))
    again = parser.parse(sound(0))
    assert again.position == last.end
    assert parser.parse(sound(320)).position == again.end


def test_a_jump_beyond_the_longest_gap_counts_anew() -> None:
    parser = SoundParser()
    last = parser.parse(sound(0))
    assert parser.parse(sound(320 + GAP + 1)).position == last.end


@given(st.lists(st.binary(max_size=700), max_size=20))
def test_no_bytes_do_more_than_be_refused(frames: list[bytes]) -> None:
    parser = SoundParser()
    end = 0
    for data in frames:
        try:
            frame = parser.parse(data)
        except BadMessage:
            continue
        assert frame.position >= end
        assert np.all(np.abs(frame.samples) <= 1.0)
        end = frame.end


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 400)), max_size=30))
def test_positions_never_go_back_whatever_is_claimed(claims: list[tuple[int, int]]) -> None:
    parser = SoundParser()
    end = 0
    for position, samples in claims:
        frame = parser.parse(sound(position, samples))
        assert frame.position >= end
        end = frame.end


@given(st.integers(0, 2**40), st.lists(st.integers(0, GAP), min_size=1, max_size=20))
def test_gaps_survive_the_wire(start: int, gaps: list[int]) -> None:
    parser = SoundParser()
    offset = parser.parse(sound(start)).position - start
    position = start + 320
    for gap in gaps:
        position += gap
        assert parser.parse(sound(position)).position - position == offset
        position += 320


def test_what_is_packed_names_itself_and_wraps() -> None:
    data = pcm_frame(AudioFrame(np.array([0.0, 1.0], np.float32), 24_000, 2**32 + 5))
    assert HEADER.unpack_from(data) == (1, 2, 0, 5)
    assert np.frombuffer(data, "<i2", offset=8).tolist() == [0, 32767]


# --- Opus --------------------------------------------------------------------------------------------


@EITHER
def test_a_packet_is_sound_at_its_position(opus: Opus) -> None:
    parser = SoundParser(opus)
    frames = [parser.parse(packet(960 * n, payload)) for n, payload in enumerate(TONE)]
    assert [frame.position for frame in frames] == [320 * n for n in range(len(TONE))]
    heard = np.concatenate([frame.samples for frame in frames])[3_200:]
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    crossings = np.sum(np.diff(np.signbit(heard)))
    assert crossings / 2 / (len(heard) / 16_000) == pytest.approx(440, rel=0.02)


@pytest.mark.parametrize("frame_ms", [5, 10, 20, 40, 60])
def test_packets_of_any_length_keep_the_time(frame_ms: int) -> None:
    """20 ms is what callers are asked for; an encoder that makes others is heard all the same."""
    parser = SoundParser(OPUS)
    step = 48 * frame_ms
    application = "voip" if frame_ms >= 10 else "lowdelay"
    made = payloads(tone(440, 0.24), frame_ms=frame_ms, application=application)
    frames = [parser.parse(packet(n * step, payload)) for n, payload in enumerate(made)]
    assert all(len(frame.samples) == step // 3 for frame in frames)
    assert frames[-1].position == (len(made) - 1) * step // 3


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "no sound"),
        (b"\xff", "no Opus"),  # ends before its number of frames
        (b"\xfb\x00", "no Opus"),  # no frames
        (b"\xfb\x3f" + b"\0" * 63, "no Opus"),  # 1.26 s
        (b"\xfb\x02" + b"\0" * 3, "no Opus"),  # two frames of 1.5 bytes
        (TONE[5] + bytes(MAX_OPUS_BYTES), "at most 1276 bytes"),
    ],
)
@EITHER
def test_what_is_no_opus_is_refused_in_words(opus: Opus, payload: bytes, words: str) -> None:
    parser = SoundParser(opus)
    before = parser.parse(packet(0))
    with pytest.raises(BadMessage, match=words) as refused:
        parser.parse(packet(960, payload))
    assert refused.value.answer.code == "bad_sound"
    assert parser.parse(packet(960)).position == before.end


def test_a_server_without_opus_refuses_it_in_words() -> None:
    with pytest.raises(BadMessage, match="takes no Opus; send PCM16"):
        SoundParser().parse(packet(0))


def test_a_caller_may_change_the_codec_and_stays_on_one_timeline() -> None:
    parser = SoundParser(OPUS)
    first = parser.parse(packet(48_000))
    second = parser.parse(sound(16_320))
    third = parser.parse(packet(49_920 + 960))  # one frame was lost on the way
    assert (second.position, third.position) == (first.end, second.end + 320)


def test_positions_of_opus_go_on_where_the_wire_wraps() -> None:
    parser = SoundParser(OPUS)
    first = parser.parse(packet(2**32 - 960))
    assert parser.parse(packet(0)).position == first.end


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=1_400)), max_size=20))
def test_no_packet_does_more_than_be_refused(packets: list[tuple[int, bytes]]) -> None:
    parser = SoundParser(OPUS)
    end = 0
    for position, payload in packets:
        try:
            frame = parser.parse(packet(position, payload))
        except BadMessage:
            continue
        assert 0 < len(frame.samples) <= 1_920
        assert frame.position >= end
        assert np.all(np.abs(frame.samples) <= 1.0)
        end = frame.end


@given(st.integers(0, 255), st.binary(max_size=400), st.integers(0, len(TONE) - 1))
def test_a_damaged_packet_harms_nothing_after_it(toc: int, rest: bytes, at: int) -> None:
    parser = SoundParser(OPUS)
    for n, payload in enumerate(TONE):
        damaged = bytes([toc]) + rest if n == at else payload
        try:
            frame = parser.parse(packet(960 * n, damaged))
        except BadMessage:
            assert n == at
            continue
        assert np.all(np.isfinite(frame.samples))


def test_a_packet_to_the_caller_names_itself_and_wraps() -> None:
    data = opus_frame(TONE[0], 2**32 + 5)
    assert HEADER.unpack_from(data) == (1, 3, 0, 5)
    assert data[8:] == TONE[0]
