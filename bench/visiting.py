"""Chromium at the client's end of a network of our own (bench/network.py), and its visits to the page."""

import os
import shutil
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from bench.ear import EAR, Heard
from bench.network import FRONT, FRONT6, HTTP_PORT, Network

SPEECH = Path(__file__).parent.parent / "tests/data/speech"
RATE = 16_000
PATIENCE_MS = 30_000
"""Nothing waits this long on a free machine; a busy one may."""
ORIGIN = f"http://{FRONT}:{HTTP_PORT}"
ORIGIN6 = f"http://[{FRONT6}]:{HTTP_PORT}"
TOKEN = "a-token-for-networks-of-our-own"
ADDRESS, ADDRESS6 = (f"{origin}/#token={TOKEN}" for origin in (ORIGIN, ORIGIN6))
"""A server for more than its own machine has a token; these open its page."""
SERVED = ("session.greeting=", "server.host=0.0.0.0", f"access.token={TOKEN}")
"""Settings of such a server."""

SWITCHES = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    # A page that is not https and not localhost gets no microphone; this one is told to be an exception.
    f"--unsafely-treat-insecure-origin-as-secure={ORIGIN},{ORIGIN6}",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "no Chromium here: apt install chromium, or set CHROMIUM to its path"
    return found


def microphone(path: Path, *pieces: str | float) -> Path:
    """A wav of clips of tests/data/speech by name, and of seconds of a quiet room (−68 dBFS)."""
    hush = np.random.default_rng(1)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        for piece in pieces:
            if isinstance(piece, str):
                with wave.open(str(SPEECH / f"{piece}.wav")) as clip:
                    out.writeframes(clip.readframes(clip.getnframes()))
            else:
                out.writeframes(hush.normal(0, 13, int(piece * RATE)).astype(np.int16).tobytes())
    return path


@contextmanager
def at_client(network: Network) -> Iterator[Playwright]:
    """Playwright whose browsers are on the client's host: they are started by its driver, and that there."""
    manager = sync_playwright()
    with network.client.entered():
        playwright = manager.start()
    try:
        yield playwright
    finally:
        playwright.stop()


@contextmanager
def browser(playwright: Playwright, sound: Path, *switches: str) -> Iterator[Browser]:
    """A Chromium whose microphone hears `sound` once, from when a page opens it."""
    args = [*SWITCHES, f"--use-file-for-fake-audio-capture={sound}%noloop", *switches]
    if os.geteuid() == 0:
        args.append("--no-sandbox")
    running = playwright.chromium.launch(executable_path=chromium(), args=args)
    try:
        yield running
    finally:
        running.close()


@contextmanager
def page(running: Browser, url: str = ADDRESS) -> Iterator[Page]:
    """The page as one who was never here meets it, listening to itself."""
    context = running.new_context(permissions=["microphone"])
    try:
        context.add_init_script(f"({EAR})()")
        opened = context.new_page()
        opened.set_default_timeout(PATIENCE_MS)
        opened.goto(url)
        yield opened
    finally:
        context.close()


def click(opened: Page) -> None:
    """Start talking."""
    try:
        opened.locator("#start:enabled").click()
    except PlaywrightTimeout:
        phase = opened.locator("html").get_attribute("data-phase")
        said = opened.locator("#sentence").inner_text()
        raise AssertionError(f"it cannot be started: {phase}, {said!r}") from None


def begun(opened: Page) -> tuple[str, float]:
    """The first path of the sound, and the seconds from the click until it was that; waits for it."""
    opened.wait_for_selector("html[data-path]")
    ear = ears(opened)
    first = ear["paths"][0]
    return str(first["path"]), (first["at"] - ear["clicked"]) / 1000


def ears(opened: Page) -> dict[str, Any]:
    """What the page wrote down so far."""
    heard: dict[str, Any] = opened.evaluate("window.ear")
    return heard


def ask(opened: Page) -> None:
    """Type something, and forget what was heard before the answer."""
    opened.wait_for_selector("html[data-state=listening]")
    opened.evaluate("window.ear.notes.length = 0")
    opened.locator("#say:enabled").fill("talk to me")
    opened.locator("#say").press("Enter")


def hear(opened: Page, enough: Callable[[Heard], bool]) -> Heard:
    """Wait until this is so of what was heard; raises after `PATIENCE_MS`."""
    end = monotonic() + PATIENCE_MS / 1000
    while not enough(heard := Heard.of(ears(opened))):
        if monotonic() > end:
            raise TimeoutError(f"{heard.until_s():.1f} s of the reply were heard")
        opened.wait_for_timeout(100)
    return heard


def clock(opened: Page) -> float:
    """The page's clock now, s."""
    return float(opened.evaluate("performance.timeOrigin + performance.now()")) / 1000
