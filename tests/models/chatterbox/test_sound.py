"""A clause's sound in blocks: as long as it must be, without a seam, the same each time. The package's classes,
small, with random weights; `test_sound_whole.py` has them full size."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.models.chatterbox.plans import AT_ONCE, Everything
from tests.models.chatterbox.random_s3gen import small, tokens, voice
from ultraandchat.audio.frame import Samples
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.chunks import Plan
from ultraandchat.engines.chatterbox.flow import Flow
from ultraandchat.engines.chatterbox.noise import Noise
from ultraandchat.engines.chatterbox.sounder import S3Sounder
from ultraandchat.engines.chatterbox.variants import ORIGINAL, TURBO, Variant
from ultraandchat.engines.chatterbox.vocoder import FADE, Track

TOKEN = 960
"""Samples."""


GUIDED = replace(ORIGINAL, steps=3)
"""Of the original's ten steps, so many as show that there are some."""


@pytest.fixture(scope="module", params=[TURBO, GUIDED], ids=lambda variant: variant.name)
def model(request: pytest.FixtureRequest) -> tuple[Any, Variant]:
    return small(request.param), request.param


def sounder(model: tuple[Any, Variant], plan: Plan | None = None) -> S3Sounder:
    return S3Sounder(*model, progress=lambda *told: None, plan=plan)


def blocks(
    of: S3Sounder, spoken: Sequence[int], *, seed: int = 5, speed: float = 1.0, cut: bool = False
) -> Iterator[Samples]:
    """The clause as the worker makes it, token by token."""
    sounding = of.open(voice(), seed, speed)
    for token in spoken:
        sounding.feed([token])
        while sounding.ready:
            yield sounding.block()
    yield from sounding.rest(cut=cut)


def written(of: S3Sounder, spoken: Sequence[int], *, cut: bool = False) -> Iterator[Samples]:
    """The clause where all of it was written before any was made."""
    sounding = of.open(voice(), 5, 1.0)
    sounding.feed(spoken)
    return sounding.rest(cut=cut)


def test_blocks_of_one_decoding_are_the_whole_exactly(model: tuple[Any, Variant]) -> None:
    """Where every pass knows the whole clause, noise, phases and the vocoder's edges are all that is left."""
    parts = list(written(sounder(model, Everything(sizes=(10, 15, 7))), tokens(60)))
    assert len(parts) == 8
    whole = np.concatenate(list(written(sounder(model, AT_ONCE), tokens(60))))
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5, rtol=0)


