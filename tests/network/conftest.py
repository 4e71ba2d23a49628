"""A network of its own for each test, the real server at its one end and a real browser at the other."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright

from bench.network import HTTP_PORT, Network, Unavailable, network
from bench.serving import Crowd, Serving, serving
from bench.visiting import ADDRESS, SERVED, at_client, browser, microphone, page

Start = Callable[..., Serving]
Browse = Callable[..., Browser]
Open = Callable[..., Page]

PATIENT = ("webrtc.fallback_s=14",)
"""A server whose pages wait for WebRTC where it must come: on a busy machine it may take more than 2.5 s. How long it
takes is asserted by itself."""


@pytest.fixture
def net() -> Iterator[Network]:
    """Where none can be made the test is left out, but fails in CI."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(network())
        except Unavailable as why:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(str(why))
        yield made


@pytest.fixture
def crowding() -> Iterator[Crowd]:
    """By how much all that is timed in this test may take longer than on a machine of its own."""
    with Crowd() as crowd:
        yield crowd


@pytest.fixture
def start(net: Network, tmp_path: Path) -> Iterator[Start]:
    """Start a server with these settings on its host; stopped with the test."""
    with ExitStack() as stack:

        def begin(*settings: str, ipv6: bool = False) -> Serving:
            how = {"port": HTTP_PORT, "log": tmp_path / "server.log"}
            if ipv6:
                settings, how = ("server.host=::", *settings), how | {"host": "[::1]"}
            with net.server.entered():
                return stack.enter_context(serving(*SERVED, *settings, **how))

        yield begin


@pytest.fixture
def playwright(net: Network) -> Iterator[Playwright]:
    with at_client(net) as running:
        yield running


@pytest.fixture
def browse(playwright: Playwright, tmp_path: Path) -> Iterator[Browse]:
    """A Chromium on the client's host, whose microphone hears these clips and silences once."""
    with ExitStack() as stack:

        def launch(*pieces: str | float) -> Browser:
            sound = microphone(tmp_path / "microphone.wav", *(pieces or (1.0,)))
            return stack.enter_context(browser(playwright, sound))

        yield launch


@pytest.fixture
def visit() -> Iterator[Open]:
    """Open the page; what it logs as an error fails the test at its end."""
    errors: list[str] = []
    with ExitStack() as stack:

        def open_page(running: Browser, url: str = ADDRESS) -> Page:
            opened = stack.enter_context(page(running, url))
            opened.on("pageerror", lambda error: errors.append(str(error)))
            return opened

        yield open_page
    assert errors == []
