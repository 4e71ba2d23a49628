"""Releases of Chatterbox with random weights, made once for all tests that want them."""

import shutil
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeAlias

import pytest
import torch

from tests.models.chatterbox.checkpoints import release, small
from ultraandchat.engines.chatterbox.load import Loaded, load
from ultraandchat.engines.chatterbox.package import package
from ultraandchat.engines.chatterbox.tokenizing import TextTokenizer
from ultraandchat.engines.chatterbox.variants import VARIANTS, VariantName

Release: TypeAlias = Callable[[VariantName], Path]


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """A variant's folder, which nobody may change. 1 GB each, so they are removed at the end."""
    folder = tmp_path_factory.mktemp("chatterbox")
    yield cache(lambda name: release(name, folder / name, folder))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def loaded(releases: Release) -> Callable[[VariantName], Loaded]:
    """A variant on the processor, in fp32 and with two layers. 2 GB, so only the last one is kept."""
    return lru_cache(maxsize=1)(lambda name: load_small(releases(name), name))


@pytest.fixture(scope="session")
def tokenizers(releases: Release) -> Callable[[VariantName], TextTokenizer]:
    """A variant's, without its models."""
    return cache(lambda name: TextTokenizer.read(releases(name), VARIANTS[name], package()))


def load_small(folder: Path, name: VariantName) -> Loaded:
    with small():
        return load(
            folder, VARIANTS[name], device="cpu", dtype=torch.float32, progress=lambda *told: None
        )
