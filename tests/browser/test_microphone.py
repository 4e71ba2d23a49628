"""The microphone is refused, missing, held by others, or goes in the middle of a talk: each has its sentence and way on."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.serving import Serving
from tests.browser.conftest import PATIENCE_MS, Visit, say

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]

DESK = """() => {
  const { mediaDevices } = navigator;
  const ask = mediaDevices.getUserMedia.bind(mediaDevices);
  const list = mediaDevices.enumerateDevices.bind(mediaDevices);
  const desk = (window.desk = { plugged: true, held: false, lent: [] });
  const changed = () => mediaDevices.dispatchEvent(new Event("devicechange"));
  mediaDevices.getUserMedia = async (wanted) => {
    if (!desk.plugged) throw new DOMException("Requested device not found", "NotFoundError");
    if (desk.held) throw new DOMException("Could not start audio source", "NotReadableError");
    const stream = await ask(wanted);
    desk.lent.push(stream.getAudioTracks()[0]);
    return stream;
  };
  mediaDevices.enumerateDevices = async () =>
    (await list()).filter(({ kind }) => desk.plugged || kind !== "audioinput");
  desk.unplug = () => {
    desk.plugged = false;
    for (const track of desk.lent.splice(0)) {
      track.stop();
      track.dispatchEvent(new Event("ended"));
    }
    changed();
  };
  desk.silence = (silenced) => {
    for (const track of desk.lent) track.dispatchEvent(new Event(silenced ? "mute" : "unmute"));
  };
  const play = HTMLMediaElement.prototype.play;
  desk.players = new Set();
  HTMLMediaElement.prototype.play = function () {
    desk.players.add(this);
    return play.call(this);
  };
  desk.plug = () => {
    desk.plugged = true;
    changed();
  };
}"""
"""The browser's own devices with a cable that can be pulled: this machine has none that could be."""


def with_desk(page: Page) -> None:
    page.add_init_script(f"({DESK})()")


def test_a_microphone_that_is_unplugged_comes_back_by_itself(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(say(60.0)), start("session.greeting="), before=with_desk).talk()
    page.page.evaluate("() => desk.unplug()")
    page.sentence("The microphone is gone")
    page.type("the talk goes on by typing")
    page.heard()
    expect(page.page.locator("#microphone")).to_be_enabled()
    expect(page.page.locator("#mute")).to_be_hidden()
    page.page.evaluate("() => desk.plug()")
    expect(page.page.locator("#mute")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.page.locator("#sentence")).to_have_text("", timeout=PATIENCE_MS)
    assert page.page.evaluate("() => desk.lent.length") == 1
    assert page.page.locator("html").get_attribute("data-phase") == "talking"


def test_another_microphone_takes_the_place_of_the_one_that_is_gone_and_is_heard(
    start: Start, browse: Browse, visit: Open
) -> None:
    sound = say(*(["goforward", 4.0] * 8))
    page = visit(browse(sound), start("session.greeting="), before=with_desk).talk()
    page.said()
    page.page.evaluate("() => { desk.unplug(); desk.plug(); }")
    expect(page.page.locator("#mute")).to_be_visible(timeout=PATIENCE_MS)
    before = page.turns()
    page.page.locator("#captions li[data-who=user]").nth(before).wait_for()


def test_what_was_muted_stays_muted_with_another_microphone(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start("session.greeting="), before=with_desk).talk()
    page.page.locator("#mute").click()
    page.state("muted")
    page.page.evaluate("() => { desk.unplug(); desk.plug(); }")
    page.page.wait_for_function("() => desk.lent.length === 1 && !desk.lent[0].enabled")
    page.state("muted")


def test_a_microphone_that_another_program_holds(start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(), start(), before=with_desk)
    page.page.evaluate("() => { desk.held = true; }")
    page.page.locator("#start:enabled").click()
    page.sentence("Another program holds the microphone")
    expect(page.page.locator("#without")).to_be_visible()
    page.page.evaluate("() => { desk.held = false; }")
    page.page.locator("#start:enabled").click()
    page.page.wait_for_selector("html[data-phase=talking]")


def test_no_microphone_at_all_and_then_one(start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(), start("session.greeting="), before=with_desk)
    page.page.evaluate("() => { desk.plugged = false; }")
    page.page.locator("#start:enabled").click()
    page.sentence("No microphone was found")
    page.page.locator("#without").click()
    page.page.wait_for_selector("html[data-phase=talking]")
    page.type("is anybody there")
    page.heard()
    page.page.evaluate("() => desk.plug()")
    page.page.locator("#microphone:enabled").click()
    expect(page.page.locator("#mute")).to_be_visible(timeout=PATIENCE_MS)


def test_what_was_in_the_way_goes_by_itself(start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(), start("session.greeting="), before=with_desk)
    page.page.evaluate("() => { desk.plugged = false; }")
    page.page.locator("#start:enabled").click()
    page.sentence("No microphone was found")
    page.page.evaluate("() => desk.plug()")
    expect(page.page.locator("#sentence")).to_have_text("", timeout=PATIENCE_MS)
    expect(page.page.locator("#start")).to_have_text("Start talking")
    expect(page.page.locator("#without")).to_be_hidden()
    page.talk()


def test_a_system_that_holds_the_microphone_back_is_said(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start("session.greeting="), before=with_desk).talk()
    page.page.evaluate("() => desk.silence(true)")
    page.sentence("gives no sound of the microphone")
    page.page.evaluate("() => desk.silence(false)")
    gone = page.page.locator("#sentence", has_text="gives no sound")
    expect(gone).to_have_count(0, timeout=PATIENCE_MS)


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
def test_sound_that_a_call_paused_goes_on(
    transport: str, start: Start, browse: Browse, visit: Open
) -> None:
    url = f"http://localhost:{start('session.greeting=').port}/?transport={transport}"
    page = visit(browse(), url, before=with_desk).talk().over(transport)
    page.page.evaluate("() => { for (const player of desk.players) player.pause(); }")
    page.page.wait_for_function(
        "() => [...desk.players].every((one) => !one.srcObject || !one.paused)"
    )
    page.type("are you to be heard")
    page.heard()


def test_a_permission_that_is_taken_back_in_the_middle_of_a_talk(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(allow=False), start("session.greeting="), permissions=["microphone"]).talk()
    browser = page.page.context.browser
    assert browser is not None
    developer = browser.new_browser_cdp_session()
    origin = page.page.url.rstrip("/")
    tabs = developer.send("Target.getTargets")["targetInfos"]
    (ours,) = (tab["browserContextId"] for tab in tabs if tab["url"].startswith(origin))

    def may(setting: str) -> None:
        """As in the browser's own panel for this page."""
        permission = {"permission": {"name": "microphone"}, "setting": setting}
        developer.send(
            "Browser.setPermission", permission | {"origin": origin, "browserContextId": ours}
        )

    may("denied")
    page.sentence("blocked for this page")
    page.type("the talk goes on by typing")
    page.heard()
    may("granted")
    expect(page.page.locator("#mute")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.page.locator("#sentence")).to_have_text("", timeout=PATIENCE_MS)
