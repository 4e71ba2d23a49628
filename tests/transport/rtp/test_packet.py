"""RTP as bytes: what is taken off, what is refused, and numbers that wrap around."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ultraandchat.transport.rtp.packet import (
    BadPacket,
    RtpPacket,
    build,
    parse,
    samples_ahead,
    sequences_ahead,
)

PLAIN = RtpPacket(111, False, 17, 960, 0xCAFE, b"opus")

packets = st.builds(
    RtpPacket,
    st.integers(0, 127),
    st.booleans(),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF_FFFF),
    st.integers(0, 0xFFFF_FFFF),
    st.binary(max_size=200),
)


@given(packets)
def test_what_is_built_is_parsed_again(packet: RtpPacket) -> None:
    assert parse(build(packet)) == packet


@given(st.binary(max_size=120))
@example(b"\x80" * 12)
@example(b"\xbf" + b"\xff" * 80)
def test_any_bytes_are_a_packet_or_a_bad_packet(data: bytes) -> None:
    try:
        packet = parse(data)
    except BadPacket:
        return
    assert len(packet.payload) <= len(data) - 12


def test_header_extension_sources_and_padding_are_taken_off() -> None:
    plain = build(PLAIN)
    sources = b"\0\0\0\1" * 3
    extension = b"\xbe\xde\x00\x02" + b"\x10\x85\x00\x00" + b"\x22\x01\x02\x03"
    padding = b"\0\0\0\4"
    data = bytes([0xB3]) + plain[1:12] + sources + extension + PLAIN.payload + padding
    assert parse(data) == PLAIN


def test_a_packet_of_nothing_but_padding_has_an_empty_payload() -> None:
    data = bytes([0xA0]) + build(PLAIN)[1:12] + b"\0" * 254 + b"\xff"
    assert parse(data).payload == b""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "at least 12 bytes"),
        (build(PLAIN)[:11], "at least 12 bytes"),
        (b"\x40" + build(PLAIN)[1:], "version 2, this says 1"),
        (b"\x82" + build(PLAIN)[1:], "inside its header"),
        (b"\x90" + build(PLAIN)[1:14], "inside its header extension"),
        (b"\x90" + build(PLAIN)[1:12] + b"\xbe\xde\xff\xff", "inside its header"),
        (b"\xa0" + build(PLAIN)[1:12] + b"ab\0", "padding"),
        (b"\xa0" + build(PLAIN)[1:12] + b"ab\4", "padding"),
        (b"\xa0" + build(PLAIN)[1:12], "padding"),
    ],
)
def test_a_bad_packet_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(BadPacket, match=reason):
        parse(data)


@given(st.integers(0, 0xFFFF), st.integers(-0x8000, 0x7FFF))
def test_sequence_numbers_wrap_at_sixteen_bits(of: int, ahead: int) -> None:
    assert sequences_ahead((of + ahead) & 0xFFFF, of) == ahead


@given(st.integers(0, 0xFFFF_FFFF), st.integers(-(2**31), 2**31 - 1))
def test_timestamps_wrap_at_thirty_two_bits(of: int, ahead: int) -> None:
    assert samples_ahead((of + ahead) & 0xFFFF_FFFF, of) == ahead
