"""What the tests of the models share: the tiny checkpoints, loaded, and the clips of their golden outputs."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.engines.ultravox.support import CHECKPOINTS
from ultraandchat.engines.ultravox.checkpoint import Checkpoint
from ultraandchat.engines.ultravox.load import Loaded, load

torch.set_num_threads(1)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of worker processes: tiny models, on a busy machine


TIMEOUT_S = 300
"""Of each test here: full-size modules on a processor that others use too took up to 74 s at a load of 20."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(autouse=True)
def models_can_be_imported(fakes_can_be_imported: None) -> None:
    """Those that tests bring, by worker processes."""


@dataclass(frozen=True)
class Golden:
    """A tiny checkpoint and what the original modelling code computes from it."""

    folder: Path
    loaded: Loaded
    arrays: dict[str, Any]


@pytest.fixture(scope="session", params=CHECKPOINTS, ids=lambda folder: folder.name)
def golden(request: pytest.FixtureRequest) -> Golden:
    folder: Path = request.param
    loaded = load(
        Checkpoint.read(folder), device="cpu", precision="fp32", progress=lambda *told: None
    )
    with np.load(folder / "golden.npz") as arrays:
        return Golden(folder, loaded, dict(arrays))


@pytest.fixture(params=["yes", "goforward"])
def clip(request: pytest.FixtureRequest) -> str:
    return str(request.param)
