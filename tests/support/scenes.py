"""Every state that a person can find the page in, reached through the real server. What fails does so at the server
or in the browser, never in the page. For the tests that look at all of them, and for `make screenshots`."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from playwright.sync_api import Page

from tests.support.stage import TOKEN, Stage
from ultraandchat.transport.wire import PROTOCOL_VERSION

Play = Callable[[Stage], Page]
"""Leaves the page in the state."""

LONG = "What is a long sentence that somebody types to see how it is wrapped on a telephone?"

DEVICES = """
  const devices = navigator.mediaDevices;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.unplug = () => {
      devices.getUserMedia = async () => { throw new DOMException("none", "NotFoundError"); };
      devices.enumerateDevices = async () => [];
      for (const track of stream.getAudioTracks()) {
        track.stop();
        track.dispatchEvent(new Event("ended"));
      }
      devices.dispatchEvent(new Event("devicechange"));
    };
    return stream;
  };
"""
"""The browser's own microphone, with a cable that can be pulled: this machine has none that could be."""

UNASKED = """
  const play = HTMLMediaElement.prototype.play;
  let touched = false;
  addEventListener("pointerdown", () => (touched = true), true);
  HTMLMediaElement.prototype.play = async function () {
    if (!touched) throw new DOMException("not now", "NotAllowedError");
    return play.call(this);
  };
"""
"""As browsers that let not even a page with a microphone play before it was touched."""


@dataclass(frozen=True)
class Scene:
    name: str
    title: str
    """What is seen, in words."""
    play: Play


SCENES: list[Scene] = []


def scene(title: str) -> Callable[[Play], Play]:
    def add(play: Play) -> Play:
        SCENES.append(Scene(play.__name__, title, play))
        return play

    return add


# First use


@scene("The first visit")
def ready(stage: Stage) -> Page:
    page = stage.open(stage.server())
    page.wait_for_selector("#start:enabled")
    return page


@scene("A model is being downloaded")
def loading(stage: Stage) -> Page:
    page = stage.open(stage.told("download 3220000000 16100000000"))
    page.wait_for_selector("#loading li")
    return page


@scene("A model does not run")
def failed(stage: Stage) -> Page:
    page = stage.talk(stage.told("ready"))
    stage.tell("gone")
    type_in(page, "speak")
    page.locator("#sentence", has_text="GPU").wait_for()
    page.locator("#end").click()
    page.wait_for_selector('html[data-state="failed"]')
    return page


@scene("The server asks for its token")
def locked(stage: Stage) -> Page:
    page = stage.open(stage.server(f"access.token={TOKEN}"))
    page.wait_for_selector('html[data-state="locked"]')
    return page


@scene("The server lets nobody in who comes this way")
def barred(stage: Stage) -> Page:
    page = stage.open(stage.server(), extra_http_headers={"X-Forwarded-For": "198.51.100.1"})
    page.wait_for_selector('html[data-state="barred"]')
    return page


@scene("Another host's page without https")
def insecure(stage: Stage) -> Page:
    page = stage.page((1.0,), "--host-resolver-rules=MAP talk.test 127.0.0.1")
    page.goto(f"http://talk.test:{stage.server(f'access.token={TOKEN}').port}/#token={TOKEN}")
    page.wait_for_selector("#without:visible")
    return page


@scene("The browser asks for the microphone")
def asking(stage: Stage) -> Page:
    page = stage.page()
    never = "navigator.mediaDevices.getUserMedia = () => new Promise(() => {});"
    page.add_init_script(never)
    page.goto(f"http://localhost:{stage.server().port}/")
    page.locator("#start:enabled").click()
    page.locator("#sentence", has_text="asking").wait_for()
    return page


@scene("The microphone was refused")
def denied(stage: Stage) -> Page:
    page = stage.open(stage.server(), allow=False)
    page.locator("#start:enabled").click()
    page.wait_for_selector("#without:visible")
    return page


@scene("There is no microphone")
def missing(stage: Stage) -> Page:
    page = stage.page()
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => "
        '{ throw new DOMException("none", "NotFoundError"); };'
    )
    page.goto(f"http://localhost:{stage.server().port}/")
    page.locator("#start:enabled").click()
    page.wait_for_selector("#without:visible")
    return page


