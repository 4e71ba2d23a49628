"""Opus where only PyAV is there: the contract, and how plainly it conceals."""

import av
import numpy as np
import pytest

from tests.support.opus_senders import payloads, tone
from tests.transport.rtp.opus_contract import FRAME_16K, OpusContract, rms
from ultraandchat.transport.rtp.av_opus import AvOpus, OpusUnavailable
from ultraandchat.transport.rtp.opus import Opus


@pytest.fixture
def opus() -> Opus:
    return AvOpus()


class TestAvOpus(OpusContract):
    """PyAV's own face."""

    lives = 300


def test_it_says_that_it_neither_conceals_nor_recovers(opus: Opus) -> None:
    assert not opus.conceals
    assert not opus.recovers


def test_after_60_ms_a_gap_is_silent(opus: Opus) -> None:
    decoder = opus.decoder()
    for packet in payloads(tone(200, 0.4)):
        decoder.decode(packet)
    assert rms(decoder.conceal(3 * FRAME_16K)) > 0.01
    assert not decoder.conceal(FRAME_16K).any()


def test_a_gap_told_in_pieces_sounds_like_one_told_at_once(opus: Opus) -> None:
    packets = payloads(tone(200, 0.4))
    one, other = opus.decoder(), opus.decoder()
    for packet in packets:
        one.decode(packet)
        other.decode(packet)
    pieces = [other.conceal(160) for _ in range(8)]
    np.testing.assert_allclose(np.concatenate(pieces), one.conceal(1280), atol=1e-6)


def test_a_gap_begins_without_a_click(opus: Opus) -> None:
    decoder = opus.decoder()
    for packet in payloads(tone(200, 0.4)):
        last = decoder.decode(packet)
    joined = np.concatenate([last, decoder.conceal(3 * FRAME_16K)])
    assert np.abs(np.diff(joined)).max() < 1.5 * np.abs(np.diff(last)).max()


@pytest.mark.parametrize("rate", [8_000, 12_000, 16_000, 24_000, 48_000])
def test_at_every_rate_no_sample_is_wanting(opus: Opus, rate: int) -> None:
    decoder = opus.decoder(rate)
    packets = payloads(tone(200, 1.0), frame_ms=10)
    heard = np.concatenate([decoder.decode(packet) for packet in packets])[rate // 5 :]
    steps = np.abs(np.diff(heard))
    assert steps.max() < 0.5 * 2 * np.pi * 200 / rate * 1.3


def test_pyav_without_opus_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"pcm_s16le"})
    with pytest.raises(OpusUnavailable, match="without libopus"):
        AvOpus()
