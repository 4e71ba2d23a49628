"""The room: what it shows in each state, that nothing in it moves, and what can be taken from it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.serving import Serving, serving
from tests.browser.conftest import Visit, say
from tests.support.speaking import listening, speak

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]

WATCH = """
  window.forms = {};
  window.places = {};
  const look = () => {
    const word = document.documentElement.dataset.state;
    const part = (name) => getComputedStyle(document.querySelector(`#presence .${name}`));
    const edge = part("edge");
    window.forms[word] ??= [
      edge.fill === "rgba(0, 0, 0, 0)" ? "open" : "filled",
      edge.strokeWidth, edge.strokeDasharray, edge.transform,
      part("halo").opacity, part("highlight").opacity, part("slash").opacity,
    ].join(" ");
    if (document.documentElement.dataset.phase !== "talking") return;
    const place = (id) => {
      const { x, y, width, height } = document.getElementById(id).getBoundingClientRect();
      return [x, y, width, height].map(Math.round).join(" ");
    };
    const all = ["presence", "state", "sentence", "captions", "typed", "mute", "interrupt", "end", "more"];
    window.places[word] ??= all.map((id) => `${id} ${place(id)}`);
  };
  new MutationObserver(look).observe(document, { subtree: true, attributeFilter: ["data-state"] });
"""
"""Notes the disc's form and where things stand, as each state is first shown. Wants reduced motion: a form is then
there at once."""

TONES = """
  window.tones = [];
  const Tone = window.OscillatorNode;
  window.OscillatorNode = class extends Tone {
    stop(when) {
      window.tones.push({
        hz: this.frequency.value,
        until: when - this.context.currentTime,
        agent: Number(document.getElementById("presence").dataset.speakerDbfs),
      });
      super.stop(when);
    }
  };
"""
"""Notes each tone that the page itself makes, and how loud the agent was then."""


COLOURS = """
  window.colours = {};
  new MutationObserver(() => {
    const item = document.querySelector("#captions li[data-who=user]");
    if (!item) return;
    const when = item.classList.contains("partial") ? "partial" : "final";
    window.colours[when] ??= getComputedStyle(item.querySelector("p")).color;
  }).observe(document, { subtree: true, childList: true, attributeFilter: ["class"] });
"""
"""The colour of the user's words while they may change, which on a busy machine is over soon, and then."""


def prepared(script: str) -> Callable[[Page], object]:
    return lambda page: page.add_init_script(f"(() => {{ {script} }})()")


def test_it_comes_in_few_answers(start: Start, browse: Browse, visit: Open) -> None:
    """Each costs a browser and the server about as much as all of their content."""
    asked: list[str] = []

    def watch(page: Page) -> None:
        page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))

    visit(browse(), start(), before=watch).page.wait_for_selector("#start:enabled")
    assert [name for name in asked if name.endswith(".js")] == ["again.js", "early.js", "page.js"]
    assert len(asked) < 12


def colours(page: Page) -> None:
    prepared(COLOURS)(page)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844), (320, 568), (640, 400)])
