"""The details beside the room: what a person sees of the numbers while they talk, and what it costs nothing of."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.serving import Serving
from tests.browser.conftest import PATIENCE_MS, Visit, say
from tests.support.speaking import listening, speak

pytestmark = pytest.mark.browser

Start = Callable[..., Serving]
Browse = Callable[..., Browser]
Open = Callable[..., Visit]

PHONE = {"viewport": {"width": 390, "height": 844}}
SHORT = ("engines.scripted.clauses=1", "engines.scripted.clause_s=0.5")
"""Answers that are over soon."""

SHIFTS = """
  sessionStorage.setItem("shift", 0);
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) {
      if (!hadRecentInput) sessionStorage.setItem("shift", Number(sessionStorage.getItem("shift")) + value);
    }
  }).observe({ type: "layout-shift", buffered: true });
"""
"""Adds up how much moved by itself (the browser's own measure)."""


def details(page: Page) -> None:
    page.locator("#details").click()
    page.locator("#side").wait_for()


def timed(page: Page, turn: int) -> None:
    """The answer to that turn was measured and is shown."""
    page.locator(f'#latency[data-turn="{turn}"]').wait_for()


def asked_for(page: Page) -> list[str]:
    """What the page requests from now on, by path."""
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url.split("/", 3)[3]))
    return seen


def clipboard(page: Page) -> str:
    return str(page.evaluate("() => navigator.clipboard.readText()"))


def test_the_parts_of_a_spoken_turn_sum_to_its_total_and_explain_themselves(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start(*SHORT), before=listening).talk().page
    details(page)
    speak(page, say("lj001_0008"))
    timed(page, 1)
    shown = page.locator("#latency-parts li").evaluate_all(
        "all => all.map(li => [li.dataset.part, Number(li.dataset.ms), li.querySelector('.ms').textContent])"
    )
    assert [name for name, _, _ in shown] == [
        "end silence",
        "words",
        "first clause",
        "first sound",
        "playout",
    ]
    total = float(page.locator("#latency").get_attribute("data-total-ms") or "nan")
    assert abs(sum(ms for _, ms, _ in shown) - total) <= 0.5
    assert all(str(ms) == text for _, ms, text in shown)
    assert page.locator("#latency-total").inner_text() == f"{sum(ms for _, ms, _ in shown)} ms"
    assert page.locator('[data-part="end silence"]').get_attribute("data-ms") != "0"

    words = page.locator('[data-part="words"] .name')
    hint = page.locator('[data-part="words"] .hint')
    expect(hint).to_be_hidden()
    expect(words).to_have_accessible_description(re.compile("which words you said"))
    words.focus()
    expect(hint).to_be_visible()
    page.keyboard.press("Escape")
    expect(hint).to_be_hidden()
    expect(page.locator("#side")).to_be_visible()
    page.locator("#say").focus()
    expect(hint).to_be_hidden()
    words.hover()
    expect(hint).to_be_visible()
    unexplained = page.locator(
        "#latency li .name:not([aria-describedby]), #connection-facts dt:not([aria-describedby])"
    )
    assert unexplained.count() == 0


def test_after_several_turns_there_are_p50_p95_and_a_chart_with_the_same_as_a_table(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start(*SHORT)).talk()
    details(page.page)
    asked = asked_for(page.page)
    for turn in range(1, 4):
        page.type(f"for the {turn}. time")
        timed(page.page, turn)
        page.state("listening")
    assert re.search(r"p50\n\d+.ms\np95\n\d+.ms", page.page.locator("#turns-numbers").inner_text())
    page.page.locator("#turns-chart canvas").wait_for()
    assert "vendor/uPlot.esm.js" in asked
    label = page.page.locator("#turns-chart").get_attribute("aria-label") or ""
    assert re.search(r"of 3 turns: from \d+ to \d+ ms, \d+ ms in the last one", label)
    page.page.locator("#turns-fold summary").click()
    rows = page.page.locator("#turns-rows tr")
    expect(rows).to_have_count(3)
    assert re.match(r"3\s+\d+.ms\s+\w+", rows.first.inner_text())

    page.page.get_by_role("button", name="1", exact=True).click()
    expect(page.page.locator("#latency-name")).to_have_text("Turn 1")
    total = page.page.locator("#latency-total").inner_text().replace("\u00a0", " ")
    assert total in rows.last.inner_text().replace("\u00a0", " ")
    page.type("and another one")
    expect(rows).to_have_count(4)
    expect(page.page.locator("#latency-name")).to_have_text("Turn 1")
    page.page.get_by_role("button", name="4", exact=True).click()
    expect(page.page.locator("#latency-name")).to_have_text("This turn")


