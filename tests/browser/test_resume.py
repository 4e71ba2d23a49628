"""The conversation goes on: after a reload, a cut, on another line, in another tab; and when it does not."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from statistics import median

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.serving import Crowd, Serving, serving
from tests.browser.conftest import COUNTER, PATIENCE_MS, Visit
from tests.support.cuts import Wire, wire

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]
Cut = Callable[[Serving], Wire]

GRANTED = {"permissions": ["microphone"]}
"""As of somebody who has said "allow on every visit"."""
CLAUSES, CLAUSE_S = 3, 1.5
REPLY = (f"engines.scripted.clauses={CLAUSES}", f"engines.scripted.clause_s={CLAUSE_S}")
INSTANTS_S = (0.1, 0.5, 0.9, 1.3, 1.7, 2.1, 2.6, 3.1, 3.6, 4.1)
"""After the reply began to be heard: within clauses and between them."""
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
NOTES = """
  window.paths = [];
  window.gaps = [];
  let heardAt = 0;
  new MutationObserver((changes) => {
    for (const { attributeName, target } of changes) {
      const path = document.documentElement.dataset.path ?? "";
      if (path !== (window.paths.at(-1) ?? "")) window.paths.push(path);
      if (attributeName !== "data-speaker-dbfs" || Number(target.dataset.speakerDbfs) < -60) continue;
      const now = performance.now();
      if (heardAt) window.gaps.push(now - heardAt);
      heardAt = now;
    }
  }).observe(document, { subtree: true, attributeFilter: ["data-path", "data-speaker-dbfs"] });
