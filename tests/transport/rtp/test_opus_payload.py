"""How much sound a payload says it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.opus_senders import payloads, tone
from ultraandchat.transport.rtp.opus_payload import OpusError, duration

SILK = [10.0, 20.0, 40.0, 60.0]
HYBRID = [10.0, 20.0]
CELT = [2.5, 5.0, 10.0, 20.0]
FRAME_MS = SILK * 3 + HYBRID * 2 + CELT * 4
"""Of the 32 configurations, as table 2 of RFC 6716 lists them."""


@pytest.mark.parametrize("configuration", range(32))
def test_one_and_two_frames_are_told_by_the_first_byte(configuration: int) -> None:
    ms = FRAME_MS[configuration]
    for stereo in (0, 4):
        toc = configuration << 3 | stereo
        assert duration(bytes([toc]), 48_000) == ms * 48
        assert duration(bytes([toc | 1, 0, 0]), 48_000) == 2 * ms * 48
        assert duration(bytes([toc | 2, 0]), 16_000) == 2 * ms * 16


@given(configuration=st.integers(0, 31), count=st.integers(0, 63), flags=st.integers(0, 3))
def test_any_number_of_frames_is_told_by_the_second_up_to_120_ms(
    configuration: int, count: int, flags: int
) -> None:
    payload = bytes([configuration << 3 | 3, flags << 6 | count, 0])
    ms = FRAME_MS[configuration] * count
    if 0 < ms <= 120:
        assert duration(payload, 48_000) == ms * 48
    else:
        with pytest.raises(OpusError):
            duration(payload, 48_000)


@pytest.mark.parametrize("payload", [b"", b"\x03", b"\xfb\x00", b"\x1b\x03"])
def test_what_no_encoder_makes_is_refused(payload: bytes) -> None:
    with pytest.raises(OpusError):
        duration(payload, 48_000)


@given(payload=st.binary(max_size=60), rate=st.sampled_from([8_000, 16_000, 24_000, 48_000]))
def test_no_payload_is_longer_than_120_ms(payload: bytes, rate: int) -> None:
    try:
        assert 0 < duration(payload, rate) <= rate * 120 // 1000
    except OpusError:
        assert len(payload) < 2 or payload[0] & 3 == 3


@pytest.mark.parametrize("frame_ms", [10, 20, 40, 60, 80, 100, 120])
def test_a_real_encoders_payloads_tell_their_length(frame_ms: int) -> None:
    made = payloads(tone(300, 0.6), frame_ms=frame_ms)
    assert {duration(payload, 48_000) for payload in made} == {frame_ms * 48}