# The talk


@scene("It listens")
def listening(stage: Stage) -> Page:
    return stage.talk(stage.server())


@scene("It hears you")
def hearing(stage: Stage) -> Page:
    page = stage.open(stage.server(), *["lj001_0008"] * 40)
    page.locator("#start:enabled").click()
    page.wait_for_selector("html[data-phase=talking]")
    page.keyboard.down("Space")  # a pause between two sentences ends nothing
    page.wait_for_selector('html[data-state="hearing you"]')
    page.locator("#captions li.partial").wait_for()
    return page


@scene("It thinks")
def thinking(stage: Stage) -> Page:
    slow = ("engines.language=scripted", "engines.scripted.first_clause_ms=110000")
    page = stage.talk(stage.server(*slow, "turn.reply_timeout_s=120"))
    type_in(page, "how far is the moon")
    page.wait_for_selector('html[data-state="thinking"]')
    return page


@scene("It speaks")
def speaking(stage: Stage) -> Page:
    page = stage.talk(stage.server("engines.scripted.clause_s=6"))
    type_in(page, "what is 17 times 23")
    page.locator("#captions li[data-who=agent][data-final=true]").wait_for()
    type_in(page, "tell me a joke")
    page.locator("#captions li[data-who=agent]").nth(1).locator(".word").first.wait_for()
    return page


@scene("A reply was cut: what was not heard is struck")
def interrupted(stage: Stage) -> Page:
    page = stage.talk(stage.server())
    type_in(page, "what can you do")
    page.wait_for_selector('html[data-state="speaking"]')
    page.locator("#captions .word").first.wait_for()
    page.locator("#interrupt:enabled").click()
    page.locator("s.unheard").wait_for()
    return page


@scene("Long words are typed")
def typed(stage: Stage) -> Page:
    page = stage.talk(stage.server())
    type_in(page, LONG)
    page.wait_for_selector('html[data-state="speaking"]')
    page.locator("#say").fill(LONG)
    return page


@scene("It is muted")
def muted(stage: Stage) -> Page:
    page = stage.talk(stage.server())
    page.locator("#mute").click()
    page.wait_for_selector('html[data-state="muted"]')
    return page


@scene("The settings, in a talk")
def settings(stage: Stage) -> Page:
    page = stage.talk(stage.server())
    page.locator("#more").click()
    page.locator("#settings[open]").wait_for()
    return page


@scene("The details, after a turn")
def details(stage: Stage) -> Page:
    page = stage.talk(stage.server("engines.scripted.clause_s=1"))
    for turn, text in enumerate(("what time is it", "roll a dice", "what is 17 times 23")):
        type_in(page, text)
        heard(page, turn)
    page.locator("#details").click()
    page.locator("#side:visible").wait_for()
    return page


@scene("The details with every fold open")
def unfolded(stage: Stage) -> Page:
    page = details(stage)
    page.locator("#side").evaluate(
        "side => side.querySelectorAll('details').forEach(fold => { fold.open = true; })"
    )
    return page


@scene("It was ended")
def ended(stage: Stage) -> Page:
    page = stage.talk(stage.server("engines.scripted.clause_s=1"))
    type_in(page, "go forward ten meters")
    heard(page)
    page.locator("#end").click()
    page.wait_for_selector('html[data-state="ready"]')
    return page


# What goes wrong


@scene("The microphone was unplugged")
def unplugged(stage: Stage) -> Page:
    page = stage.page()
    page.add_init_script(f"(() => {{ {DEVICES} }})()")
    page.goto(f"http://localhost:{stage.server().port}/")
    page.locator("#start:enabled").click()
    page.locator("#mute:visible").wait_for()
    page.wait_for_selector('html[data-state="listening"]')
    page.evaluate("() => window.unplug()")
    page.locator("#microphone:visible").wait_for()
    return page


