"""Somebody opens the page and talks to the tiny Ultravox: heard as sound, its nonsense spoken and shown."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from bench.serving import Serving, serving
from tests.browser.conftest import COUNTER, Visit, browse, say, visit  # noqa: F401  fixtures
from tests.engines.ultravox.support import CHECKPOINTS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]  # the pages' own patience is 30 s each

SETTINGS = (
    "session.greeting=",
    "engines.language=ultravox",
    f"engines.ultravox.checkpoint={CHECKPOINTS[1]}",
    "engines.ultravox.device=cpu",
    "engines.ultravox.window=1024",
    "engines.ultravox.max_tokens=40",
    "engines.ultravox.temperature=0",  # else one answer in a hundred is empty: random weights end as they please
    "engines.hub.offline=true",
    "turn.reply_timeout_s=60",  # torch on a busy processor
)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """For this file alone: it holds the thread's event loop, and tests after it have loops of their own."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    log = tmp_path_factory.mktemp("ultravox") / "server.log"
    with serving(*SETTINGS, profile="demo", log=log) as running:
        yield running


def counting(page: Page) -> None:
    page.add_init_script(COUNTER)


def replies(server: Serving) -> float:
    """Those that are over."""
    counted = server.metrics().items()
    return sum(n for name, n in counted if name.startswith("ultraandchat_replies_total{"))


def answered(page: Visit, server: Serving, over: float) -> None:
    """An answer is heard and shown, however late and short. `over`: the replies before the question.

    Of some nonsense nothing can be said aloud: when such a reply is over it is asked again.
    """
    for _ in range(8):
        while not (heard := page.audible_s()) and replies(server) <= over:
            page.page.wait_for_timeout(100)
        if heard:
            assert page.answer()
            return
        over += 1
        page.type("And now?")
    raise AssertionError("no answer was heard")


def fetched(server: Serving, path: str) -> dict[str, object]:
    with urllib.request.urlopen(f"{server.url}/{path}", timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def test_real_speech_is_answered_aloud_and_its_words_come_beside(
    server: Serving,
    browse: Callable[..., Browser],  # noqa: F811
    visit: Callable[..., Visit],  # noqa: F811
    tmp_path: Path,
) -> None:
    over = replies(server)
    page = visit(browse(say(1.5, "goforward", 8.0)), server, before=counting).talk()
    assert page.said()
    answered(page, server, over)
    page.page.screenshot(path=tmp_path / "page.png")
    page.page.locator("#details").click()
    model = page.page.locator("#latency-model", has_text="tokens of your conversation")
    assert re.search(r"had read \d+ of \d+ tokens", model.inner_text())
    page.page.screenshot(path=tmp_path / "details.png")
    assert "Ultravox (ultravox-tiny-v06)" in page.page.content()


def test_health_tells_that_ultravox_itself_is_live(server: Serving) -> None:
    health = fetched(server, "health")
    assert health["models"] == {"ultravox": True, "tts": True}
    engines = {(e["kind"], e["name"]): e for e in health["engines"]}  # type: ignore[attr-defined]
    ultravox = engines["language", "ultravox"]
    assert ultravox["state"] == "ready"
    assert {stage["name"].partition(" (")[0] for stage in ultravox["stages"]} >= {"load", "warm-up"}
    assert "tests/data" not in json.dumps(fetched(server, "config.json"))


def test_typed_text_is_answered_too(
    server: Serving,
    browse: Callable[..., Browser],  # noqa: F811
    visit: Callable[..., Visit],  # noqa: F811
) -> None:
    over = replies(server)
    page = visit(browse(), server, before=counting).talk()
    page.type("<|audio|> Who are you?")
    assert page.said("<|audio|> Who are you?")
    answered(page, server, over)
