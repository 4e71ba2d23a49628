"""A person chooses, and is obeyed at once: in the talk that goes on, after a reload, in the next talk, in another tab."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from bench.serving import Serving
from tests.browser.conftest import PATIENCE_MS, RATE, Visit, say
from tests.support.speaking import listening, speak
from ultraandchat.audio.level import dbfs

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]

ONE_OF_EACH = """
  const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
  navigator.mediaDevices.enumerateDevices = async () =>
    (await list()).filter(({label}) => !label.endsWith("2"));
"""
"""Chromium's fake devices are two of each kind, and what the system uses."""
AS_IT_COMES = {"version": 1, "echo": False, "noise": False, "gain": False}

NOTES = """
  window.asked = [];
  window.lent = [];
  window.sinks = [];
  const lend = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => {
    window.asked.push({ ...wanted.audio });
    const gone = window.away && wanted.audio.deviceId;
    const stream = gone ? Promise.reject(new OverconstrainedError("deviceId")) : lend(wanted);
    stream.then((stream) => window.lent.push(...stream.getTracks()), () => {});
    return stream;
  };
  const direct = HTMLMediaElement.prototype.setSinkId;
  HTMLMediaElement.prototype.setSinkId = function (id) {
    window.sinks.push(id);
    return direct.call(this, id);
  };
"""
USED = "() => window.lent.at(-1).getSettings().deviceId"
GIVEN_BACK = """
  (opened) => {
    const states = window.lent.map(({readyState}) => readyState);
    return states.length === opened && states.indexOf("live") === opened - 1;
  }
"""


