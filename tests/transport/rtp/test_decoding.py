"""Packets and gaps to sound: every sample of media time comes out once, by the right means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rtp import CONCEALED, FRAME, RECOVERED, PlainDecoder, packet, plain
from ultraandchat.audio.frame import AudioFrame
from ultraandchat.transport.rtp.decoding import Decoding
from ultraandchat.transport.rtp.media_time import Gap
from ultraandchat.transport.rtp.reorder import Placed

TONE = plain(np.full(320, 0.5, np.float32))


def decoding() -> Decoding:
    return Decoding(PlainDecoder(), recovers=True)


def runs(frames: list[AudioFrame]) -> list[tuple[float, float]]:
    """What is heard in runs: level and ms."""
    sound = np.concatenate([frame.samples for frame in frames])
    ends = [*(np.flatnonzero(np.diff(sound)) + 1), len(sound)]
    starts = [0, *ends[:-1]]
    return [
        (round(float(sound[start]), 1), (end - start) / 16)
        for start, end in zip(starts, ends, strict=True)
    ]


def test_a_packet_is_one_frame() -> None:
    frames = decoding().feed([packet(0, payload=TONE)])
    assert runs(frames) == [(0.5, 20)]


@pytest.mark.parametrize(
    ("lost_ms", "heard"),
    [
        (20, [(RECOVERED, 20)]),
        (10, [(RECOVERED, 10)]),
        (60, [(CONCEALED, 40), (RECOVERED, 20)]),
        (140, [(CONCEALED, 120), (RECOVERED, 20)]),
        (500, [(CONCEALED, 120), (0.0, 360), (RECOVERED, 20)]),
    ],
)
def test_the_end_of_a_loss_is_recovered_and_its_beginning_concealed(
    lost_ms: int, heard: list[tuple[float, float]]
) -> None:
    frames = decoding().feed([Gap(48 * lost_ms, lost=True), packet(9, payload=TONE)])
    assert runs(frames) == [*heard, (0.5, 20)]


def test_silence_of_the_sender_is_silent() -> None:
    frames = decoding().feed([Gap(FRAME * 5, lost=False), packet(1, payload=TONE)])
    assert runs(frames) == [(0.0, 100), (0.5, 20)]


def test_a_payload_that_cannot_be_decoded_is_concealed() -> None:
    one = decoding()
    frames = one.feed([packet(0, payload=b"\xf8junk"), packet(1, payload=TONE)])
    assert runs(frames) == [(CONCEALED, 20), (0.5, 20)]
    assert (one.failed, one.received) == (1, 1)


def test_only_what_the_next_packet_carried_counts_as_recovered() -> None:
    one = decoding()
    one.feed([Gap(FRAME, lost=True), packet(1, payload=TONE)])
    assert (one.recovered, one.concealed) == (0, 320)  # TONE's TOC is CELT, which carries none
    one.feed([Gap(FRAME, lost=True), packet(3, payload=b"\x48\x40" + bytes(20))])
    assert (one.recovered, one.concealed) == (1, 640)  # SILK with its flag set; no sound for itself


def test_another_stream_starts_the_decoder_anew_and_the_timeline_goes_on() -> None:
    decoder = PlainDecoder()
    one = Decoding(decoder, recovers=True)
    one.feed([packet(0, payload=TONE)])
    one.restart()
    assert decoder.resets == 1
    assert one.feed([packet(1, payload=TONE)])[0].position == 320


items = st.lists(
    st.one_of(
        st.just(packet(0, payload=TONE)),
        st.builds(Gap, st.integers(1, 96_000), st.booleans()),
    ),
    max_size=20,
)


@given(items)
def test_positions_are_continuous_and_media_time_is_kept(items: list[Placed]) -> None:
    one = decoding()
    frames = one.feed(items)
    position = 0
    for frame in frames:
        assert frame.position == position
        position = frame.end
    sent = sum(item.samples if isinstance(item, Gap) else FRAME for item in items)
    assert (
        position == sent // 3
    )  # timestamps that are no multiple of 16 kHz leave less than a sample