"""
"""Each path that sound took (between two connections none), and the ms between one time that the agent was heard and
the next: what lasts a moment may be over before a test looks."""


@pytest.fixture
def crowding() -> Iterator[Crowd]:
    with Crowd() as crowd:
        yield crowd


@pytest.fixture
def cut() -> Iterator[Cut]:
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(wire(server.port))


def captions(page: Visit) -> list[str]:
    return page.page.locator("#captions li p").all_inner_texts()


def shows(page: Visit, told: list[str]) -> None:
    """The captions are these; the server tells them after its welcome."""
    expect(page.page.locator("#captions li p")).to_have_text(told, timeout=PATIENCE_MS)


def noted(page: Page) -> None:
    page.add_init_script(f"(() => {{ {NOTES} }})()")


def over(page: Visit, turn: int) -> None:
    """The reply of that turn is over, and nothing is heard any more."""
    page.page.wait_for_selector(
        f'#captions li[data-who=agent][data-turn="{turn}"][data-final=true]'
    )
    page.state("listening").silent()


@pytest.mark.timeout(300)  # ten replies, each to its end
@pytest.mark.parametrize("path", ["webrtc", "websocket"])
def test_a_reload_during_a_reply_goes_on(
    path: str, start: Start, browse: Browse, visit: Open, crowding: Crowd
) -> None:
    """Ten replies, each with a reload at another instant: nothing is lost, nothing is said twice.

    The server has no place for a second conversation.
    """
    server = start(*REPLY, "server.max_conversations=1")
    asked = "" if path == "webrtc" else f"?transport={path}"
    url = f"http://localhost:{server.port}/{asked}"
    opened = time.monotonic()
    page = visit(browse(), url, before=lambda page: page.add_init_script(COUNTER), **GRANTED).talk()
    begun_s = time.monotonic() - opened
    page.over(path).type("talk to me")
    over(page, 1)
    whole = page.audible_s()
    told, text = captions(page), page.answer()
    backs: list[float] = []
    errors: list[float] = []
    for turn, instant in enumerate(INSTANTS_S, start=2):
        before = page.audible_s()
        page.type("and again")
        page.page.wait_for_selector(f'#captions li[data-who=agent][data-turn="{turn}"]')
        page.heard()
        page.page.wait_for_timeout(1000 * instant)
        cut = time.monotonic()
        page.page.reload()
        page.page.wait_for_selector("html[data-phase=talking]")
        backs.append(time.monotonic() - cut)
        over(page, turn)
        told += ["and again", text]
        shows(page, told)
        errors.append(abs(page.audible_s() - before - whole))
    # On a busy machine no sooner than a conversation begins there: that is the same work.
    most_s = max(2.0 * crowding.usual(), begun_s)
    assert median(backs) < most_s, f"back after {sorted(backs)} s; begun in {begun_s} s"
    assert median(errors) < 0.5, f"of {whole:.1f} s, too much or too little: {sorted(errors)}"
    assert max(errors) < CLAUSE_S, "a clause was lost, or said twice"


def test_a_connection_that_is_reset_goes_on(
    start: Start, browse: Browse, visit: Open, cut: Cut, crowding: Crowd
) -> None:
    """Nobody has to do anything, and the gap is short."""
    line = cut(start("engines.scripted.clauses=2", "engines.scripted.clause_s=4"))
    url = f"http://localhost:{line.port}/?transport=websocket"
    page = visit(browse(), url, before=noted).talk()
    page.type("talk to me")
    page.heard()
    line.reset()
    over(page, 1)
    # 2 s, and what a busy machine adds.
    assert max(page.page.evaluate("() => window.gaps")) < 2000 * crowding()
    assert page.page.evaluate("() => window.paths") == ["websocket", "", "websocket"]
    assert page.page.locator("#captions li").count() == 2
    assert page.page.locator("#captions s.unheard").count() == 0
    page.errors.clear()  # the browser logs a lost connection itself


def test_a_hole_in_the_network_is_noticed_and_the_reply_goes_on_behind_it(
    start: Start, browse: Browse, visit: Open, cut: Cut
) -> None:
    """Three seconds in which nothing comes, and nobody is told why."""
    line = cut(start("engines.scripted.clauses=2", "engines.scripted.clause_s=5"))
    url = f"http://localhost:{line.port}/?transport=websocket"
    page = visit(browse(), url, before=noted).talk()
    page.type("talk to me")
    page.heard()
    line.hole(3.0)
    over(page, 1)
    assert max(page.page.evaluate("() => window.gaps")) > 1000, "there was none"
    assert page.page.locator("#captions li").count() == 2
    assert page.page.locator("#captions s.unheard").count() == 0
    page.errors.clear()


def test_who_lost_the_websocket_alone_speaks_over_webrtc_again(
    start: Start, browse: Browse, visit: Open, cut: Cut
) -> None:
    line = cut(start())
    page = visit(browse(), f"http://localhost:{line.port}/", before=noted, **GRANTED).talk()
    page.over("webrtc")
    line.reset()
    page.page.wait_for_function("() => window.paths.join().endsWith('webrtc,,websocket,webrtc')")
    page.type("are you there")
    page.heard()
    page.errors.clear()


def test_another_tab_takes_the_conversation_and_it_can_be_had_back(
    start: Start, browse: Browse, visit: Open
) -> None:
    """A duplicated tab has what the first one kept."""
    server = start()
    first = visit(browse(), server, **GRANTED).talk()
    first.type("talk to me")
    first.heard()
    over(first, 1)
    told = captions(first)
    left = first.page.evaluate("() => sessionStorage.getItem('conversation')")
    page = first.page.context.new_page()
    page.goto(f"http://localhost:{server.port}/icon.svg")
    page.evaluate("(left) => sessionStorage.setItem('conversation', left)", left)
    second = Visit(page, f"http://localhost:{server.port}/")
    page.wait_for_selector("html[data-phase=talking]")
    shows(second, told)
    first.page.wait_for_selector("html[data-phase=ready]")
    assert first.sentence("another tab or window")
    first.page.locator("#start", has_text="Go on here").click()
    first.page.wait_for_selector("html[data-phase=talking]")
    shows(first, told)
    second.page.wait_for_selector("html[data-phase=ready]")
    assert second.sentence("another tab or window")


def test_who_ended_it_begins_anew(start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(), start(), **GRANTED).talk()
    page.type("talk to me")
    assert page.answer()
    page.page.locator("#end").click()
    page.page.reload()
    page.page.wait_for_selector("#start:enabled")
    page.page.wait_for_timeout(1000)  # nothing can be waited for
    assert page.page.locator("html").get_attribute("data-phase") == "ready"
    page.talk()
    assert page.page.locator("#captions li").count() == 0


def test_where_the_browser_asks_for_the_microphone_one_button_goes_on(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start()).talk()
    page.type("talk to me")
    assert page.answer()
    page.page.add_init_script(
        "navigator.permissions.query = async () => Object.assign(new EventTarget(), { state: 'prompt' })"
    )
    page.page.reload()
    assert page.sentence("waits for you")
    page.page.locator("#start:enabled", has_text="Go on").click()
    page.page.wait_for_selector("html[data-phase=talking]")
    assert page.answer()


def test_where_the_browser_plays_nothing_unasked_one_button_goes_on(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start("engines.scripted.clause_s=20"), **GRANTED).talk()
    page.type("talk to me")
    page.heard()
    page.page.add_init_script(UNASKED)
    page.page.reload()
    assert page.sentence("plays no sound before you touch")
    page.page.locator("#start:enabled", has_text="Go on").click()
    page.page.locator("#start").wait_for(state="hidden")
    expect(page.page.locator("#sentence")).to_have_text("", timeout=PATIENCE_MS)
    page.heard()


def test_who_was_muted_still_is(start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(), start(), **GRANTED).talk()
    page.page.locator("#mute").click()
    page.state("muted")
    page.page.reload()
    page.state("muted")
    expect(page.page.locator("#mute")).to_have_attribute("aria-pressed", "true")


def test_a_server_that_was_started_anew_says_that_the_earlier_conversation_is_over(
    browse: Browse, visit: Open
) -> None:
    with serving("session.greeting=") as server:
        page = visit(browse(), server, **GRANTED).talk()
        page.type("talk to me")
        over(page, 1)
        told = captions(page)
    with serving("session.greeting=", port=server.port):
        assert re.search("a new one", page.sentence("The earlier conversation is over"))
        page.page.wait_for_selector("html[data-phase=talking]")
        shows(page, told)
        assert page.page.locator("#captions li.earlier").count() == len(told)
        page.type("are you back")
        page.page.wait_for_selector("#captions li:not(.earlier)[data-who=agent]")
    page.errors.clear()