def test_noise_and_context_are_those_of_their_position(
    model: tuple[Any, Variant], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[tuple[list[int], Any]] = []
    frames = Flow.frames

    def noted(flow: Flow, timbre: Any, spoken: list[int], noise: torch.Tensor) -> Any:
        decoded.append((spoken, noise.numpy().T))
        return frames(flow, timbre, spoken, noise)

    monkeypatch.setattr(Flow, "frames", noted)
    fed = tokens(40)
    list(written(sounder(model, Plan(sizes=(10,), context=5)), fed))
    whole = Noise(5, 1, 80).rows(0, 2 * 43)
    for number, (spoken, noise) in enumerate(decoded):
        begin, end = max(10 * number - 5, 0), min(10 * number + 13, 43)
        assert spoken == [*fed, 4299, 4299, 4299][begin:end]
        np.testing.assert_array_equal(noise[:80], Noise(5, 0, 80).rows(0, 80))
        np.testing.assert_array_equal(noise[80:], whole[2 * begin : 2 * end])
    assert len(decoded) == 5


def test_it_does_not_matter_when_tokens_come(model: tuple[Any, Variant]) -> None:
    late = np.concatenate(list(written(sounder(model), tokens(60))))
    np.testing.assert_array_equal(np.concatenate(list(blocks(sounder(model), tokens(60)))), late)


@pytest.mark.parametrize("count", [1, 2, 3, 12, 13, 14, 60, 200])
def test_a_clause_is_as_long_as_its_tokens_and_three_of_silence(
    model: tuple[Any, Variant], count: int
) -> None:
    made = list(blocks(sounder(model), tokens(count)))
    assert sum(map(len, made)) == (count + 3) * TOKEN
    assert max(map(len, made)) <= Plan().longest * TOKEN
    assert all(block.dtype == np.float32 and len(block) for block in made)


def test_no_joint_jumps_more_than_the_sound_itself(model: tuple[Any, Variant]) -> None:
    spoken = tokens(200)
    whole = np.concatenate(list(written(sounder(model, AT_ONCE), spoken)))
    of_the_whole = np.abs(np.diff(whole))
    made = list(blocks(sounder(model), spoken))
    joints = np.cumsum([len(block) for block in made])[:-1]
    steps = np.abs(np.diff(np.concatenate(made)))
    assert len(joints) == 6
    for joint in joints:
        assert steps[joint - 1] <= np.quantile(of_the_whole, 0.999)
        assert steps[joint - 1 : joint + FADE].max() <= of_the_whole.max()


def test_the_first_block_comes_after_thirteen_tokens(model: tuple[Any, Variant]) -> None:
    sounding = sounder(model).open(voice(), 1, 1.0)
    sounding.feed(tokens(12))
    assert not sounding.ready
    with pytest.raises(EngineError, match="before its tokens"):
        sounding.block()
    sounding.feed([4])
    assert sounding.ready
    assert len(sounding.block()) == 10 * TOKEN
    assert not sounding.ready


def test_the_first_forty_milliseconds_fade_in(model: tuple[Any, Variant]) -> None:
    first = next(blocks(sounder(model), tokens(20)))
    assert not first[:480].any()
    assert np.abs(first[480:500]).max() < np.abs(first[960:]).max()


@pytest.mark.parametrize("count", [1, 13, 40, 150])
@pytest.mark.parametrize("speed", [0.5, 0.8, 1.25, 2.0])
def test_speed_changes_the_length_and_does_not_drift(
    model: tuple[Any, Variant], count: int, speed: float
) -> None:
    made = sum(map(len, blocks(sounder(model), tokens(count), speed=speed)))
    assert abs(made - (count + 3) * TOKEN / speed) <= 480
    assert made % 480 == 0


@pytest.mark.parametrize("count", [1, 2, 13, 14, 60])
def test_a_clause_that_is_cut_ends_in_a_fade_after_what_was_fed(
    model: tuple[Any, Variant], count: int
) -> None:
    spoken = tokens(count)
    made = np.concatenate(list(blocks(sounder(model), spoken, cut=True)))
    assert len(made) == count * TOKEN
    loudest = np.abs(made[-960:]).max()
    assert abs(made[-1]) <= loudest * 1e-4
    assert np.abs(made[-24:]).max() <= loudest * 0.03


def test_only_the_end_of_what_is_cut_fades(model: tuple[Any, Variant]) -> None:
    whole = list(written(sounder(model), tokens(60)))
    cut = list(written(sounder(model), tokens(60), cut=True))
    assert len(cut) == len(whole) == 4
    for one, other in zip(cut[:3], whole[:3], strict=True):
        np.testing.assert_array_equal(one, other)


def test_frames_are_faded_over_from_those_that_were_ahead(
    model: tuple[Any, Variant], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[torch.Tensor] = []
    heard: list[tuple[torch.Tensor, torch.Tensor]] = []
    frames, sound = Flow.frames, Track.sound

    def noted(*given: Any) -> torch.Tensor:
        decoded.append(frames(*given))
        return decoded[-1]

    def noting(track: Track, new: torch.Tensor, ahead: torch.Tensor) -> torch.Tensor:
        heard.append((new.clone(), ahead.clone()))
        return sound(track, new, ahead)

    monkeypatch.setattr(Flow, "frames", noted)
    monkeypatch.setattr(Track, "sound", noting)
    list(written(sounder(model), tokens(26)))
    ahead, fresh = heard[0][1], decoded[1][:, 20:]
    torch.testing.assert_close(heard[1][0][:, 0], torch.lerp(ahead[:, 0], fresh[:, 0], 0.25))
    torch.testing.assert_close(heard[1][0][:, 1], torch.lerp(ahead[:, 1], fresh[:, 1], 0.75))
    torch.testing.assert_close(heard[1][0][:, 2:], fresh[:, 2 : heard[1][0].shape[1]])


def test_nothing_fed_is_no_sound(model: tuple[Any, Variant]) -> None:
    assert list(blocks(sounder(model), [])) == []
    assert list(blocks(sounder(model), [], cut=True)) == []


def test_silence_tokens_are_tokens(model: tuple[Any, Variant]) -> None:
    made = list(blocks(sounder(model), [4299] * 20))
    assert sum(map(len, made)) == 23 * TOKEN


def test_a_seed_is_a_sound(model: tuple[Any, Variant]) -> None:
    of, spoken = sounder(model), tokens(30)
    first, again = (np.concatenate(list(blocks(of, spoken))) for _ in range(2))
    other = np.concatenate(list(blocks(of, spoken, seed=-6)))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3 * np.abs(first).max()


def test_clauses_by_turns_are_as_if_each_were_alone(model: tuple[Any, Variant]) -> None:
    of = sounder(model)
    clauses = [(tokens(50, seed=7), 1), (tokens(60, seed=8), 2)]
    alone = [list(blocks(of, spoken, seed=seed)) for spoken, seed in clauses]
    turns = [blocks(of, spoken, seed=seed) for spoken, seed in clauses]
    mixed: list[list[Samples]] = [[], []]
    for _ in range(max(map(len, alone))):
        for made, turn in zip(mixed, turns, strict=True):
            made.extend(block for block in [next(turn, None)] if block is not None)
    for one, other in zip(alone, mixed, strict=True):
        np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))