def test_each_state_has_a_form_of_its_own_and_nothing_moves(
    width: int, height: int, start: Start, browse: Browse, visit: Open
) -> None:
    """320 pixels are the narrowest that WCAG asks for; 640 × 400 is a desk at 200 %."""
    page = visit(
        browse(),
        # Nor does the page say that sound goes another way, because the machine is busy.
        start(
            "engines.scripted.clauses=2",
            "engines.scripted.first_clause_ms=1500",
            "webrtc.fallback_s=14",
        ),
        before=lambda page: (listening(page), prepared(WATCH)(page)),
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    page.state("ready").talk().state("listening")
    speak(page.page, say("lj001_0008"))
    page.page.wait_for_selector("#captions li[data-who=agent][data-final=true]")
    page.state("listening")
    page.page.locator("#mute").click()
    page.state("muted")
    forms = page.page.evaluate("() => window.forms")
    states = ["ready", "listening", "hearing you", "thinking", "speaking", "muted"]
    assert sorted(states) == sorted(word for word in forms if word in states)
    assert len({forms[word] for word in states}) == len(states), forms
    places = page.page.evaluate("() => window.places")
    assert {tuple(place) for place in places.values()} == {tuple(places["listening"])}
    for name in ("more", "end", "say"):
        expect(page.page.locator(f"#{name}")).to_be_in_viewport(ratio=0.9)
    assert page.page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_words_that_may_change_are_lighter_and_what_was_not_heard_is_struck(
    start: Start, browse: Browse, visit: Open
) -> None:
    server = start("engines.scripted.clauses=2", "engines.scripted.clause_s=8")
    page = visit(browse(), server, before=lambda page: (listening(page), colours(page))).talk().page
    speak(page, say("lj001_0008"))
    page.locator("#captions li[data-who=user][data-final=true] p").wait_for()
    early, final = page.evaluate("() => [window.colours.partial, window.colours.final]")
    assert early
    assert final
    assert early != final
    words = page.locator("#captions .word")
    words.first.wait_for()
    delays = words.evaluate_all("all => all.map(word => parseInt(word.style.animationDelay))")
    assert delays == sorted(set(delays))  # each comes up after the one before
    page.locator("#interrupt:enabled").click()
    unheard = page.locator("#captions s.unheard")
    unheard.wait_for()
    assert "line-through" in unheard.evaluate("item => getComputedStyle(item).textDecorationLine")
    assert page.locator("#captions .word").count() == 0


def test_what_was_said_is_saved_with_times(start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(), start("engines.scripted.clauses=2")).talk()
    page.type("a *starred* <b>word</b>")
    page.page.wait_for_selector("#captions li[data-who=agent][data-final=true]")
    page.page.locator("#end").click()
    page.page.locator("#save").click()
    saved = {}
    for ending in ("txt", "md", "vtt"):
        with page.page.expect_download() as download:
            page.page.locator(f"#saving [data-format={ending}]").click()
        assert re.fullmatch(
            rf"conversation-\d{{4}}(-\d\d){{2}}-\d{{4}}\.{ending}",
            download.value.suggested_filename,
        )
        saved[ending] = Path(download.value.path()).read_text()
    assert re.search(r"^\d\d:\d\d you: a \*starred\* <b>word</b>$", saved["txt"], re.MULTILINE)
    assert re.search(r"^\*\*you\*\* \(\d\d:\d\d\): a \\\*starred", saved["md"], re.MULTILINE)
    cues = re.findall(
        r"^00:(\d\d:[\d.]+) --> 00:(\d\d:[\d.]+)\n<v (.*)>(.*)$", saved["vtt"], re.MULTILINE
    )
    assert [who for _, _, who, _ in cues] == ["you", "agent", "agent"]
    assert "&lt;b&gt;" in cues[0][3]
    assert all(begun < over for begun, over, _, _ in cues)
    assert cues[1][1] == cues[2][0]


def test_the_theme_is_the_systems_until_another_is_chosen_and_then_kept(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start(), color_scheme="light").page

    def ground() -> str:
        colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert isinstance(colour, str)
        return colour

    light = ground()
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = ground()
    assert dark != light
    page.locator("#more").click()
    page.get_by_text("Light", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert ground() == light
    page.reload()
    assert ground() == light
    page.locator("#more").click()
    expect(page.get_by_role("radio", name="Light")).to_be_checked()
    page.get_by_text("System", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert ground() == dark


def test_the_settings_open_and_close_by_the_keyboard(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start()).page
    page.locator("#more").press("Enter")
    expect(page.locator("#settings")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#settings")).to_be_hidden()
    expect(page.locator("#more")).to_be_focused()
    page.locator("#more").press("Enter")
    page.mouse.click(5, 5)  # beside it
    expect(page.locator("#settings")).to_be_hidden()


def test_a_finger_on_the_disc_holds_the_floor_even_where_one_is_muted(
    start: Start, browse: Browse, visit: Open
) -> None:
    """Playwright has no long touch; the browser's own protocol has."""
    page = visit(
        browse(say(60.0)),
        start(),
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
    ).talk()
    page.page.locator("#mute").click()
    page.sentence("Hold the disc to talk.")
    box = page.page.locator("#presence").bounding_box()
    assert box is not None
    finger = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    protocol = page.page.context.new_cdp_session(page.page)
    touch = "Input.dispatchTouchEvent"
    protocol.send(touch, {"type": "touchStart", "touchPoints": [finger]})
    page.state("hearing you")
    protocol.send(touch, {"type": "touchEnd", "touchPoints": []})
    page.state("muted")


def test_it_is_heard_that_the_page_is_connected_and_that_there_is_a_problem(
    browse: Browse, visit: Open
) -> None:
    with serving("session.greeting=") as server:
        page = visit(browse(), server, before=prepared(TONES)).talk()
    page.page.wait_for_selector("html[data-phase=waiting]")
    tones = page.page.evaluate("() => window.tones")
    assert [tone["hz"] for tone in tones] == pytest.approx([523, 784, 440, 330])
    assert all(tone["until"] < 0.3 for tone in tones)
    page.errors.clear()  # the browser itself logs each refused connection


def test_the_page_makes_no_sound_of_its_own_over_the_agents(browse: Browse, visit: Open) -> None:
    """She is still heard from this browser's store when the server is gone and the page says so."""
    with serving("session.greeting=", "engines.scripted.clause_s=20") as server:
        page = visit(browse(), server, before=prepared(TONES)).talk()
        page.type("talk to me")
        page.heard()
    page.page.wait_for_selector("html[data-phase=waiting]")
    tones = page.page.evaluate("() => window.tones")
    assert all(tone["agent"] < -60 for tone in tones), tones
    page.errors.clear()


def test_where_it_is_not_wanted_the_page_makes_no_sound(browse: Browse, visit: Open) -> None:
    quiet = prepared(
        TONES + 'localStorage.setItem("preferences", \'{"version":1,"earcons":false}\');'
    )
    with serving("session.greeting=") as server:
        page = visit(browse(), server, before=quiet).talk()
    page.page.wait_for_selector("html[data-phase=waiting]")
    assert page.page.evaluate("() => window.tones") == []
    page.errors.clear()