class Told:
    """What this page says to the server, in order."""

    def __init__(self, page: Page) -> None:
        self.messages: list[dict[str, Any]] = []
        self._page = page
        page.on("websocket", self._follow)

    def _follow(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: isinstance(frame, str) and self._note(frame))

    def _note(self, text: str) -> None:
        self.messages.append(json.loads(text))

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    def first(self, count: int, kind: str) -> list[dict[str, Any]]:
        """All of that kind, once there are so many: what left the page is told a moment later."""
        for _ in range(PATIENCE_MS // 50):
            if len(self.all(kind)) >= count:
                break
            self._page.wait_for_timeout(50)
        return self.all(kind)


def noting(page: Page) -> None:
    page.add_init_script(NOTES)


def keeping(preferences: dict[str, Any] | str) -> Callable[[Page], None]:
    """A browser in which that was chosen before, once."""
    text = preferences if isinstance(preferences, str) else json.dumps(preferences)
    return lambda page: page.add_init_script(
        f"if (localStorage.length === 0) localStorage.setItem('preferences', {json.dumps(text)})"
    )


def kept(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.evaluate("() => localStorage.preferences ?? '{}'"))
    return found


def settings(visit: Visit) -> Page:
    visit.page.locator("#more").click()
    return visit.page


def slide(page: Page, name: str, value: float) -> None:
    page.locator(f"#{name}").fill(str(value))


def quieter(speech: np.ndarray, wanted_dbfs: float) -> np.ndarray:
    gain = 10 ** ((wanted_dbfs - dbfs(speech.astype(np.float32) / 32768)) / 20)
    return np.round(speech * gain).astype(np.int16)


# --- kept --------------------------------------------------------------------------------------


def test_what_was_chosen_is_told_at_once_and_survives_a_reload(
    browse: Browse, start: Start, visit: Open
) -> None:
    before: list[Told] = []
    talk = visit(browse(), start(), before=lambda page: before.append(Told(page)))
    (told,) = before
    page = settings(talk.talk())
    slide(page, "speed", 1.5)
    slide(page, "sensitivity", -60)
    page.get_by_text("Large", exact=True).click()
    page.get_by_text("Dark", exact=True).click()
    page.locator("#earcons").uncheck()
    assert told.first(2, "settings") == [
        {"type": "settings", "speed": 1.5},
        {"type": "settings", "sensitivity": -60},
    ]
    chosen = {"speed": 1.5, "sensitivity": -60, "captions": "large", "theme": "dark"}
    assert kept(page) == {"version": 1, **chosen, "earcons": False}
    page.keyboard.press("Escape")
    page.locator("#end").click()

    page.reload()
    page.wait_for_selector("html[data-theme=dark][data-captions=large]")
    talk.talk()
    hello = told.first(2, "hello")[-1]
    assert (hello["speed"], hello["sensitivity"]) == (1.5, -60)
    settings(talk)
    assert page.locator("#speed").input_value() == "1.5"
    assert page.locator("#sensitivity").input_value() == "-60"
    assert not page.locator("#earcons").is_checked()
    expect(page.locator("#captions")).to_have_css("font-size", "25px")


def test_a_voice_is_kept_and_asked_for_in_the_next_hello(
    browse: Browse, start: Start, visit: Open
) -> None:
    before: list[Told] = []
    talk = visit(browse(), start(), before=lambda page: before.append(Told(page)))
    page = settings(talk.talk())
    voices = page.locator("#voices option").all_inner_texts()
    page.locator("#voices").select_option(voices[-1])
    assert before[0].first(1, "settings") == [{"type": "settings", "voice": voices[-1]}]
    page.reload()
    page.wait_for_selector("html[data-phase=talking]")  # it goes on
    assert before[0].first(2, "hello")[-1]["voice"] == voices[-1]
    settings(talk)
    expect(page.locator("#voices")).to_have_value(voices[-1])


@pytest.mark.parametrize(
    "text", ["{", "[1,2]", '{"version":99,"theme":"dark"}', '{"version":1,"theme":"<b>","speed":9}']
)
def test_what_somebody_else_kept_there_is_ignored(
    text: str, browse: Browse, demo: Serving, visit: Open
) -> None:
    page = visit(browse(), demo, before=keeping(text), color_scheme="light").page
    page.wait_for_selector("html[data-theme=light]")
    page.locator("#start:enabled").wait_for()
    assert page.locator("#speed").input_value() == "1"


def test_two_tabs_follow_each_other_and_do_not_fight(
    browse: Browse, demo: Serving, visit: Open
) -> None:
    one = settings(visit(browse(), demo, color_scheme="light"))
    other = one.context.new_page()
    other.goto(one.url)
    other.locator("#more").click()
    one.get_by_text("Dark", exact=True).click()
    other.wait_for_selector("html[data-theme=dark]")
    slide(other, "speed", 0.8)
    expect(one.locator("#speed")).to_have_value("0.8")
    one.get_by_text("Largest", exact=True).click()
    other.wait_for_selector("html[data-captions=largest]")
    assert kept(one) == {"version": 1, "theme": "dark", "speed": 0.8, "captions": "largest"}


# --- devices -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["webrtc", "websocket"])
def test_another_microphone_is_taken_in_the_middle_of_a_talk(
    way: str, browse: Browse, demo: Serving, visit: Open
) -> None:
    """The one before is given back; what is heard afterwards comes from the other."""
    url = f"http://localhost:{demo.port}/?transport={way}"
    sound = say(1.0, *["goforward", 5.0] * 20)
    talk = visit(browse(sound), url, before=noting).talk().over(way)
    assert talk.said("go forward")
    page = settings(talk)
    expect(page.locator("#microphones option")).to_have_count(3)

    def heard_again(opened: int) -> None:
        page.wait_for_function(GIVEN_BACK, arg=opened)
        page.wait_for_selector('html[data-state="listening"]')
        turns = talk.turns()
        for _ in range(PATIENCE_MS // 50):
            if talk.turns() > turns:
                break
            page.wait_for_timeout(50)
        assert talk.turns() > turns
        assert page.locator("html").get_attribute("data-path") == way

    page.locator("#microphones").select_option(index=2)
    heard_again(2)
    wanted = page.evaluate("() => window.asked.map(({deviceId}) => deviceId?.exact ?? '')")
    assert wanted == ["", page.locator("#microphones").input_value()]
    assert page.evaluate(USED) == wanted[1]
    page.get_by_text("Your microphone's sound").click()
    page.locator("#gain").uncheck()
    heard_again(3)
    treated = page.evaluate("() => window.asked.map((audio) => audio.autoGainControl)")
    assert treated == [True, True, False]


def test_another_speaker_is_taken_in_the_middle_of_a_talk(
    browse: Browse, start: Start, visit: Open
) -> None:
    talk = visit(browse(), start("engines.scripted.clauses=20"), before=noting).talk()
    talk.type("hello")
    talk.heard()
    page = settings(talk)
    page.locator("#speakers").select_option(index=1)
    chosen = page.locator("#speakers").input_value()
    for _ in range(PATIENCE_MS // 50):
        if page.evaluate("() => window.sinks.length") == 2:
            break
        page.wait_for_timeout(50)
    assert page.evaluate("() => window.sinks") == [chosen, chosen]
    talk.heard()
    assert kept(page) == {"version": 1, "speaker": chosen}


def plugged(page: Page, *, away: bool) -> None:
    """What was chosen is taken out, or put in again."""
    page.evaluate("(away) => { window.away = away; }", away)
    page.evaluate("() => navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")


def test_a_microphone_that_comes_back_is_used_again(
    browse: Browse, demo: Serving, visit: Open
) -> None:
    talk = visit(browse(), demo, before=noting).talk()
    page = settings(talk)
    page.locator("#microphones").select_option(index=2)
    chosen = page.locator("#microphones").input_value()
    page.wait_for_function(GIVEN_BACK, arg=2)
    page.keyboard.press("Escape")
    page.locator("#end").click()
    page.evaluate("() => { window.away = true; }")
    talk.talk()  # with another one
    page.wait_for_function(GIVEN_BACK, arg=3)
    assert page.evaluate(USED) != chosen
    plugged(page, away=False)
    page.wait_for_function(GIVEN_BACK, arg=4)
    assert page.evaluate(USED) == chosen


def test_without_the_chosen_speaker_sound_comes_where_the_system_wants_it(
    browse: Browse, demo: Serving, visit: Open
) -> None:
    def before(page: Page) -> None:
        noting(page)
        page.add_init_script(
            ONE_OF_EACH.replace("async () =>", "async () => !window.away ? list() :")
        )

    talk = visit(browse(), demo, before=before).talk()
    page = settings(talk)
    page.locator("#speakers").select_option(index=2)
    chosen = page.locator("#speakers").input_value()
    routed = "(sinks) => window.sinks.join() === sinks.join()"
    page.wait_for_function(routed, arg=[chosen] * 2)
    plugged(page, away=True)
    page.wait_for_function(routed, arg=[chosen] * 2 + [""] * 2)
    assert kept(page)["speaker"] == chosen
    plugged(page, away=False)
    page.wait_for_function(routed, arg=[chosen] * 2 + [""] * 2 + [chosen] * 2)


def test_what_leaves_no_choice_is_not_shown(browse: Browse, demo: Serving, visit: Open) -> None:
    talk = visit(browse(), demo, before=lambda page: page.add_init_script(ONE_OF_EACH)).talk()
    page = settings(talk)
    expect(page.locator("#microphone-choice")).to_be_hidden()
    expect(page.locator("#speaker-choice")).to_be_hidden()
    expect(page.locator("#forgetting")).to_be_hidden()
    expect(page.locator("#treatment")).to_be_visible()


# --- sensitivity -------------------------------------------------------------------------------


def test_a_quiet_voice_sets_the_level_and_is_heard_from_then_on(
    browse: Browse, demo: Serving, visit: Open
) -> None:
    def before(page: Page) -> None:
        listening(page)
        keeping(AS_IT_COMES)(page)

    spoken = quieter(say("lj001_0004")[: int(4.2 * RATE)], -57.0)
    talk = visit(browse(), demo, before=before)
    talk.page.locator("#start:enabled").wait_for()
    page = settings(talk)
    expect(page.locator("#sensitivity-told")).to_have_text("automatic")
    page.locator("#calibrate").click()
    told = page.locator("#sensitivity-why")
    expect(told).to_contain_text("Speak normally", timeout=PATIENCE_MS)
    speak(page, spoken)
    expect(told).to_have_text("Now stay quiet.", timeout=PATIENCE_MS)
    expect(told).to_contain_text("I listen more closely now.", timeout=PATIENCE_MS)
    level = kept(page)["sensitivity"]
    assert -75 < level < -55
    expect(page.locator("#sensitivity-told")).to_have_text("hears more")
    page.keyboard.press("Escape")
    talk.talk()
    speak(page, spoken)
    talk.state("hearing you")
    settings(talk)
    page.locator("#sensitivity-auto").click()
    expect(page.locator("#sensitivity-told")).to_have_text("automatic")
    assert "sensitivity" not in kept(page)


def test_in_a_talk_the_meter_moves_and_nobody_answers_to_the_calibration(
    browse: Browse, demo: Serving, visit: Open
) -> None:
    before: list[Told] = []
    browser = browse(say(6.0, "jfk", "jfk", "jfk", 60.0))
    talk = visit(browser, demo, before=lambda page: before.append(Told(page))).talk()
    page = settings(talk)
    page.locator("#calibrate").click()
    expect(page.locator("#calibrate")).to_be_enabled(timeout=PATIENCE_MS)
    assert [message["muted"] for message in before[0].first(2, "mute")] == [True, False]
    bar = page.locator("#sensitivity-level")
    for _ in range(PATIENCE_MS // 50):
        if "scaleX(0)" not in (bar.get_attribute("style") or ""):
            break
        page.wait_for_timeout(50)
    assert "scaleX(0)" not in (bar.get_attribute("style") or "scaleX(0)")


# --- forgetting --------------------------------------------------------------------------------


def test_what_was_said_is_forgotten_on_both_sides_and_the_talk_goes_on(
    browse: Browse, demo: Serving, visit: Open
) -> None:
    talk = visit(browse(), demo).talk()
    talk.type("my name is Susanna")
    assert "Susanna" in talk.answer("Susanna")
    talk.type("what is my name")
    expect(talk.page.locator("#captions li[data-who=agent]")).to_have_count(2, timeout=PATIENCE_MS)
    last = talk.page.locator("#captions li[data-who=agent]").last
    expect(last).to_contain_text("Susanna", timeout=PATIENCE_MS)
    page = settings(talk)
    page.locator("#forget").click()
    expect(page.locator("#captions li")).not_to_have_count(0)  # it asks once more
    page.locator("#forget").click()
    expect(page.locator("#captions li")).to_have_count(0)
    page.keyboard.press("Escape")
    talk.type("what is my name")
    assert "Susanna" not in talk.answer()
    page.reload()
    page.wait_for_selector("html[data-phase=talking]")
    talk.type("hello")
    expect(page.locator("#captions li", has_text="hello").first).to_be_visible()
    assert "Susanna" not in page.locator("#captions").inner_text()