def test_what_is_closed_asks_for_nothing_and_what_is_open_moves_nothing(
    start: Start, browse: Browse, visit: Open
) -> None:
    def before(page: Page) -> None:
        listening(page)
        page.add_init_script(SHIFTS)

    # What the page says of a fall-back, on a busy machine, is none of this.
    page = visit(browse(), start(*SHORT, "webrtc.fallback_s=14"), before=before).talk()
    asked = asked_for(page.page)
    page.type("while it is closed")
    page.page.wait_for_selector("#captions li[data-who=agent][data-final=true]")
    speak(page.page, say("lj001_0008"))
    page.page.wait_for_selector('#captions li[data-who=agent][data-turn="2"][data-final=true]')
    page.state("listening")
    page.page.wait_for_timeout(1500)  # in which a link is measured at least once
    assert [path for path in asked if "uPlot" in path or path.startswith(("health", "logs"))] == []
    details(page.page)
    page.page.wait_for_timeout(1000)
    opened = float(page.page.evaluate("() => Number(sessionStorage.getItem('shift'))"))
    for turn in range(3, 6):
        page.type("while it is open")
        timed(page.page, turn)
        page.state("listening")
    page.page.wait_for_timeout(2500)  # and a link, too
    moved = float(page.page.evaluate("() => Number(sessionStorage.getItem('shift'))")) - opened
    assert moved < 0.02


def test_engines_tell_their_numbers_while_somebody_looks(
    demo: Serving, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), demo).talk().page
    details(page)
    asked = asked_for(page)
    assert page.locator("#engines-gist").inner_text() == "all ready"
    page.locator("#engines-fold summary").click()
    voice = page.locator("#engine-numbers tbody tr", has_text=re.compile("flite|espeak"))
    expect(voice).to_contain_text(re.compile(r"\d\s(ms|s)\b"), use_inner_text=True)
    expect(voice).to_contain_text(re.compile(r"\d+\sMB"), use_inner_text=True)
    expect(page.locator("#engine-numbers th .term").first).to_have_accessible_description(
        re.compile("ready")
    )
    expect(page.locator("#machine-facts")).to_contain_text("Conversations")
    page.locator("#engines-fold summary").click()
    page.wait_for_timeout(500)
    asked.clear()
    page.wait_for_timeout(6000)  # longer than between two questions
    assert [path for path in asked if path.startswith("health")] == []


def test_logs_by_component_are_filtered_and_copied(
    start: Start, browse: Browse, visit: Open, tmp_path: Path
) -> None:
    server = start(*SHORT, f"logs.directory={tmp_path / 'logs'}")
    page = visit(browse(), server)
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.talk()
    page.type("a secret that is in no log")
    page.heard()
    details(page.page)
    page.page.locator("#log summary").click()
    lines = page.page.locator("#log-lines li")
    expect(lines.filter(has_text="microphone: on")).to_have_count(1)

    page.page.locator("#log-of").select_option("turn")
    expect(lines.filter(has_text="turn ended kind=typed")).to_have_count(1)
    expect(lines.filter(has_text="microphone: on")).to_have_count(0)
    page.page.locator("#log-of").select_option("all")
    expect(lines.filter(has_text="conversation opened")).to_have_count(1)
    expect(lines.filter(has_text="ways for sound")).to_have_count(0)
    page.page.locator("#log-mine").uncheck()
    expect(lines.filter(has_text="ways for sound")).to_have_count(1)

    page.page.locator("#log-filter").fill("ENDED typed")
    expect(lines).to_have_count(1)
    page.page.locator("#log-copy").click()
    expect(page.page.locator("#log-told")).to_have_text("1 line is in the clipboard.")
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d turn turn 1: turn ended kind=typed\n", clipboard(page.page)
    )
    page.page.locator("#log-filter").fill("secret")
    expect(lines).to_have_count(0)


def test_a_server_without_log_files_says_so(start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(), start()).page
    details(page)
    page.locator("#log summary").click()
    page.locator("#log-of").select_option("server")
    expect(page.locator("#log-told")).to_contain_text("writes no log files")


