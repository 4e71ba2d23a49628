"""Reference clips become the package's conditionals, and stay what they are: in memory, on the disk, and without it."""

import errno
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.models.chatterbox.checkpoints import conditionals as made
from tests.models.chatterbox.checkpoints import small
from tests.models.chatterbox.conftest import Release
from tests.support.clips import READING, encoded
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.chatterbox import clips, voices
from ultraandchat.engines.chatterbox.conditioning import conditionals
from ultraandchat.engines.chatterbox.load import Loaded
from ultraandchat.engines.chatterbox.package import package
from ultraandchat.engines.chatterbox.roles import PreparedVoice
from ultraandchat.engines.chatterbox.variants import VARIANTS, VariantName
from ultraandchat.engines.chatterbox.voices import KEPT, SOUNDER, WRITER, Voices

pytestmark = pytest.mark.timeout(300)
"""Gigabytes of weights, on a machine that may have other things to do."""


LoadedOf = Callable[[VariantName], Loaded]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    file = tmp_path / "reading.wav"
    file.write_bytes(encoded(READING[: 16_000 * 6]))
    return file


def same(one: PreparedVoice, other: PreparedVoice) -> bool:
    return one.digest == other.digest and all(
        torch.equal(mine[part], theirs[part]) and mine[part].dtype == theirs[part].dtype
        for mine, theirs in ((one.writer, other.writer), (one.sounder, other.sounder))
        for part in mine.keys() | theirs.keys()
    )


@pytest.mark.parametrize("name", ["turbo", "original"])
def test_a_clip_is_prepared_as_the_package_does_it(
    name: VariantName, releases: Release, loaded: LoadedOf, clip: Path
) -> None:
    """The multilingual package prepares as the original does, line for line."""
    from chatterbox.tts import ChatterboxTTS
    from chatterbox.tts_turbo import ChatterboxTurboTTS

    with small():
        whole = (ChatterboxTurboTTS if name == "turbo" else ChatterboxTTS).from_local(
            releases(name), "cpu"
        )
    if (
        name == "turbo"
    ):  # with numpy 2 its loudness makes float64 of the clip, which its tokenizer refuses
        set_loudness = whole.norm_loudness
        whole.norm_loudness = lambda wav, rate: set_loudness(wav, rate).astype(np.float32)
    with torch.no_grad():  # the package forgets it, and a batch norm that learns rounds otherwise
        whole.prepare_conditionals(clip)
    writer, sounder = conditionals(loaded(name), *clips.read(clip))
    for part in WRITER:
        assert torch.equal(writer[part], getattr(whole.conds.t3, part))
    assert sounder.keys() == {part for part, held in whole.conds.gen.items() if held is not None}
    for part in SOUNDER:
        assert torch.equal(sounder[part], whole.conds.gen[part])


def test_a_clip_that_turbo_would_refuse_is_refused(loaded: LoadedOf) -> None:
    with pytest.raises(EngineError, match="longer than 5 s"):
        conditionals(loaded("turbo"), READING[: 16_000 * 5], 16_000)