@scene("The browser plays nothing unasked")
def silent(stage: Stage) -> Page:
    page = stage.talk(stage.server(), permissions=["microphone"])
    page.add_init_script(f"(() => {{ {UNASKED} }})()")
    page.reload()
    page.locator("#start[data-does=wake]:visible").wait_for()
    return page


@scene("The server is full")
def full(stage: Stage) -> Page:
    server = stage.server("server.max_conversations=1", "server.retry_after_s=600")
    other = stage.talk(server)
    page = other.context.browser.new_context().new_page()  # type: ignore[union-attr]
    page.set_viewport_size(other.viewport_size or {"width": 1280, "height": 800})
    page.goto(other.url)
    page.locator("#start:enabled").click()
    page.wait_for_selector("html[data-phase=waiting]")
    return page


@scene("The connection is being made")
def connecting(stage: Stage) -> Page:
    page = stage.page()
    page.goto(f"http://localhost:{stage.server().port}/")
    page.evaluate(
        "() => { window.WebSocket = class extends EventTarget { close() {} send() {} }; }"
    )
    page.locator("#start:enabled").click()
    page.locator("#mute:visible").wait_for()  # the microphone is there, the server not yet
    page.wait_for_selector('html[data-state="connecting"]')
    return page


@scene("The server is gone in the middle of a talk")
def lost(stage: Stage) -> Page:
    with stage.mortal("engines.scripted.clause_s=1") as server:
        page = stage.talk(server)
        type_in(page, "go forward ten meters")
        page.locator("#captions li[data-who=agent]").wait_for()
    page.wait_for_selector("html[data-phase=waiting]")
    return page


@scene("The server is gone before a talk")
def unreachable(stage: Stage) -> Page:
    with stage.mortal() as server:
        page = stage.open(server)
        page.wait_for_selector("#start:enabled")
    page.locator("#sentence", has_text="does not answer").wait_for()
    return page


@scene("The conversation waits after a reload")
def kept(stage: Stage) -> Page:
    page = stage.talk(stage.server())
    type_in(page, "what can you do")
    page.locator("#captions li[data-who=agent]").wait_for()
    page.add_init_script("navigator.permissions.query = async () => ({ state: 'prompt' })")
    page.reload()
    page.locator("#sentence", has_text="waits for you").wait_for()
    return page


@scene("The conversation goes on in another tab")
def elsewhere(stage: Stage) -> Page:
    page = stage.talk(stage.server())
    with page.context.expect_page() as opened:
        page.evaluate("() => { window.open(location.href); }")
    other = opened.value  # has a copy of what this tab keeps
    other.wait_for_selector("html[data-phase=talking]")
    page.locator("#start", has_text="Go on here").wait_for()
    page.bring_to_front()
    return page


@scene("The server has a newer page")
def newer(stage: Stage) -> Page:
    with stage.mortal() as server:
        page = stage.open(server)
        page.wait_for_selector("#start:enabled")
    stage.enter(stage.other_page(another(stage.folder()), server.port, PROTOCOL_VERSION))
    page.locator("#reload:visible").wait_for()
    return page


@scene("The server speaks another protocol")
def foreign(stage: Stage) -> Page:
    with stage.mortal() as server:
        page = stage.open(server)
        page.wait_for_selector("#start:enabled")
    folder = another(stage.folder())
    stage.enter(stage.other_page(folder, server.port, PROTOCOL_VERSION + 1))
    page.locator("#start").wait_for(state="hidden")
    page.locator("#reload:visible").wait_for()
    return page


def another(folder: Path) -> Path:
    """The page's files with one of them changed."""
    there = folder / f"page-{time.monotonic_ns()}"
    shutil.copytree(Path(str(resources.files("ultraandchat") / "web")), there)
    with (there / "main.js").open("a") as script:
        script.write("// of another version\n")
    return there


def heard(page: Page, turn: int = 0) -> None:
    """Waits until that answer is over. That it speaks may be too short to be seen on a busy machine."""
    page.locator("#captions li[data-who=agent][data-final=true]").nth(turn).wait_for()
    page.wait_for_selector('html[data-state="listening"]')


def type_in(page: Page, text: str) -> None:
    page.locator("#say:enabled").fill(text)
    page.locator("#say").press("Enter")
