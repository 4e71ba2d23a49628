"""A server for the whole network: who opens its address talks, who does not is told what is missing."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bench.serving import Serving, free_port
from tests.browser.conftest import Visit, over_and_over

pytestmark = pytest.mark.browser

TOKEN = "the-operators-own+token/of.26"
FRAGMENT = f"#token={TOKEN}"

Start = Callable[..., Serving]
Browse = Callable[..., Browser]
Open = Callable[..., Visit]


@pytest.fixture
def open_to_all(start: Start, tmp_path: Path) -> Serving:
    kept = (f"logs.directory={tmp_path}/logs", "logs.level=debug")
    return start("server.host=0.0.0.0", f"access.token={TOKEN}", *kept)


def address(server: Serving, fragment: str = "") -> str:
    return f"http://localhost:{server.port}/{fragment}"


def refused(page: Visit) -> None:
    """Chromium writes a line about every 401; those were meant."""
    page.errors = [error for error in page.errors if "401" not in error]


@pytest.mark.parametrize("path", ["webrtc", "websocket"])
def test_the_address_with_the_token_opens_the_server_and_is_seen_nowhere(
    path: str, open_to_all: Serving, browse: Browse, visit: Open, tmp_path: Path
) -> None:
    query = "" if path == "webrtc" else f"?transport={path}"
    page = visit(browse(over_and_over("goforward", 1.0)), address(open_to_all, query + FRAGMENT))
    page.talk().over(path).heard()
    assert page.page.url == address(open_to_all, query)
    cookies = page.page.context.cookies()
    assert [cookie["httpOnly"] for cookie in cookies] == [True]
    page.page.reload()
    page.page.wait_for_selector("html[data-phase=talking]")  # it goes on
    page.over(path)
    page.type("hello")
    assert page.answer()

    kept = page.page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}])")
    names = ("logs", "logs?file=server&lines=2000", "logs?file=webrtc", "health", "config.json")
    answers = [page.page.request.get(address(open_to_all, name)) for name in names]
    assert {answer.status for answer in answers} == {200}
    logs = [answer.text() for answer in answers]
    files = [file.read_text() for file in (tmp_path / "logs").iterdir()]
    printed = (tmp_path / "server.log").read_text().splitlines()
    shown = [line for line in printed if TOKEN in line]
    assert shown
    assert all(line.strip().endswith(f"/{FRAGMENT}") for line in shown)  # what the operator opens
    assert "caller connected" in "".join(files)
    for text in (kept, *logs, *files):
        assert TOKEN not in text


def test_without_the_token_the_page_asks_for_it(
    open_to_all: Serving, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), address(open_to_all))
    page.state("locked")
    page.sentence("asks for its token")
    assert not page.page.locator("#start").is_visible()
    field = page.page.locator("#token")
    field.fill("this-is-not-the-token")
    field.press("Enter")
    page.sentence("not this server's token")
    page.page.wait_for_timeout(1_500)  # the page goes on asking, and keeps its sentence
    page.sentence("not this server's token")
    field.fill(f" {TOKEN} ")
    field.press("Enter")
    page.state("ready")
    assert not field.is_visible()
    page.talk()
    refused(page)


def test_a_wrong_token_in_the_address_is_told_and_the_right_one_mends_it(
    open_to_all: Serving, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), address(open_to_all, "#token=of-another-server-altogether"))
    page.state("locked")
    page.sentence("not this server's token")
    assert page.page.url == address(open_to_all)
    page.page.goto(address(open_to_all, FRAGMENT))  # the same page: only the fragment is another
    page.state("ready")
    assert page.page.url == address(open_to_all)
    refused(page)


def test_a_page_that_comes_through_a_proxy_to_a_server_without_a_token_says_what_to_set(
    start: Start, browse: Browse, visit: Open
) -> None:
    server = start()
    proxied = {"X-Forwarded-For": "198.51.100.1"}
    page = visit(browse(), address(server), extra_http_headers=proxied)
    page.state("barred")
    page.sentence("set access.token to let others in")
    page.errors = [error for error in page.errors if "403" not in error]


@contextmanager
def printed_by(state: Path, *arguments: str) -> Iterator[str]:
    """What `serve` with these arguments prints until it is ready; stopped at the end."""
    command = [sys.executable, "-m", "ultraandchat", "serve", "--profile", "scripted"]
    command += ["--set", "logs.directory=", "--port", str(free_port()), *arguments]
    environ = os.environ | {"XDG_STATE_HOME": str(state), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ready"):
                break
        try:
            yield "".join(lines)
        finally:
            process.terminate()  # or leaving it would wait for ever


def test_one_switch_gives_a_phone_https_and_the_microphone(
    browse: Browse, visit: Open, tmp_path: Path
) -> None:
    """The browser is told to go on past its warning, as a person would."""
    arguments = ("--host", "0.0.0.0", "--tls", "self-signed")
    with printed_by(tmp_path, *arguments) as said:
        link = re.search(r"https://localhost:\d+/#token=\S+", said)
        assert link is not None
        assert re.search(r"fingerprint [0-9A-F:]{95}", said)
        browser = browse(over_and_over("goforward", 1.0))
        page = visit(browser, link[0], ignore_https_errors=True).talk().heard()
        assert "token" not in page.page.url
        assert page.page.evaluate("() => isSecureContext")
        (cookie,) = page.page.context.cookies()
        assert cookie["secure"]
