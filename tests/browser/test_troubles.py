"""What a person meets when something is wrong: a plain sentence, and a way forward."""

import re
import signal
import subprocess
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from bench.serving import Serving, serving
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]


def test_a_reload_in_the_middle_of_an_answer_begins_anew(
    start: Start, browse: Browse, visit: Open
) -> None:
    server = start("engines.scripted.clause_s=20", "server.max_conversations=1")
    page = visit(browse(), server).talk()
    page.type("talk to me")
    page.heard()
    page.page.reload()
    page.talk()
    page.type("and again")
    page.heard()


def test_the_server_goes_and_comes_back(browse: Browse, visit: Open) -> None:
    with serving("session.greeting=") as server:
        page = visit(browse(), server).talk()
        port = server.port
    page.page.wait_for_selector("html[data-phase=waiting]")
    assert re.search(r"Trying again", page.page.locator("#sentence").inner_text())
    with serving("session.greeting=", port=port):
        page.page.wait_for_selector("html[data-phase=talking]")
        page.type("are you back")
        page.heard()
    page.errors.clear()  # the browser itself logs each refused connection


def test_a_server_that_dies_without_a_word_is_noticed(browse: Browse, visit: Open) -> None:
    with serving("session.greeting=") as server:
        page = visit(browse(), server).talk()
        subprocess.run(["kill", f"-{signal.SIGKILL.value}", str(server.pid)], check=True)
        page.page.wait_for_selector("html[data-phase=waiting]")
    page.errors.clear()


def test_a_full_server_says_so_and_the_caller_gets_in_later(
    start: Start, browse: Browse, visit: Open
) -> None:
    server = start("server.max_conversations=1", "server.retry_after_s=2")
    browser = browse()
    first = visit(browser, server).talk()
    second = visit(browser, server)
    second.page.locator("#start:enabled").click()
    second.page.wait_for_selector("html[data-phase=waiting]")
    assert "conversations" in second.page.locator("#sentence").inner_text()
    first.page.locator("#end").click()
    second.page.wait_for_selector("html[data-phase=talking]")


def test_a_page_that_is_not_secure_says_why_and_lets_one_type(
    start: Start, browse: Browse, visit: Open
) -> None:
    server = start()
    browser = browse(None, "--host-resolver-rules=MAP talk.test 127.0.0.1")
    page = visit(browser, f"http://talk.test:{server.port}/")
    assert "localhost" in page.sentence("https")
    page.page.locator("#without").click()
    page.page.wait_for_selector("html[data-phase=talking]")
    page.type("can you read this")
    assert page.answer()


def test_the_page_waits_for_the_models(browse: Browse, visit: Open) -> None:
    with serving("session.greeting=", profile="demo", wait=False) as server:
        page = visit(browse(), server)
        page.page.wait_for_selector("html[data-phase=ready]")
        page.talk()


def test_a_refused_microphone_can_be_given_later(start: Start, browse: Browse, visit: Open) -> None:
    server = start()
    browser = browse(allow=False)
    page = visit(browser, server)
    page.page.locator("#start:enabled").click()
    page.sentence("blocked for this page")
    page.page.context.grant_permissions(["microphone"])
    page.page.locator("#start:enabled").click()
    page.state("listening")


def test_ending_while_the_browser_asks_gives_the_microphone_back(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start()).page
    page.wait_for_selector("#start:enabled")
    page.evaluate("""() => {
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      const allowed = new Promise((allow) => { window.allow = allow; });
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        await allowed;
        window.lent = await ask(wanted);
        return window.lent;
      };
    }""")
    page.locator("#start").click()
    page.locator("#end").click()
    page.wait_for_selector("html[data-phase=ready]")
    page.evaluate("() => window.allow()")
    page.wait_for_function("() => window.lent?.getAudioTracks()[0].readyState === 'ended'")
    assert page.locator("html").get_attribute("data-phase") == "ready"


def test_nothing_is_asked_of_any_other_host(start: Start, browse: Browse, visit: Open) -> None:
    server = start()
    browser = browse()
    asked: list[str] = []
    context = browser.new_context()
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(f"http://localhost:{server.port}/")
    page.locator("#start:enabled").click()
    page.wait_for_selector("html[data-phase=talking]")
    assert asked
    assert all(
        url.startswith((f"http://localhost:{server.port}/", "data:", "blob:")) for url in asked
    )


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_fits(width: int, start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(), start(), viewport={"width": width, "height": 700}).talk()
    page.type("a sentence that is long enough to need more than one line on a small telephone")
    page.heard()
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
