"""A hub, a cache, and a search in it, for the tests of downloading."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.engines.weights.a_hub import AHub, a_hub
from ultraandchat.engines.weights.find import find
from ultraandchat.engines.weights.hub import Patience

NAME = "someone/small-model"

WEIGHTS = bytes(range(256)) * 1000
"""Of a shard: a quarter of a megabyte."""

FILES = {
    "config.json": b'{"model_type": "small"}',
    "tokenizer.json": b'{"version": "1.0"}' * 100,
    "model-00001-of-00002.safetensors": WEIGHTS,
    "model-00002-of-00002.safetensors": WEIGHTS[::-1],
    "README.md": b"Not needed.",
}

NEEDED = {path: content for path, content in FILES.items() if path != "README.md"}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the tester's token nor the tester's cache."""
    for name in (
        *("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_ENDPOINT", "HF_HUB_CACHE"),
        *("HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "XDG_CACHE_HOME"),
        *("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))


@pytest.fixture
def hub() -> Iterator[AHub]:
    with a_hub() as one:
        yield one


@dataclass
class Search:
    """`find` with this test's hub and cache, and what it told meanwhile."""

    hub: AHub
    cache: Path
    progress: list[tuple[int, int]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    stall_s: float = 30.0
    """Far longer than the hub takes on a busy machine. Where it is to stall, the test makes it shorter."""

    @property
    def patience(self) -> Patience:
        return Patience(stall_s=self.stall_s, tries=3, pause=self.pauses.append)

    def __call__(self, name: str = NAME, revision: str = "", **changes: Any) -> Path:
        def told(stage: str, done: int, total: int) -> None:
            assert stage == "download"
            self.progress.append((done, total))

        return find(
            name,
            revision,
            **{
                "offline": False,
                "cache": str(self.cache),
                "endpoint": self.hub.address,
                "token": "",
                "progress": told,
                "patience": self.patience,
                **changes,
            },
        )

    @property
    def folder(self) -> Path:
        return self.cache / f"models--{NAME.replace('/', '--')}"


@pytest.fixture
def search(hub: AHub, tmp_path: Path) -> Search:
    return Search(hub, tmp_path / "cache")


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a snapshot."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }
