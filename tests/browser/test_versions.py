"""A page stays open while its server is replaced by another version."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import resources
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bench.serving import Serving, free_port, running, serving
from tests.browser.conftest import PATIENCE_MS, Visit
from ultraandchat.transport.wire import PROTOCOL_VERSION

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("fakes_can_be_imported")]

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Replace = Callable[..., AbstractContextManager[Serving]]


@pytest.fixture
def replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Replace:
    """A server with another page and, if asked, another protocol, at this port."""
    folder = tmp_path / "other"
    shutil.copytree(Path(str(resources.files("ultraandchat") / "web")), folder)

    @contextmanager
    def run(port: int, protocol: int = PROTOCOL_VERSION) -> Iterator[Serving]:
        script = folder / "wire.js"
        old = f"PROTOCOL_VERSION = {PROTOCOL_VERSION};"
        text = script.read_text()
        assert old in text
        script.write_text(
            text.replace(old, f"PROTOCOL_VERSION = {protocol};\n// of another version")
        )
        monkeypatch.setenv("OTHER_PAGE", str(folder))
        monkeypatch.setenv("OTHER_PROTOCOL", str(protocol))
        command = [sys.executable, "-m", "tests.support.other_server", "serve"]
        command += ["--profile", "scripted"]
        for setting in (f"server.port={port}", "logs.directory=", "session.greeting="):
            command += ["--set", setting]
        with running(command, port) as server:
            yield server

    return run


def test_a_newer_page_is_offered_and_not_taken_in_the_middle_of_a_talk(
    replaced: Replace, browse: Browse, visit: Open
) -> None:
    port = free_port()
    with serving("session.greeting=", port=port) as server:
        page = visit(browse(), server).talk()
        first = page.page.locator("meta[name=page]").get_attribute("content")
        expect(page.page.locator("#reload")).to_be_hidden()
        page.page.evaluate("() => { window.same = true; }")
    page.page.wait_for_selector("html[data-phase=waiting]")
    with replaced(port):
        page.page.wait_for_selector("html[data-phase=talking]")
        page.type("are you back")
        page.heard()
        assert "after this conversation" in page.sentence("newer page")
        expect(page.page.locator("#reload")).to_be_hidden()
        assert page.page.evaluate("() => window.same")
        page.page.locator("#end").click()
        assert "when it suits you" in page.sentence("newer page")
        expect(page.page.locator("#start")).to_be_enabled()
        page.page.locator("#reload").click()
        page.page.wait_for_function("() => !window.same")
        page.page.wait_for_selector("html[data-phase=ready]")
        expect(page.page.locator("#sentence")).to_have_text("", timeout=PATIENCE_MS)
        expect(page.page.locator("#reload")).to_be_hidden()
        assert page.page.locator("meta[name=page]").get_attribute("content") != first
    page.errors.clear()  # the browser itself logs each refused connection


def test_a_server_that_speaks_another_protocol_is_said_with_the_way_out(
    replaced: Replace, browse: Browse, visit: Open
) -> None:
    port = free_port()
    with serving("session.greeting=", port=port) as server:
        page = visit(browse(), server).talk()
    page.page.wait_for_selector("html[data-phase=waiting]")
    with replaced(port, protocol=PROTOCOL_VERSION + 1):
        page.page.wait_for_selector("html[data-phase=ready]")
        page.sentence("do not understand each other")
        expect(page.page.locator("#start")).to_be_hidden()
        page.page.locator("#reload").click()
        page.page.wait_for_selector("html[data-phase=talking]")
        page.sentence("this is a new one")
    page.errors.clear()  # the browser itself logs each refused connection
