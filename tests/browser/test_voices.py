"""A person adds a voice on the page, hears that another file is none, and takes the voice away again."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from bench.serving import Serving, free_port, running
from tests.browser.conftest import PATIENCE_MS, SPEECH, Visit

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("fakes_can_be_imported")]

Browse = Callable[..., Browser]
Open = Callable[..., Visit]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "voices"


@pytest.fixture
def server(tmp_path: Path, folder: Path) -> Iterator[Serving]:
    port = free_port()
    command = [sys.executable, "-m", "tests.support.collected", str(folder)]
    command += ["serve", "--profile", "scripted"]
    for setting in (f"server.port={port}", "logs.directory=", "session.greeting="):
        command += ["--set", setting]
    with running(command, port, log=tmp_path / "server.log") as started:
        yield started


def opened(page: Visit) -> Visit:
    page.page.locator("#more").click()
    page.page.get_by_text("Add a voice…").click()
    return page


def add(page: Visit, file: Path, name: str = "") -> None:
    page.page.locator("#voice-file").set_input_files(file)
    if name:
        page.page.locator("#voice-name").fill(name)
    page.page.locator("#voice-add").click()


def test_a_voice_is_added_in_a_conversation_chosen_and_removed(
    server: Serving, folder: Path, browse: Browse, visit: Open
) -> None:
    page = opened(visit(browse(), server).talk())
    told = page.page.locator("#voice-told")
    add(page, SPEECH / "jfk.wav")
    expect(told).to_have_text("jfk was added, and speaks from now on.", timeout=PATIENCE_MS)
    assert page.page.locator("#voices").input_value() == "jfk"
    expect(page.page.locator("#voice-files li")).to_contain_text("jfk, 11 s", timeout=PATIENCE_MS)
    assert [path.name for path in folder.iterdir()] == ["jfk.wav"]
    page.page.keyboard.press("Escape")
    page.type("hello")
    page.heard()

    held: list[Route] = []
    page.page.route("**/voices", lambda route: held.append(route), times=1)
    page.page.locator("#more").click()
    remove = page.page.get_by_role("button", name="Remove jfk")
    remove.click()
    with page.page.expect_response("**/voices"):  # the list comes anew, and the button still asks
        held.pop().continue_()
    expect(page.page.locator("#voice-add")).to_be_enabled(timeout=PATIENCE_MS)
    remove.click()
    expect(told).to_have_text("jfk was removed.", timeout=PATIENCE_MS)
    assert page.page.locator("#voices").input_value() == "default"
    expect(page.page.locator("#voice-files li")).to_have_count(0, timeout=PATIENCE_MS)
    assert list(folder.iterdir()) == []


def test_a_file_that_is_no_voice_is_refused_in_a_sentence(
    server: Serving, folder: Path, tmp_path: Path, browse: Browse, visit: Open
) -> None:
    notes = tmp_path / "My Notes.mp3"
    notes.write_text("#EXTM3U\nhttp://localhost/voice.mp3\n")
    page = opened(visit(browse(), server))
    told = page.page.locator("#voice-told")
    add(page, notes)
    sentence = "This clip cannot be a voice: this is no sound file that can be read;"
    expect(told).to_contain_text(sentence, timeout=PATIENCE_MS)
    assert page.page.locator("#voice-name").input_value() == "my-notes"
    add(page, SPEECH / "yes.wav", "yes")
    expect(told).to_contain_text("it is too short: 1.0 s of speech", timeout=PATIENCE_MS)
    add(page, SPEECH / "jfk.wav", "Not A Name!")
    expect(told).to_contain_text("A name has 1 to 40 small letters", timeout=PATIENCE_MS)
    assert not folder.exists()
    assert all("status of 4" in error for error in page.errors)  # the browser logs refusals
    page.errors.clear()


def test_where_nothing_can_be_added_nothing_is_offered(
    start: Callable[..., Serving], browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start())
    page.page.locator("#more").click()
    expect(page.page.locator("#voices")).to_be_visible()
    expect(page.page.locator("#library")).to_be_hidden()
