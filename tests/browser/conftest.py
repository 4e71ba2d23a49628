"""Chromium with a wav file as its microphone, and the real server in a process of its own.

Debian's Chromium is driven through Playwright's client; no browser is downloaded.
"""

import os
import shutil
import wave
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from bench.serving import Serving, serving

SPEECH = Path(__file__).parent.parent / "data" / "speech"
RATE = 16_000
PATIENCE_MS = 30_000
"""Nothing waits this long on a free machine; a busy one may."""
expect.set_options(timeout=PATIENCE_MS)  # of itself it has 5 s

SWITCHES = (
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",  # some machines have no other interface
    "--autoplay-policy=no-user-gesture-required",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)

COUNTER = """
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    const level = Number(document.getElementById("presence")?.dataset.speakerDbfs ?? -100);
    const before = Number(sessionStorage.getItem("audible") ?? 0);
    if (level > -40) sessionStorage.setItem("audible", before + now - last);
    last = now;
  }, 50);
"""
"""Counts the ms in which this tab plays sound of more than −40 dBFS."""

pytestmark = pytest.mark.browser


def chromium() -> str:
    """Where it is. That it is missing is a failure: the page must be tested."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "no Chromium here: apt install chromium, or set CHROMIUM to its path"
    return found


def say(*pieces: str | float) -> np.ndarray:
    """Clips of tests/data/speech by name, and seconds of a quiet room (−68 dBFS) between them."""
    hush = np.random.default_rng(1)
    sound: list[np.ndarray] = []
    for piece in pieces:
        if isinstance(piece, str):
            with wave.open(str(SPEECH / f"{piece}.wav")) as wav:
                sound.append(np.frombuffer(wav.readframes(wav.getnframes()), np.int16))
        else:
            sound.append(hush.normal(0, 13, int(piece * RATE)).astype(np.int16))
    return np.concatenate(sound)


def over_and_over(clip: str, lead_s: float = 3.0, pause_s: float = 8.0) -> np.ndarray:
    """For a minute at least, with pauses in which it can be answered. The microphone begins before the page has its
    conversation, on a busy machine long before: who missed the first one hears the next."""
    return say(lead_s, *[clip, pause_s] * round(60 / pause_s))


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Start a server with these settings; stopped with the test."""
    with ExitStack() as stack:
        yield lambda *settings, **how: stack.enter_context(
            serving("session.greeting=", *settings, log=tmp_path / "server.log", **how)
        )


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One server with the demo engines for all who only talk to it."""
    log = tmp_path_factory.mktemp("demo") / "server.log"
    with serving("session.greeting=", profile="demo", log=log) as server:
        yield server


@pytest.fixture
def browse(playwright: Playwright, tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    """A Chromium whose microphone hears this sound once, from when the page opens it."""
    with ExitStack() as stack:

        def launch(sound: np.ndarray | None = None, *switches: str, allow: bool = True) -> Browser:
            path = tmp_path / f"microphone-{len(list(tmp_path.iterdir()))}.wav"
            with wave.open(str(path), "wb") as wav:
                wav.setnchannels(1)
                wav.setsampwidth(2)
                wav.setframerate(RATE)
                wav.writeframes((say(1.0) if sound is None else sound).tobytes())
            args = [*SWITCHES, f"--use-file-for-fake-audio-capture={path}%noloop", *switches]
            if allow:
                args.append("--use-fake-ui-for-media-stream")
            if os.geteuid() == 0:
                args.append("--no-sandbox")
            browser = playwright.chromium.launch(executable_path=chromium(), args=args)
            stack.callback(browser.close)
            return browser

        yield launch


class Visit:
    """The page as a person meets it. What it logs as an error fails the test at the end."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)

    def talk(self) -> "Visit":
        """Start talking, and wait until the conversation has begun."""
        self.page.locator("#start:enabled").click()
        self.page.wait_for_selector("html[data-phase=talking]")
        return self

    def over(self, path: str) -> "Visit":
        """Sound goes over "webrtc" or "websocket"; waits for it."""
        self.page.wait_for_selector(f'html[data-path="{path}"]')
        return self

    def state(self, word: str) -> "Visit":
        self.page.wait_for_selector(f'html[data-state="{word}"]')
        return self

    def said(self, text: str = "") -> str:
        """The user's first final words; waits for them (holding `text`, if given)."""
        item = self.page.locator("#captions li[data-who=user][data-final=true]", has_text=text)
        return item.first.locator("p").inner_text()

    def answer(self, text: str = "") -> str:
        item = self.page.locator("#captions li[data-who=agent]", has_text=text)
        return item.first.locator("p").inner_text()

    def level(self) -> float:
        """Of the sound that this page plays, dBFS."""
        level = self.page.locator("#presence").get_attribute("data-speaker-dbfs")
        assert level is not None
        return float(level)

    def heard(self) -> "Visit":
        """Sound of more than −40 dBFS comes out of this page."""
        return self._until(lambda: self.level() > -40, "no sound was heard")

    def silent(self) -> "Visit":
        return self._until(lambda: self.level() < -60, "it did not fall silent")

    def audible_s(self) -> float:
        """How long sound was heard in this tab so far, whatever was loaded again meanwhile. Wants `COUNTER`."""
        return float(
            self.page.evaluate("() => Number(sessionStorage.getItem('audible') ?? 0) / 1000")
        )

    def turns(self) -> int:
        return self.page.locator("#captions li[data-who=user]").count()

    def sentence(self, text: str) -> str:
        return self.page.locator("#sentence", has_text=text).inner_text()

    def type(self, text: str) -> None:
        self.page.locator("#say:enabled").fill(text)
        self.page.locator("#say").press("Enter")

    def seen(self) -> str:
        """What stands on the page now, for who reads of a failure."""
        try:
            marks = self.page.evaluate("() => ({...document.documentElement.dataset})")
            return f"{self.page.url} {marks}\n{self.page.locator('body').inner_text(timeout=1000)}"
        except Error as error:
            return f"{self.page.url}: {error.message}"

    def _until(self, true: Callable[[], bool], otherwise: str) -> "Visit":
        """Playwright's own waiting evaluates strings, which the page's content policy forbids."""
        for _ in range(PATIENCE_MS // 50):
            if true():
                return self
            self.page.wait_for_timeout(50)
        raise AssertionError(otherwise)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def visit(request: pytest.FixtureRequest) -> Iterator[Callable[..., Visit]]:
    """Open a page; at the end nothing may have gone wrong in it. Of a failure it tells what the page showed."""
    visits: list[Visit] = []

    def open_page(
        browser: Browser,
        server: Serving | str,
        *,
        before: Callable[[Page], object] = lambda page: None,
        **context: object,
    ) -> Visit:
        url = server if isinstance(server, str) else f"http://localhost:{server.port}/"
        page = browser.new_context(**context).new_page()  # type: ignore[arg-type]  # any option
        before(page)
        visits.append(Visit(page, url))
        return visits[-1]

    yield open_page
    if request.node.stash.get(FAILED, False):
        print(*(one.seen() for one in visits), sep="\n")
    for one in visits:
        assert one.errors == []
