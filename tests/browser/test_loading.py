"""What a person sees while a model loads for minutes, and when its GPU is gone."""

import json
import re
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from bench.serving import Serving, free_port, running
from tests.browser.conftest import PATIENCE_MS, Visit
from tests.support.worker_models import TOLD

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("fakes_can_be_imported")]

Browse = Callable[..., Browser]
Open = Callable[..., Visit]


class Told:
    """A server whose voice loads as this is told."""

    def __init__(self, server: Serving, file: Path) -> None:
        self.server = server
        self._file = file

    def is_told(self, words: str) -> None:
        """Written apart and moved there, so that the model never reads half of it."""
        apart = self._file.with_suffix(".new")
        apart.write_text(words)
        apart.rename(self._file)

    def health(self) -> Any:
        with urllib.request.urlopen(f"{self.server.url}/health", timeout=30) as answer:
            return json.load(answer)

    def voice(self) -> Any:
        """As `/health` has it."""
        return next(engine for engine in self.health()["engines"] if engine["kind"] == "speech")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    file, port = tmp_path / "told", free_port()
    file.write_text("download 3220000000 16100000000")
    monkeypatch.setenv(TOLD, str(file))
    command = [sys.executable, "-m", "tests.support.told_server", "serve", "--profile", "scripted"]
    # Of each clause half a second is heard; so many are long enough to be noticed.
    long = "engines.scripted.clauses=10"
    for setting in ("engines.speech=espeak", "logs.directory=", "session.greeting=", long):
        command += ["--set", setting]
    command += ["--set", f"server.port={port}"]
    with running(command, port, log=tmp_path / "server.log", wait=False) as server:
        yield Told(server, file)


def test_a_download_is_seen_and_the_page_is_ready_by_itself(
    told: Told, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), told.server).page
    bar = page.get_by_role("progressbar", name="Espeak")
    expect(page.locator("#loading")).to_have_text(
        "Espeak: downloading, 3.2 of 16.1 GB", timeout=PATIENCE_MS
    )
    assert bar.evaluate("bar => bar.value") == 0.2
    assert bar.get_attribute("aria-valuetext") == "downloading, 3.2 of 16.1 GB"
    assert "is there at the next start" in page.locator("#sentence").inner_text()
    assert told.health()["status"] == "loading"
    assert told.voice()["progress"] == {
        "stage": "download",
        "done": 3_220_000_000,
        "total": 16_100_000_000,
    }
    said = page.locator("#loading")
    for done in range(4, 16):  # a GB each time the page asks
        told.is_told(f"download {done}000000000 16100000000")
        expect(said).to_contain_text(f"{done}.0 of 16.1 GB", timeout=PATIENCE_MS)
    expect(said).to_contain_text(re.compile(r"about \d+ s left|a few seconds left"))
    told.is_told("warm-up 0 0")
    expect(page.locator("#loading")).to_have_text("Espeak: warming up", timeout=PATIENCE_MS)
    assert bar.get_attribute("value") is None
    told.is_told("ready")
    page.wait_for_selector("html[data-phase=ready]")
    expect(page.locator("#loading")).to_be_hidden()
    stages = told.voice()["stages"]
    assert [stage["name"] for stage in stages] == ["start", "download", "warm-up"]
    assert all(stage["seconds"] > 0 for stage in stages)


def test_a_gpu_that_vanishes_is_said_and_the_conversation_goes_on(
    told: Told, browse: Browse, visit: Open
) -> None:
    told.is_told("ready")
    page = visit(browse(), told.server).talk()
    page.type("speak")
    page.heard()
    page.state("listening")
    told.is_told("gone")
    page.type("speak again")
    page.sentence("the GPU is gone")
    page.type("and again")
    page.page.locator("#captions li[data-who=user]").nth(2).wait_for()
    page.sentence("the GPU is gone")
    page.page.locator("#end").click()
    page.state("failed")
    assert page.sentence("does not run") == (
        "Espeak does not run: the GPU is gone. "
        "Look at nvidia-smi; the machine may have to start anew."
    )
    assert told.health()["status"] == "degraded"
    assert (told.voice()["state"], told.voice()["detail"]) == ("failed", "the GPU is gone")
