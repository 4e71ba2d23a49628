"""The engine as the server opens it, with the package's modules in a process of its own: sound, and a log that says
nothing but what is ours."""

import logging
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.models.chatterbox.checkpoints import conditionals
from tests.models.chatterbox.conftest import Release
from tests.models.chatterbox.test_load import linked
from tests.support.clips import READING, encoded
from ultraandchat.audio.frame import Samples
from ultraandchat.engines.base import EngineError, Voice
from ultraandchat.engines.chatterbox.engine import Chatterbox, open_chatterbox
from ultraandchat.engines.chatterbox.package import package
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.chatterbox.variants import VARIANTS
from ultraandchat.engines.weights.settings import HubSettings

FACTORY = "tests.models.chatterbox.small_release:open_model"

OURS = ("chatterbox: ", "bad.wav cannot be a voice: ")


async def first_block(engine: Chatterbox, voice: Voice) -> Samples:
    async with aclosing(engine.synthesize("Hello there, how are you?", voice)) as blocks:
        async for block in blocks:
            return block
    raise AssertionError("nothing was said")


@pytest.mark.timeout(400)
async def test_a_process_speaks_in_two_voices_and_nothing_else_is_in_the_log(
    releases: Release, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = linked(releases("turbo"), tmp_path / "release")
    conditionals(package(), VARIANTS["turbo"]).save(folder / "conds.pt")
    clips = tmp_path / "voices"
    clips.mkdir()
    (clips / "ann.wav").write_bytes(encoded(READING[: 16_000 * 6]))
    (clips / "bad.wav").write_bytes(b"not audio at all")
    settings = ChatterboxSettings(
        checkpoint=str(folder), device="cpu", slots=1, graph=False, voices=str(clips), seed=1
    )
    opening = open_chatterbox(settings, HubSettings(offline=True), factory=FACTORY)
    with caplog.at_level(logging.DEBUG):
        async with opening as engine:
            assert engine.status().state == "ready"
            own = await first_block(engine, Voice())
            ann = await first_block(engine, Voice("ann"))
            with pytest.raises(EngineError):
                await first_block(engine, Voice("bad"))
            assert len(own) == len(ann) == 9600
            assert (own != ann).any()
    said = [record.getMessage() for record in caplog.records]
    assert not [line for line in said if not line.startswith(OURS)]