def test_a_turn_is_reported_without_what_was_said_unless_that_is_ticked(
    start: Start, browse: Browse, visit: Open, tmp_path: Path
) -> None:
    """At the level "debug" the server's log has words, too."""
    server = start(*SHORT, f"logs.directory={tmp_path / 'logs'}", "logs.level=debug")
    page = visit(browse(), server)
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.talk()
    page.type("my secret is a plum")
    page.heard()
    details(page.page)
    timed(page.page, 1)
    page.state("listening")
    told = page.page.locator("#report-told")
    page.page.locator("#report-copy").click()
    expect(told).to_contain_text("Copied")
    report = clipboard(page.page)
    for wanted in (
        r"^UltraAndChat: turn 1 of conversation \w+",
        r"\d+ ms from the last sample",
        r"first clause +\d+ ms",
        r"WebRTC over UDP|WebSocket",
        r"scripted \(speaks\): ready",
        r"info turn turn=1 turn ended kind=typed",
    ):
        assert re.search(wanted, report), wanted
    assert "plum" not in report
    page.page.locator("#report-words").check()
    page.page.locator("#report-copy").click()
    for _ in range(PATIENCE_MS // 50):
        if clipboard(page.page) != report:
            break
        page.page.wait_for_timeout(50)
    assert "you: my secret is a plum" in clipboard(page.page)


@pytest.mark.parametrize("old_way", [True, False], ids=["the old way", "not at all"])
def test_without_a_clipboard_the_report_is_copied_the_old_way_or_shown(
    old_way: bool, start: Start, browse: Browse, visit: Open
) -> None:
    """As on a page that is not secure; there a browser may still obey the old command."""
    missing = "Object.defineProperty(navigator, 'clipboard', { value: undefined });"
    if not old_way:
        missing += "document.execCommand = () => false;"
    before: Callable[[Page], object] = lambda page: page.add_init_script(missing)  # noqa: E731
    page = visit(browse(), start(*SHORT), before=before).talk().page
    details(page)
    page.locator("#report-copy").click()
    if old_way:
        expect(page.locator("#report-told")).to_contain_text("Copied")
        expect(page.locator("#copied")).to_be_hidden()
        page.locator("#say").focus()
        page.keyboard.press("Control+v")
        expect(page.locator("#say")).to_have_value(re.compile("^UltraAndChat: no turn yet"))
        page.locator("#say").fill("")
    else:
        expect(page.locator("#report-told")).to_contain_text("stands below")
        expect(page.locator("#copied")).to_be_focused()
        chosen = str(page.evaluate("() => String(getSelection())"))
        assert chosen.startswith("UltraAndChat: no turn yet")


def test_with_the_keyboard_alone_it_is_opened_read_and_closed_and_its_state_is_kept(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start(*SHORT)).page
    page.locator("#details").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#side")).to_be_focused()
    seen: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "() => { const at = document.activeElement; return at.closest('#side') ? at.id || at.textContent : ''; }"
        )
        if not here:
            break
        seen.append(here)
    assert any(one.startswith("end silence") for one in seen)
    assert any(one.startswith("p95") for one in seen)
    assert "transports" in seen
    assert seen[-2:] == ["report-copy", "report-words"]
    page.locator("#log summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#log-of")).to_be_focused()

    page.reload()
    expect(page.locator("#side")).to_be_visible()
    expect(page.locator("#log-of")).to_be_visible()
    expect(page.locator("#details")).to_have_attribute("aria-expanded", "true")
    page.locator("#log-filter").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#side")).to_be_hidden()
    expect(page.locator("#details")).to_be_focused()
    page.reload()
    page.wait_for_selector("#start:enabled")
    expect(page.locator("#side")).to_be_hidden()


def test_on_a_phone_it_is_a_sheet_from_below_that_can_be_closed(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start(*SHORT), **PHONE, has_touch=True).talk().page
    details(page)
    expect(page.locator('[data-part="playout"] .hint')).to_be_hidden()
    page.locator('[data-part="playout"] .name').tap()
    expect(page.locator('[data-part="playout"] .hint')).to_be_visible()
    box = page.locator("#side").bounding_box()
    assert box is not None
    assert box["width"] == 390
    assert box["y"] + box["height"] == 844
    assert box["y"] >= 844 / 4 - 1, "the room is still to be seen"
    page.locator("#report").scroll_into_view_if_needed()
    expect(page.locator("#less")).to_be_in_viewport()
    page.locator("#less").click()
    expect(page.locator("#side")).to_be_hidden()
