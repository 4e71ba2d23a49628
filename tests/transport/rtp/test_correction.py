"""Whether a payload carries error correction, on what a real encoder makes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.speech import clip
from ultraandchat.audio.frame import AudioFrame, Samples
from ultraandchat.audio.resample import Resampler
from ultraandchat.transport.rtp.correction import carries_correction
from ultraandchat.transport.rtp.opus import find_opus


def speech() -> Samples:
    frames = Resampler(16_000, 48_000).feed(AudioFrame(clip("cards_005"), 16_000, 0))
    return np.concatenate([frame.samples for frame in frames])


def payloads(*, fec: bool, loss_percent: int) -> list[bytes]:
    encoder = find_opus().encoder(bitrate=24_000, complexity=5, fec=fec)
    encoder.adapt(bitrate=24_000, loss_percent=loss_percent)
    sound = speech()
    return [encoder.encode(sound[at : at + 960]) for at in range(0, len(sound) - 959, 960)]


def test_an_encoder_that_was_told_of_loss_corrects_most_of_speech() -> None:
    made = payloads(fec=True, loss_percent=20)
    assert sum(map(carries_correction, made)) > len(made) / 2


@pytest.mark.parametrize(("fec", "loss_percent"), [(False, 20), (True, 0)])
def test_without_it_no_payload_carries_any(fec: bool, loss_percent: int) -> None:
    assert not any(map(carries_correction, payloads(fec=fec, loss_percent=loss_percent)))


def test_what_is_said_to_carry_correction_is_recovered_better_than_concealed() -> None:
    opus = find_opus()
    if not opus.recovers:
        pytest.skip("this Opus has no error correction")
    made = payloads(fec=True, loss_percent=20)
    whole, corrected, guessed = opus.decoder(), opus.decoder(), opus.decoder()
    nearer = worse = 0
    for n, (payload, following) in enumerate(pairwise(made)):
        truth = whole.decode(payload)
        if n % 10 == 9 and carries_correction(following):
            error = float(np.sum((corrected.recover(following, 320) - truth) ** 2))
            guess = float(np.sum((guessed.conceal(320) - truth) ** 2))
            nearer, worse = nearer + (error < guess), worse + (error >= guess)
        else:
            corrected.decode(payload)
            guessed.decode(payload)
    assert nearer > 2 * worse


def test_it_is_found_behind_the_lengths_of_several_frames() -> None:
    made = [
        payload for payload in payloads(fec=True, loss_percent=20) if carries_correction(payload)
    ]
    frame, toc = made[0][1:], made[0][0]
    short = bytes(frame[:100])
    length = bytes([len(short)])
    assert carries_correction(bytes([toc | 1]) + 2 * short)
    assert carries_correction(bytes([toc | 2]) + length + 2 * short)
    assert carries_correction(bytes([toc | 3, 0x03]) + 3 * short)
    assert carries_correction(bytes([toc | 3, 0x83]) + 2 * length + 3 * short)
    padding = b"\xff\x05"
    assert carries_correction(
        bytes([toc | 3, 0xC3]) + padding + 2 * length + 3 * short + bytes(259)
    )


@given(st.binary(max_size=40))
def test_any_bytes_carry_some_or_none(payload: bytes) -> None:
    assert carries_correction(payload) in (True, False)
