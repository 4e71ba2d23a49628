"""A whole talk on the page: by the keyboard alone, without anything that jumps, without motion where none is wanted,
with a model that answers in markup, and with a thousand turns."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.serving import Serving
from tests.browser.conftest import Visit, over_and_over, say

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]

MOST_TABS = 60
SHIFT_ALLOWED = 0.02

SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const moved = entry.sources.map(({ node }) => node?.id || node?.parentElement?.id || node?.nodeName);
      window.shifts.push({ value: entry.value, at: Math.round(entry.startTime), moved });
    }
  }).observe({ type: "layout-shift", buffered: true });
"""
"""All of them, those that follow a click too."""

AFTER_A_FRAME = """() => new Promise((go) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(go, 100))))"""

FORMS = """
  window.forms = new Set();
  document.addEventListener("DOMContentLoaded", () => {
    const edge = document.querySelector("#presence .edge");
    new MutationObserver(() => window.forms.add(edge.getAttribute("d")))
      .observe(edge, { attributeFilter: ["d"] });
  });
"""
"""Every form that the disc's edge had."""


def prepared(script: str) -> Callable[[Page], object]:
    return lambda page: page.add_init_script(f"(() => {{ {script} }})()")


def go_to(page: Page, name: str) -> None:
    """By the tabulator key; each stop on the way can be seen to have the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        at, outlined = page.evaluate("""() => {
          const at = document.activeElement;
          const shown = at.matches(".switch input, .toggle input") ? at.nextElementSibling : at;
          return [at.id, [at, shown].some((one) => getComputedStyle(one).outlineStyle !== "none")];
        }""")
        assert outlined or not at, f"#{at} has the focus, and nobody sees it"
        if at == name:
            return
    raise AssertionError(f"no way to #{name} by the keyboard")


def test_a_whole_talk_by_the_keyboard_alone(start: Start, browse: Browse, visit: Open) -> None:
    """And nothing is asked of any other host meanwhile."""
    asked: list[str] = []
    server = start("engines.scripted.clause_s=20")
    page = visit(
        browse(),
        server,
        before=lambda page: page.context.on("request", lambda request: asked.append(request.url)),
    )
    page.state("ready")
    keys = page.page.keyboard
    go_to(page.page, "start")
    keys.press("Enter")
    page.state("listening")
    go_to(page.page, "say")
    keys.type("talk to me")
    keys.press("Enter")
    page.state("speaking")
    go_to(page.page, "interrupt")
    keys.press("Enter")
    page.page.locator("s.unheard").wait_for()
    page.state("listening")
    go_to(page.page, "mute")
    keys.press("Enter")
    page.state("muted")
    keys.press("Enter")
    page.state("listening")
    go_to(page.page, "more")
    keys.press("Enter")
    expect(page.page.locator("#settings")).to_be_visible()
    go_to(page.page, "settings-close")
    keys.press("Enter")
    expect(page.page.locator("#more")).to_be_focused()
    go_to(page.page, "details")
    keys.press("Enter")
    expect(page.page.locator("#side")).to_be_visible()
    go_to(page.page, "end")
    keys.press("Enter")
    page.state("ready")
    ours = (f"http://localhost:{server.port}/", "data:", "blob:")
    assert asked
    assert [url for url in asked if not url.startswith(ours)] == []


def test_the_space_bar_holds_the_floor_after_a_button_was_used_by_the_keyboard(
    start: Start, browse: Browse, visit: Open
) -> None:
    """The start button is gone by then, and takes no keys."""
    page = visit(browse(say(60.0)), start()).state("ready")
    go_to(page.page, "start")
    page.page.keyboard.press("Enter")
    page.state("listening")
    page.page.keyboard.down("Space")
    page.state("hearing you")
    page.page.keyboard.up("Space")
    page.state("listening")


@pytest.mark.parametrize(
    ("width", "height", "side"),
    [(1280, 800, "closed"), (1280, 800, "open"), (390, 844, "closed")],
)
def test_nothing_jumps_in_a_talk(
    width: int, height: int, side: str, start: Start, browse: Browse, visit: Open
) -> None:
    """Spoken and typed turns, an answer that is cut, and one that is heard to its end."""
    page = visit(
        browse(say(6.0, "lj001_0008", 90.0)),  # once, and not before the page listens
        start("engines.scripted.clauses=2", "engines.scripted.clause_s=3"),
        before=prepared(SHIFTS),
        viewport={"width": width, "height": height},
    )
    page.state("ready")
    if side == "open":
        page.page.locator("#details").click()
        page.page.wait_for_timeout(1000)  # that it opens is no part of the talk
    page.page.locator("#start").click()
    page.page.wait_for_selector("html:is([data-phase=connecting], [data-phase=talking])")
    page.page.evaluate(AFTER_A_FRAME)  # what the click itself does is no jump
    begun = page.page.evaluate("() => performance.now()")  # it may be told of that later
    page.state("listening")
    page.page.wait_for_selector("#captions li[data-who=agent][data-final=true]")
    page.state("listening")
    for turn in range(3):
        page.type("a sentence that is long enough to need more than one line on a telephone")
        page.state("speaking")
        if turn == 1:
            page.page.locator("#interrupt:enabled").click()
            page.page.locator("s.unheard").wait_for()
        page.state("listening")
    page.page.wait_for_timeout(500)
    shifts = page.page.evaluate("() => window.shifts")
    shifts = [shift for shift in shifts if shift["at"] > begun]
    assert sum(shift["value"] for shift in shifts) <= SHIFT_ALLOWED, shifts


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_where_motion_is_not_wanted_there_is_none(
    motion: str, start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(
        browse(over_and_over("lj001_0008", 1.0, 16.0)),
        start("engines.scripted.first_clause_ms=6000"),  # so long it is looked at
        before=prepared(FORMS),
        reduced_motion=motion,
    ).talk()
    page.state("thinking")
    timing = page.page.evaluate("""() => document.getAnimations()
      .map(({ effect }) => effect)
      .filter((effect) => effect.getComputedTiming().progress !== null)
      .map((effect) => effect.getKeyframes()[0].easing)""")
    page.state("speaking")
    page.page.wait_for_timeout(1000)
    forms = page.page.evaluate("() => window.forms.size")
    if motion == "reduce":
        assert all(one.startswith("steps") for one in timing), timing
        assert forms <= 8  # a few steps
    else:
        assert "linear" in timing
        assert forms > 8


HOSTILE = (
    "Hello <b>you</b> here is what you asked me to show you <img src=x onerror='window.harm = 1'>.",
    "<script>window.harm = 1</script> Then <svg onload=window.harm=1> this.",
)
"""The picture comes late in its clause: some of it is heard before a click can cut it."""


@contextmanager
def model_that_says(pieces: tuple[str, ...]) -> Iterator[str]:
    """Behind an OpenAI-compatible URL; gives that URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for piece in pieces:
                chunk: dict[str, Any] = {
                    "choices": [{"index": 0, "delta": {"content": piece + " "}}]
                }
                self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *_: object) -> None:
            """Not into the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_markup_in_a_reply_stays_text(start: Start, browse: Browse, visit: Open) -> None:
    """While it grows, when it was heard, and when it was cut."""
    with model_that_says(HOSTILE) as url:
        model = ("engines.language=chat", f"engines.chat.base_url={url}", "engines.chat.model=any")
        page = visit(browse(), start(*model, "engines.scripted.clause_s=4")).talk()
        page.type("one")
        assert "<b>you</b>" in page.answer("<b>you</b>")
        page.page.wait_for_selector("#captions li[data-who=agent][data-final=true]")
        assert "<script>" in page.answer()
        page.type("two")
        page.page.locator("#captions .word").first.wait_for()
        page.page.locator("#interrupt:enabled").click()
        assert "<img" in page.page.locator("s.unheard").inner_text()
    inside = page.page.locator("#captions").locator("img, script, b, svg")
    assert inside.count() == 0
    assert page.page.evaluate("() => window.harm") is None


TURNS = 1000
SETTLED_TURNS = 250
"""The page then shows as many captions as it ever does."""

TALK = """async ([from, to]) => {
  const input = document.getElementById("say");
  const form = document.getElementById("typed");
  const list = document.getElementById("captions");
  const answered = (before) => new Promise((go) => {
    const last = () => list.querySelector("li:last-child[data-who=agent][data-final=true]");
    const look = () => {
      if (!last() || last() === before) return;
      watch.disconnect();
      go(last());
    };
    const watch = new MutationObserver(look);
    watch.observe(list, { subtree: true, childList: true, attributes: true });
    look();
  });
  let last = null;
  for (let turn = from; turn < to; turn += 1) {
    input.value = `this is what somebody says in turn ${turn}`;
    form.requestSubmit();
    last = await answered(last);
  }
}"""
"""Types, waits for the whole answer, and so on."""


@pytest.mark.timeout(600)
def test_a_thousand_turns_leave_page_and_server_as_small_as_they_were(
    start: Start, browse: Browse, visit: Open
) -> None:
    server = start(
        "server.messages_per_s=1000",  # on a quick machine this is a flood
        "engines.scripted.clauses=1",
        "engines.scripted.clause_s=0.02",
        "engines.scripted.first_clause_ms=0",
        "engines.scripted.first_sound_ms=0",
    )
    page = visit(browse(say(600.0)), f"http://localhost:{server.port}/?transport=websocket")
    page.talk().over("websocket")
    page.page.locator("#details").click()
    tools = page.page.context.new_cdp_session(page.page)
    tools.send("Performance.enable")

    def size() -> tuple[float, float, float]:
        """Nodes, megabytes of the page's heap, and of the server."""
        tools.send("HeapProfiler.collectGarbage")
        metrics = {
            one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]
        }
        return metrics["Nodes"], metrics["JSHeapUsedSize"] / 1e6, server.rss_mb()

    page.page.evaluate(TALK, [0, SETTLED_TURNS])
    nodes, heap, rss = size()
    page.page.evaluate(TALK, [SETTLED_TURNS, TURNS])
    nodes_then, heap_then, rss_then = size()
    assert page.page.locator("#captions li").count() <= 200
    last = page.page.locator("#captions li[data-who=user]").last
    assert last.inner_text().endswith(f"turn {TURNS - 1}")
    sizes = f"{nodes:.0f} nodes, {heap:.1f} MB, {rss:.0f} MB; then {nodes_then:.0f}, {heap_then:.1f}, {rss_then:.0f}"
    assert nodes_then <= 1.2 * nodes, sizes
    assert heap_then <= heap + 5, sizes  # 750 turns more that can be saved
    assert rss_then <= rss + 40, sizes
