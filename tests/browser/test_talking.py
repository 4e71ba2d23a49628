"""Somebody opens the page and talks: real speech in, words on the page, sound out of it.

Words are asserted only where the recogniser repeats them: phrases of the skills' grammar.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from bench.serving import Crowd, Serving
from tests.browser.conftest import Visit, say
from tests.support.speaking import listening, speak, spoken

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]

both = pytest.mark.parametrize("path", ["webrtc", "websocket"])


def address(server: Serving, path: str) -> str:
    """WebRTC is what the page tries when nothing is asked for."""
    asked = "" if path == "webrtc" else f"?transport={path}"
    return f"http://localhost:{server.port}/{asked}"


@both
def test_go_forward_ten_meters(path: str, demo: Serving, browse: Browse, visit: Open) -> None:
    """A human voice: her words are shown, an answer is heard, and its time is told."""
    with Crowd() as crowding:
        page = visit(browse(), address(demo, path), before=listening).talk().over(path)
        speak(page.page, say("goforward"))
        assert page.said("go forward ten meters")
        assert "forward" in page.answer("Going").lower()
        page.heard()
        page.state("listening")
        assert page.turns() == 1
        total = page.page.locator("#latency[data-total-ms]").get_attribute("data-total-ms")
        assert total is not None
        assert 400 < float(total) < 4000 * crowding()
    parts = page.page.locator("#latency-parts li").evaluate_all(
        "all => all.map(li => li.dataset.part)"
    )
    assert parts == ["end silence", "words", "first clause", "first sound", "playout"]


@pytest.mark.parametrize(
    ("clip", "words", "answer"),
    [
        ("synth_slt_what_time", "what time is it", r"\d|o.clock|noon|midnight|[a-z]+ (am|pm)"),
        ("synth_kal16_timer", "timer", r"timer|minute|second"),
    ],
)
def test_phrases_the_recogniser_knows(
    clip: str, words: str, answer: str, demo: Serving, browse: Browse, visit: Open
) -> None:
    """Synthetic voices, named as such."""
    page = visit(browse(), demo, before=listening).talk()
    speak(page.page, say(clip))
    assert page.said(words)
    page.heard()
    assert re.search(answer, page.answer(), re.IGNORECASE)


def test_a_sentence_outside_the_skills_is_shown_and_answered_honestly(
    demo: Serving, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), demo, before=listening).talk()
    speak(page.page, say("librivox_0880"))
    assert page.said()
    page.heard()
    assert "rule" in page.answer().lower() or "heard" in page.answer().lower()


@both
def test_speaking_over_the_answer_stops_it(
    path: str, start: Callable[..., Serving], browse: Browse, visit: Open
) -> None:
    """The scripted answer lasts twenty seconds; the user breaks in as soon as it is heard."""
    server = start(
        "engines.scripted.clauses=2",
        "engines.scripted.clause_s=10",
        "engines.scripted.first_clause_ms=2500",  # a silence before the next answer, long enough to be met
    )
    page = visit(browse(), address(server, path), before=listening).talk().over(path)
    speak(page.page, say("lj001_0008"))
    page.heard()
    speak(page.page, say("lj001_0002"))
    page.page.wait_for_selector("#captions li[data-who=agent] s.unheard")
    page.silent()
    page.page.wait_for_selector('#captions li[data-who=agent][data-turn="2"]')
    page.heard()


def test_the_button_stops_the_answer(
    start: Callable[..., Serving], browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start("engines.scripted.clause_s=10")).talk()
    page.type("talk to me")
    page.heard()
    page.page.locator("#interrupt:enabled").click()
    page.silent()
    page.state("listening")
    page.page.wait_for_selector("#captions li[data-who=agent] s.unheard")


def test_a_muted_microphone_hears_nothing(
    start: Callable[..., Serving], browse: Browse, visit: Open
) -> None:
    """Muted before she speaks: no turn comes of it. Over the WebSocket; test_webrtc.py has the other."""
    page = visit(browse(), address(start(), "websocket"), before=listening).talk()
    page.page.locator("#mute").click()
    page.state("muted")
    speak(page.page, say("lj001_0008", 2.0))
    spoken(page.page)
    assert page.turns() == 0
    page.page.locator("#mute").click()
    page.state("listening")


def test_holding_the_space_bar_keeps_the_floor(
    start: Callable[..., Serving], browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start(), before=listening).talk()
    page.page.keyboard.down("Space")
    speak(page.page, say("lj001_0008", 1.5))
    page.page.wait_for_selector("#captions li[data-who=user]")
    spoken(page.page)  # and a silence longer than any that ends a turn: the floor is still hers
    assert page.page.locator("#captions li[data-who=agent]").count() == 0
    page.page.keyboard.up("Space")
    page.heard()


def test_two_pages_at_once_do_not_hear_each_other(
    demo: Serving, browse: Browse, visit: Open
) -> None:
    browser = browse()
    one, two = (visit(browser, demo, before=listening).talk() for _ in range(2))
    one.over("webrtc")
    two.over("webrtc")
    speak(one.page, say("goforward"))
    two.type("what is two plus three")
    assert "5" in two.answer() or "five" in two.answer().lower()
    assert one.said("go forward ten meters")
    assert "forward" in one.answer("Going").lower()
    assert (one.turns(), two.turns()) == (1, 1)


def test_typing_works_without_a_microphone_and_is_answered_aloud(
    demo: Serving, browse: Browse, visit: Open
) -> None:
    page = visit(browse(allow=False), demo)
    page.page.locator("#start:enabled").click()
    assert "allow the microphone" in page.sentence("blocked for this page")
    page.page.locator("#without").click()
    page.page.wait_for_selector("html[data-phase=talking]")
    page.type("tell me a joke")
    page.heard()
    assert page.answer()


def test_what_a_model_says_stays_text(
    start: Callable[..., Serving], browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start()).talk()
    page.type("<img src=x onerror=alert(1)><b>bold</b>")
    assert page.said("<b>bold</b>")
    assert page.page.locator("#captions b, #captions img").count() == 0
