"""The page as an app: it can be installed, keeps the screen on while it talks, and hears the headset's keys."""

import json
import struct
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from bench.serving import Serving
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]

DEVICE = """() => {
  window.screens = { asked: 0, held: 0 };
  const ask = navigator.wakeLock.request.bind(navigator.wakeLock);
  navigator.wakeLock.request = async (kind) => {
    screens.asked += 1;
    const lock = await ask(kind);
    screens.held += 1;
    lock.addEventListener("release", () => { screens.held -= 1; });
    return lock;
  };
  window.keys = {};
  const set = navigator.mediaSession.setActionHandler.bind(navigator.mediaSession);
  navigator.mediaSession.setActionHandler = (name, act) => {
    set(name, act);
    keys[name] = act;
  };
}"""


def watched(page: Page) -> None:
    """What this page asks of its device is noted."""
    page.add_init_script(f"({DEVICE})()")


def got(server: Serving, path: str) -> bytes:
    with urllib.request.urlopen(f"{server.url}/{path}", timeout=30) as answer:
        content: bytes = answer.read()
    return content


def size(png: bytes) -> tuple[int, ...]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def test_a_browser_finds_nothing_that_keeps_it_from_being_installed(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start()).page
    developer = page.context.new_cdp_session(page)
    manifest: Any = developer.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert json.loads(manifest["data"])["name"] == "UltraAndChat"
    errors = developer.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # A context of a test is a private window, from which nothing can be installed.
    assert [one["errorId"] for one in errors if one["errorId"] != "in-incognito"] == []


def test_every_icon_is_there_and_as_large_as_it_says(start: Start) -> None:
    server = start()
    manifest = json.loads(got(server, "manifest.webmanifest"))
    pictures = [icon for icon in manifest["icons"] if icon["type"] == "image/png"]
    for icon in pictures:
        width, height = size(got(server, icon["src"]))
        assert icon["sizes"] == f"{width}x{height}"
    kinds = {(icon["sizes"], icon.get("purpose", "any")) for icon in pictures}
    assert kinds == {(f"{px}x{px}", of) for px in (192, 512) for of in ("any", "maskable")}
    assert size(got(server, "icons/apple-touch-icon.png")) == (180, 180)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_frame_around_the_page_has_its_ground(
    scheme: str, start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start(), color_scheme=scheme).page
    page.wait_for_selector("html[data-phase=ready]")

    def frame_and_ground() -> list[str]:
        both: list[str] = page.evaluate("""() => {
          const metas = [...document.querySelectorAll("meta[name=theme-color]")];
          const frame = metas.find(({ media }) => matchMedia(media).matches).content;
          const probe = document.createElement("p");
          probe.style.color = frame;
          document.body.append(probe);
          return [getComputedStyle(probe).color, getComputedStyle(document.body).backgroundColor];
        }""")
        return both

    frame, ground = frame_and_ground()
    assert frame == ground
    other = {"light": "dark", "dark": "light"}[scheme]
    page.evaluate(
        "(theme) => { localStorage.preferences = JSON.stringify({ version: 1, theme }); dispatchEvent(new Event('preferences')); }",
        other,
    )
    frame, changed = frame_and_ground()
    assert (frame == changed, changed != ground) == (True, True)


def test_the_screen_stays_on_while_there_is_a_talk(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start("session.greeting="), before=watched)
    page.page.wait_for_selector("html[data-phase=ready]")
    assert page.page.evaluate("() => screens.asked") == 0
    page.talk()
    page.page.wait_for_function("() => screens.held === 1")
    page.page.locator("#end").click()
    page.page.wait_for_function("() => screens.held === 0")
    assert page.page.evaluate("() => screens.asked") == 1


def test_keys_of_the_headset_mute_and_hang_up(start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(), start("session.greeting="), before=watched).talk()
    page.page.evaluate("() => keys.togglemicrophone()")
    page.state("muted")
    page.page.evaluate("() => keys.togglemicrophone()")
    page.state("listening")
    page.page.evaluate("() => keys.hangup()")
    page.page.wait_for_selector("html[data-phase=ready]")
    assert page.page.evaluate("() => [keys.hangup, keys.togglemicrophone]") == [None, None]
