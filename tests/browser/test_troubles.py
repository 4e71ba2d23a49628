"""What a person meets when something is wrong: a plain sentence, and a way forward."""

import re
import signal
import subprocess
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.serving import Serving, serving
from tests.browser.conftest import PATIENCE_MS, Visit

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]

TELL_THE_SENTENCE = """
  document.addEventListener("DOMContentLoaded", () => {
    const sentence = document.getElementById("sentence");
    const tell = () => console.debug(sentence.textContent);
    new MutationObserver(tell).observe(sentence, { childList: true, characterData: true, subtree: true });
  });
"""
"""The page's sentence, each time it is another one, in the console."""


def test_the_server_goes_and_comes_back(browse: Browse, visit: Open) -> None:
    with serving("session.greeting=") as server:
        page = visit(browse(), server).talk()
        port = server.port
    page.page.wait_for_selector("html[data-phase=waiting]")
    assert page.sentence("Trying again")
    with serving("session.greeting=", port=port):
        page.page.wait_for_selector("html[data-phase=talking]")
        page.sentence(
            "The server was started anew. The earlier conversation is over; this is a new"
        )
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
    full = second.sentence("somebody has it")
    assert re.fullmatch(
        r"This server holds one .* somebody has it\. Trying again in [12] s\.", full
    )
    first.page.locator("#end").click()
    second.page.wait_for_selector("html[data-phase=talking]")


def test_a_page_that_is_not_secure_says_why_and_lets_one_type(
    start: Start, browse: Browse, visit: Open
) -> None:
    server = start("access.token=the-operators-own-token")
    browser = browse(None, "--host-resolver-rules=MAP talk.test 127.0.0.1")
    page = visit(browser, f"http://talk.test:{server.port}/#token=the-operators-own-token")
    assert "localhost" in page.sentence("https")
    commands = page.page.locator("#mend code")
    expect(commands).to_have_text(
        [
            f"ssh -L {server.port}:localhost:{server.port} talk.test",
            "ultraandchat serve --tls self-signed",
        ],
        timeout=PATIENCE_MS,
    )
    page.page.locator("#without").click()
    page.page.wait_for_selector("html[data-phase=talking]")
    page.type("can you read this")
    assert page.answer()


def styled(page: Visit) -> None:
    """Waits until the page has its style."""
    for _ in range(PATIENCE_MS // 100):
        if page.page.evaluate(
            "() => [...document.styleSheets].some((one) => one.href?.endsWith('style.css'))"
        ):
            return
        page.page.wait_for_timeout(100)
    raise AssertionError("the page has no style")


@pytest.mark.parametrize("part", ["page.js", "style.css"])
def test_a_part_of_the_page_that_did_not_come_is_loaded_again(
    part: str, start: Start, browse: Browse, visit: Open
) -> None:
    """As where the network changes meanwhile: Chromium then drops what it is loading."""
    address = f"http://localhost:{start('access.token=the-operators-own-token').port}"

    def lose_it_once(page: Page) -> None:
        page.route(f"**/{part}", lambda route: route.abort("addressunreachable"), times=1)

    page = visit(browse(), f"{address}/#token=the-operators-own-token", before=lose_it_once)
    page.talk()
    assert "token" not in page.page.url
    styled(page)
    assert [text for text in page.errors if "ERR_ADDRESS_UNREACHABLE" not in text] == []
    page.errors.clear()  # the browser itself logs what it could not load


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
    expect(page.locator("#why")).to_contain_text("will ask for the microphone")
    page.locator("#start").click()
    expect(page.locator("#sentence")).to_contain_text("is asking", timeout=PATIENCE_MS)
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


def test_a_browser_that_plays_nothing_is_mended_by_one_touch(
    start: Start, browse: Browse, visit: Open
) -> None:
    """After a reload the talk goes on by itself, and this browser wants a touch of the new page first. (With a
    microphone in use Chromium plays all the same.) Whatever Playwright asks of a page counts as a touch, so the page
    tells by itself that it was refused."""
    browser = browse(None, "--autoplay-policy=user-gesture-required", allow=False)
    page = visit(browser, start("session.greeting="))
    page.page.add_init_script(TELL_THE_SENTENCE)
    page.page.locator("#start:enabled").click()
    page.page.locator("#without").click()
    page.page.wait_for_selector("html[data-phase=talking]")
    with page.page.expect_console_message(lambda told: "before you touch this page" in told.text):
        page.page.reload()
    page.sentence("plays no sound before you touch this page")
    expect(page.page.locator("#start")).to_have_text("Go on")
    page.page.mouse.click(5, 400)  # anywhere
    expect(page.page.locator("#start")).to_be_hidden(timeout=PATIENCE_MS)
    page.type("are you to be heard now")
    page.heard()
