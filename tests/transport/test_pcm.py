"""Binary frames: what is taken, what is refused and in which words, where a frame stands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.audio.frame import AudioFrame
from ultraandchat.transport.base import ProtocolError
from ultraandchat.transport.pcm import LONGEST_GAP, SoundParser, pack
from ultraandchat.transport.wire import HEADER, MAX_SOUND_BYTES, BadMessage


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
        (sound(0, codec=7), "codec 1, not 7"),
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
    assert parser.parse(sound(320 + LONGEST_GAP + 1)).position == last.end


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


@given(st.integers(0, 2**40), st.lists(st.integers(0, LONGEST_GAP), min_size=1, max_size=20))
def test_gaps_survive_the_wire(start: int, gaps: list[int]) -> None:
    parser = SoundParser()
    offset = parser.parse(sound(start)).position - start
    position = start + 320
    for gap in gaps:
        position += gap
        assert parser.parse(sound(position)).position - position == offset
        position += 320


def test_what_is_packed_names_itself_and_wraps() -> None:
    data = pack(AudioFrame(np.array([0.0, 1.0], np.float32), 24_000, 2**32 + 5))
    assert HEADER.unpack_from(data) == (1, 2, 0, 5)
    assert np.frombuffer(data, "<i2", offset=8).tolist() == [0, 32767]