@pytest.fixture
def preparing(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """In the place of the models: every clip becomes another voice. Lists the samples of those prepared."""
    prepared: list[int] = []

    def prepare(loaded: Loaded, samples: Any, rate: int) -> tuple[dict[str, Any], dict[str, Any]]:
        prepared.append(len(samples))
        content = made(package(), VARIANTS["turbo"], seed=len(prepared))
        heard = {part: content.gen[part] for part in SOUNDER}
        return {part: getattr(content.t3, part) for part in WRITER}, heard

    monkeypatch.setattr(voices, "conditionals", prepare)
    return prepared


@pytest.fixture
def known(tmp_path: Path) -> Any:
    """As much of a loaded release as voices need."""
    folder = tmp_path / "release"
    folder.mkdir()
    for name in ("s3gen_meanflow.safetensors", "ve.safetensors"):
        (folder / name).write_bytes(name.encode() * 100)
    return SimpleNamespace(variant=VARIANTS["turbo"], folder=folder, device=torch.device("cpu"))


def test_a_voice_is_prepared_once_and_restored_bit_for_bit(
    known: Any, clip: Path, tmp_path: Path, preparing: list[int]
) -> None:
    first = Voices(known, tmp_path / "store").get("ann", str(clip))
    again = Voices(known, tmp_path / "store")
    restored = again.get("ann", str(clip))
    assert same(first, restored)
    assert again.get("ann", str(clip)) is restored
    assert len(preparing) == 1
    assert len(list((tmp_path / "store").iterdir())) == 1


def test_a_real_voice_is_restored_bit_for_bit(
    loaded: LoadedOf, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Voices(loaded("turbo"), tmp_path / "store").get("a", str(clip))
    monkeypatch.delattr(voices, "conditionals")
    assert same(first, Voices(loaded("turbo"), tmp_path / "store").get("a", str(clip)))


def test_another_clip_of_the_same_name_is_another_voice(
    known: Any, clip: Path, tmp_path: Path, preparing: list[int]
) -> None:
    kept = Voices(known, tmp_path / "store")
    first = kept.get("ann", str(clip))
    clip.write_bytes(encoded(READING[: 16_000 * 7]))
    second = kept.get("ann", str(clip))
    assert first.digest != second.digest
    assert len(preparing) == 2


def test_other_weights_prepare_anew(
    known: Any, clip: Path, tmp_path: Path, preparing: list[int]
) -> None:
    Voices(known, tmp_path / "store").get("ann", str(clip))
    (known.folder / "ve.safetensors").write_bytes(b"trained further")
    Voices(known, tmp_path / "store").get("ann", str(clip))
    assert len(preparing) == 2


def test_memory_holds_few(known: Any, clip: Path, tmp_path: Path, preparing: list[int]) -> None:
    kept = Voices(known, tmp_path / "store")
    for number in range(KEPT + 3):
        kept.get(str(number), str(clip))
    assert len(kept._kept) == KEPT
    assert len(preparing) == 1  # the others came from the disk


def test_the_store_holds_a_bounded_number(
    known: Any, clip: Path, tmp_path: Path, preparing: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voices, "STORED", 2)
    kept = Voices(known, tmp_path / "store")
    for seconds in (6, 7, 8):
        clip.write_bytes(encoded(READING[: 16_000 * seconds]))
        kept.get("ann", str(clip))
    assert len(list((tmp_path / "store").iterdir())) == 2


def full(file: Path, content: bytes) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_on_a_full_disk_a_voice_speaks_from_memory_and_one_warning_says_so(
    known: Any,
    clip: Path,
    tmp_path: Path,
    preparing: list[int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(voices, "write_whole", full)
    kept = Voices(known, tmp_path / "store")
    with caplog.at_level(logging.WARNING):
        kept.get("ann", str(clip))
        kept.get("bob", str(clip))
    assert [record.getMessage() for record in caplog.records] == [
        f"prepared voices cannot be stored in {tmp_path / 'store'} (No space left on device):"
        " they are prepared anew at the next start"
    ]
    assert kept.get("ann", str(clip)).name == "ann"
    assert len(preparing) == 2


def test_where_the_store_cannot_be_made_a_voice_speaks_all_the_same(
    known: Any, clip: Path, tmp_path: Path, preparing: list[int]
) -> None:
    (tmp_path / "store").write_text("a file, where a folder is meant")
    Voices(known, tmp_path / "store").get("ann", str(clip))
    assert len(preparing) == 1


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" * 99])
def test_a_stored_voice_that_is_damaged_is_prepared_anew(
    known: Any,
    clip: Path,
    tmp_path: Path,
    preparing: list[int],
    damage: Callable[[bytes], bytes],
) -> None:
    Voices(known, tmp_path / "store").get("ann", str(clip))
    (file,) = (tmp_path / "store").iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    Voices(known, tmp_path / "store").get("ann", str(clip))
    assert len(preparing) == 2
    assert len(file.read_bytes()) == len(whole)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"this is no sound", "voice ann cannot be used: this is no sound file"),
        (encoded(READING[:16_000]), "voice ann cannot be used: it is too short"),
        (None, r"voice ann cannot be read \(No such file"),
    ],
)
def test_a_clip_that_cannot_serve_gets_one_sentence(
    known: Any, tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "clip.wav"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(EngineError, match=words):
        Voices(known, tmp_path / "store").get("ann", str(file))


def test_the_voice_that_comes_with_a_release(known: Any, tmp_path: Path) -> None:
    kept = Voices(known, tmp_path / "store")
    with pytest.raises(EngineError, match="no voice of its own, so a reference clip"):
        kept.get("default", "")
    content = made(package(), VARIANTS["turbo"])
    content.save(known.folder / "conds.pt")
    voice = kept.get("default", "")
    assert voice.name == "default"
    for part in WRITER:
        assert torch.equal(voice.writer[part], getattr(content.t3, part))
    for part in SOUNDER:
        assert torch.equal(voice.sounder[part], content.gen[part])


@pytest.mark.parametrize("content", [{"t3": {}}, {"t3": 1, "gen": 2}, [1]])
def test_a_file_that_is_no_voice_is_named(known: Any, tmp_path: Path, content: Any) -> None:
    torch.save(content, known.folder / "conds.pt")
    with pytest.raises(EngineUnavailable, match=r"conds\.pt is not the voice of a Chatterbox"):
        Voices(known, tmp_path / "store").get("default", "")
