"""The page with Chatterbox's voices, flite standing for its model: they are listed, chosen and heard."""

import json
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bench.serving import Serving, free_port, running
from tests.browser.conftest import SPEECH, Visit

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("fakes_can_be_imported")]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    folder, port = tmp_path / "voices", free_port()
    folder.mkdir()
    (folder / "jfk.wav").write_bytes((SPEECH / "jfk.wav").read_bytes())
    command = [sys.executable, "-m", "tests.support.flite_server", "serve", "--profile", "scripted"]
    for setting in (
        "engines.speech=chatterbox",
        f"engines.chatterbox.voices={folder}",
        f"server.port={port}",
        "logs.directory=",
        "session.greeting=",
    ):
        command += ["--set", setting]
    with running(command, port, log=tmp_path / "server.log") as started:
        yield started


def test_the_page_lists_the_voices_and_plays_the_reply_in_the_chosen_one(
    server: Serving,
    browse: Callable[..., Browser],
    visit: Callable[..., Visit],
    tmp_path: Path,
) -> None:
    page = visit(browse(), server).talk()
    page.page.locator("#more").click()
    voices = page.page.locator("#voices option")
    assert voices.all_inner_texts() == ["default", "jfk"]
    page.page.locator("#voices").select_option("jfk")
    page.page.keyboard.press("Escape")
    page.type("hello")
    page.heard()
    page.state("listening")
    with urllib.request.urlopen(f"{server.url}/health", timeout=30) as answer:
        health = json.load(answer)
    (speech,) = [engine for engine in health["engines"] if engine["kind"] == "speech"]
    assert (speech["name"], speech["state"], speech["failures"]) == ("chatterbox", "ready", 0)
    assert health["models"]["tts"] is True
    assert "Sampling" not in (tmp_path / "server.log").read_text()
