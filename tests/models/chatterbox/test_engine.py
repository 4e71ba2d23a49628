"""The server's engine over the worker's own process with the package's modules, small and with random weights."""

import asyncio
import os
import signal
import sys
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from tests.models.chatterbox.checkpoints import conditionals
from tests.models.chatterbox.conftest import Release
from tests.models.chatterbox.test_load import linked
from tests.support.clips import READING, encoded
from ultraandchat.engines.base import EngineLost, Voice
from ultraandchat.engines.chatterbox.engine import Chatterbox, open_chatterbox
from ultraandchat.engines.chatterbox.package import package
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.chatterbox.variants import VARIANTS
from ultraandchat.engines.weights.settings import HubSettings

pytestmark = pytest.mark.usefixtures("fakes_can_be_imported")

FACTORY = "tests.models.chatterbox.small_model:open_model"
PATIENCE_S = 240.0


async def first_block(engine: Chatterbox, voice: str) -> np.ndarray:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                said = engine.synthesize("Hello there, how are you today?", Voice(voice))
                async with aclosing(said) as blocks:
                    return await anext(blocks)
            except EngineLost:
                await asyncio.sleep(0.5)


@pytest.mark.timeout(600)
async def test_a_clip_speaks_and_speaks_again_in_the_process_after(
    releases: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ultraandchat.engines.chatterbox.engine.HANG_S", 120.0)
    linked(releases("turbo"), tmp_path / "release")
    conditionals(package(), VARIANTS["turbo"]).save(tmp_path / "release" / "conds.pt")
    voices = tmp_path / "voices"
    voices.mkdir()
    (voices / "jfk.wav").write_bytes(encoded(READING[: 16_000 * 6]))
    settings = ChatterboxSettings(
        checkpoint=str(tmp_path / "release"), device="cpu", slots=1, graph=False, seed=1,
        watermark=False,  # whether the first block has it depends on how quick the machine is

        python=sys.executable, voices=str(voices),
    )  # fmt: skip
    async with open_chatterbox(settings, HubSettings(offline=True), factory=FACTORY) as engine:
        assert engine.voices == ("default", "jfk")
        before = await first_block(engine, "jfk")
        (stored,) = settings.store.glob("*.safetensors")
        made = stored.stat().st_mtime_ns
        pid = engine.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        after = await first_block(engine, "jfk")
        assert engine.status().restarts == 1
        assert stored.stat().st_mtime_ns == made
    assert len(before) % 960 == 0
    assert np.array_equal(before, after)
