"""HiFT in pieces is HiFT over the whole, where it sees far enough."""

import itertools
from typing import Any

import pytest
import torch

from tests.models.chatterbox.random_s3gen import small
from ultraandchat.engines.chatterbox.joins import blend, fade_out
from ultraandchat.engines.chatterbox.variants import TURBO
from ultraandchat.engines.chatterbox.vocoder import FADE, REACH, Vocoder

FRAMES = torch.randn(80, 90, generator=torch.Generator().manual_seed(6))


@pytest.fixture(scope="module")
def hift() -> Any:
    return small(TURBO).mel2wav


def in_pieces(hift: Any, cuts: list[int], ahead: int) -> torch.Tensor:
    track = Vocoder(hift).track(8)
    pieces = [
        track.sound(FRAMES[:, begin:end], FRAMES[:, end : end + ahead])
        for begin, end in itertools.pairwise(cuts)
    ]
    return torch.cat(pieces)


@torch.inference_mode()
def test_at_once_it_is_the_package_s(hift: Any) -> None:
    vocoder = Vocoder(hift)
    source = vocoder.track(8)._source.frames(hift.f0_predictor(FRAMES[None])[0], 0)
    expected, _ = hift.inference(FRAMES[None], cache_source=source[None, None])
    torch.testing.assert_close(vocoder.track(8).sound(FRAMES, FRAMES[:, :0]), expected[0])


@pytest.mark.parametrize("cuts", [[0, 20, 50, 90], [0, 1, 2, 3, 90], [0, 85, 90]])
def test_in_pieces_it_is_the_whole_where_it_sees_far_enough(hift: Any, cuts: list[int]) -> None:
    whole = in_pieces(hift, [0, 90], 0)
    torch.testing.assert_close(in_pieces(hift, cuts, REACH), whole, atol=1e-5, rtol=0)


def test_six_frames_ahead_are_nearly_enough(hift: Any) -> None:
    """What three tokens of lookahead give: a fiftieth of the sound is other, at most."""
    whole = in_pieces(hift, [0, 90], 0)
    made = in_pieces(hift, [0, 20, 50, 90], 6)
    assert (made - whole).std() < whole.std() / 50


def test_sound_is_faded_over_from_what_was_expected(hift: Any) -> None:
    """Where other frames come than were ahead."""
    pieces = []
    for more in (FRAMES[:, 30:60], FRAMES[:, 30:60] + 1):
        track = Vocoder(hift).track(8)
        track.sound(FRAMES[:, :30], FRAMES[:, 30:36])
        pieces.append(track.sound(more, more[:, :0]))
    apart = (pieces[1] - pieces[0]).abs()
    assert apart[:5].max() < apart[FADE : 2 * FADE].max() / 100


@torch.inference_mode()
def test_nothing_beyond_its_reach_matters(hift: Any) -> None:
    vocoder = Vocoder(hift)
    changed = FRAMES.clone()
    changed[:, : 40 - REACH] += 1

    def after_40(frames: torch.Tensor) -> torch.Tensor:
        pitch = torch.full((90,), 150.0)
        return vocoder.sound(frames, vocoder.track(8)._source.frames(pitch, 0))[40 * 480 :]

    torch.testing.assert_close(after_40(changed), after_40(FRAMES), atol=1e-6, rtol=0)
    assert torch.equal(vocoder.pitch(changed)[40:], vocoder.pitch(FRAMES)[40:])


def test_its_weights_are_multiplied_out_once(hift: Any) -> None:
    Vocoder(hift)
    assert not [name for name, _ in hift.named_parameters() if "parametrizations" in name]


def test_a_fade_leaves_what_is_alike() -> None:
    same = torch.linspace(-1, 1, 2 * FADE)
    torch.testing.assert_close(blend(same[:FADE], same), same)
    assert torch.equal(blend(same[:0], same), same)
    faded = blend(torch.zeros(4), torch.ones(8))
    assert (faded.diff() >= 0).all()
    assert 0 < faded[0] < 0.1
    assert torch.equal(faded[4:], torch.ones(4))


def test_a_fade_out_may_be_longer_than_the_sound() -> None:
    assert fade_out(torch.ones(5), 480)[-1] < 0.1
    assert len(fade_out(torch.ones(0), 480)) == 0