def test_a_clause_that_is_dropped_in_the_middle_leaves_nothing(model: tuple[Any, Variant]) -> None:
    of = sounder(model)
    before = np.concatenate(list(blocks(of, tokens(30))))
    for stops in range(1, 4):
        dropped = blocks(of, tokens(90, seed=9), seed=9)
        for _ in range(stops):
            next(dropped)
        dropped.close()
    np.testing.assert_array_equal(np.concatenate(list(blocks(of, tokens(30)))), before)


@pytest.mark.parametrize("number", [-1, 6561, 6562, 10**9])
def test_a_token_that_does_not_exist_is_refused_when_it_comes(
    model: tuple[Any, Variant], number: int
) -> None:
    sounding = sounder(model).open(voice(), 1, 1.0)
    with pytest.raises(EngineError, match="speech token that does not exist"):
        sounding.feed([4, number])


@pytest.mark.parametrize("speed", [0.49, 2.01, 0.0, float("nan")])
def test_a_speed_out_of_range_is_refused(model: tuple[Any, Variant], speed: float) -> None:
    with pytest.raises(EngineError, match=r"between 0\.5 and 2"):
        sounder(model).open(voice(), 1, speed)


def test_what_is_no_number_is_no_sound(model: tuple[Any, Variant]) -> None:
    broken = voice()
    broken.sounder["prompt_feat"][0, 0, 0] = float("nan")
    sounding = sounder(model).open(broken, 1, 1.0)
    sounding.feed(tokens(13))
    with pytest.raises(EngineError, match="no number"):
        sounding.block()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("prompt_token", None),
        ("prompt_feat", lambda value: value[:, :-1]),
        ("prompt_token", lambda value: value + 6561),
        ("embedding", lambda value: value[:, :-1]),
    ],
)
def test_a_voice_that_is_none_is_refused(
    model: tuple[Any, Variant], name: str, change: Any
) -> None:
    unfit = voice()
    if change is None:
        del unfit.sounder[name]
    else:
        unfit.sounder[name] = change(unfit.sounder[name])
    with pytest.raises(EngineError, match="the voice somebody cannot be spoken"):
        sounder(model).open(unfit, 1, 1.0)


def test_it_neither_prints_nor_draws_from_shared_generators(
    model: tuple[Any, Variant], capfd: pytest.CaptureFixture[str]
) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    of = sounder(model)
    of.warm()
    list(blocks(of, tokens(20)))
    assert capfd.readouterr() == ("", "")
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_warming_passes_through_every_size_of_block(model: tuple[Any, Variant]) -> None:
    told: list[tuple[str, int, int]] = []
    S3Sounder(*model, progress=lambda *one: told.append(one)).warm()
    assert told == [("warm-up (sound)", done, 5) for done in range(1, 6)]
