"""From the files of a release to modules: the same as the package's own loading, and clear words where it cannot be."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.models.chatterbox.checkpoints import small, write
from tests.models.chatterbox.conftest import Release, load_small
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox.files import unpickled
from ultraandchat.engines.chatterbox.load import Loaded, load
from ultraandchat.engines.chatterbox.package import package
from ultraandchat.engines.chatterbox.variants import VARIANTS, VariantName

pytestmark = pytest.mark.timeout(300)
"""Gigabytes of weights, on a machine that may have other things to do."""

NAMES: tuple[VariantName, ...] = ("turbo", "original", "multilingual")

LoadedOf = Callable[[VariantName], Loaded]


def linked(folder: Path, to: Path, *, but: tuple[str, ...] = ()) -> Path:
    """A folder of the same files, those of `but` left out."""
    to.mkdir()
    for file in folder.iterdir():
        if file.name not in but:
            (to / file.name).symlink_to(file)
    return to


@pytest.mark.parametrize("name", NAMES)
def test_it_holds_what_the_packages_own_loading_holds(
    name: VariantName, releases: Release, loaded: LoadedOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatterbox import mtl_tts, tts, tts_turbo

    ours = loaded(name)
    monkeypatch.setattr(mtl_tts, "MTLTokenizer", lambda file: None)  # it would download
    own = {
        "turbo": tts_turbo.ChatterboxTurboTTS,
        "original": tts.ChatterboxTTS,
        "multilingual": mtl_tts.ChatterboxMultilingualTTS,
    }[name]
    with small():
        theirs = own.from_local(releases(name), "cpu")
    parts = [
        (ours.t3, theirs.t3),
        (ours.s3gen.flow, theirs.s3gen.flow),
        (ours.s3gen.mel2wav, theirs.s3gen.mel2wav),
        (ours.listening.tokenizer, theirs.s3gen.tokenizer),
        (ours.listening.speaker_encoder, theirs.s3gen.speaker_encoder),
        (ours.listening.voice_encoder, theirs.ve),
    ]
    for mine, original in parts:
        assert not mine.training
        held, expected = mine.state_dict(), original.state_dict()
        assert held.keys() == expected.keys()
        assert all(torch.equal(held[each], expected[each]) for each in expected)
        buffers, others = dict(mine.named_buffers()), dict(original.named_buffers())
        assert buffers.keys() == others.keys()
        assert all(torch.equal(buffers[each], others[each]) for each in others)
    assert torch.equal(ours.s3gen.trim_fade, theirs.s3gen.trim_fade)


def test_in_bf16_only_parameters_of_t3_are_smaller(releases: Release) -> None:
    with small():
        model = load(
            releases("original"),
            VARIANTS["original"],
            device="cpu",
            dtype=torch.bfloat16,
            progress=lambda *told: None,
        )
    assert {each.dtype for each in model.t3.parameters()} == {torch.bfloat16}
    assert {each.dtype for each in model.t3.buffers()} == {torch.float32}  # rotary frequencies
    assert {each.dtype for each in model.s3gen.flow.parameters()} == {torch.float32}


def test_it_says_how_far_it_is(releases: Release) -> None:
    told: list[tuple[str, int, int]] = []
    with small():
        load(
            releases("turbo"),
            VARIANTS["turbo"],
            device="cpu",
            dtype=torch.float32,
            progress=lambda *what: told.append(what),
        )
    assert told == [("load", done, 3) for done in range(4)]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(name: VariantName, releases: Release, tmp_path: Path) -> None:
    missing = VARIANTS[name].sound_file
    folder = linked(releases(name), tmp_path / "less", but=(missing,))
    with pytest.raises(EngineUnavailable, match=f"has no {missing}") as caught:
        load_small(folder, name)
    assert "engines.chatterbox.checkpoint" in caught.value.remedy


@pytest.mark.parametrize("name", ["original", "multilingual"])
def test_a_tensor_that_is_missing_or_of_another_shape_is_named(
    name: VariantName, releases: Release, tmp_path: Path
) -> None:
    file = VARIANTS[name].voice_file
    folder = linked(releases(name), tmp_path / "changed", but=(file,))
    whole = releases(name) / file
    weights = load_file(whole) if whole.suffix != ".pt" else torch.load(whole, weights_only=True)
    write(folder / file, {**weights, "proj.bias": torch.zeros(7)})
    with pytest.raises(EngineUnavailable, match=r"proj\.bias is \[7\] where \[256\] is expected"):
        load_small(folder, name)
    del weights["proj.weight"]
    write(folder / file, weights)
    with pytest.raises(EngineUnavailable, match=r"proj\.weight \[256, 256\] is missing"):
        load_small(folder, name)


@pytest.mark.parametrize("name", ["turbo", "multilingual"])
def test_a_file_that_is_cut_short_is_named(
    name: VariantName, releases: Release, tmp_path: Path
) -> None:
    file = VARIANTS[name].voice_file
    folder = linked(releases(name), tmp_path / "short", but=(file,))
    whole = (releases(name) / file).read_bytes()
    (folder / file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EngineUnavailable, match=f"{file} is cut short") as caught:
        load_small(folder, name)
    assert "downloaded anew" in caught.value.remedy


class Runs:
    """What a pickle may do when it is opened by somebody who trusts it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("/tmp/ran"),)


def test_a_pickle_that_would_run_something_is_refused(releases: Release, tmp_path: Path) -> None:
    folder = linked(releases("multilingual"), tmp_path / "bad", but=("ve.pt",))
    torch.save({"proj.bias": Runs()}, folder / "ve.pt")
    with pytest.raises(EngineUnavailable, match="something else than tensors"):
        load_small(folder, "multilingual")
    with pytest.raises(ValueError, match="is not one of the pickles"):
        unpickled(tmp_path / "other.pt")


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        (
            "turbo",
            """model.s3gen.flow.decoder(
    torch.zeros(1, 80, 8), mask=torch.ones(1, 1, 8), n_timesteps=1, spks=torch.zeros(1, 80),
    cond=torch.zeros(1, 80, 8), noised_mels=torch.zeros(1, 80, 8), meanflow=True,
)""",
        ),
        ("original", "model.t3.cond_enc.perceiver(torch.zeros(1, 150, 1024))"),
    ],
)
def test_nothing_is_printed_and_no_root_logger_is_set_up(
    name: VariantName, passes: str, releases: Release
) -> None:
    """From the import to sound: in a process of its own, as what is imported stays quiet from then on."""
    program = f"""
import logging, torch
from pathlib import Path
from tests.models.chatterbox.conftest import load_small

torch.set_num_threads(1)
model = load_small(Path({str(releases(name))!r}), {name!r})
{passes}
assert not logging.getLogger().handlers
"""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=280,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_the_packages_errors_still_come_through() -> None:
    assert logging.getLogger("chatterbox").isEnabledFor(logging.ERROR)
    with pytest.raises(KeyError):
        package().T3(type("Wrong", (), {"llama_config_name": "none of them"})())
