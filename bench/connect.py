"""From the click on "Start talking" to the first path of the sound, in Chromium, over and over.

    python -m bench.connect [--times 300]

Client, router and server are namespaces of this machine (bench/network.py), so the network itself takes
no time. Where one TCP port is mapped, sound must go over ICE-TCP; where only HTTP is left, over the
WebSocket, and the page finds out by waiting. Every visit is a new context in one browser: nothing is
remembered. The instants are taken in the page: the path counts when sound has come through on it and the
conversation has begun. Visits of the second kind are made four at a time, since they mostly wait.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, TimeoutError
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.network import HTTP_PORT, MAPPED, network
from bench.serving import machine, serving
from bench.visiting import SERVED, at_client, begun, browser, click, microphone, page


@dataclass(frozen=True)
class Way:
    """A kind of network, and what is expected on it."""

    name: str
    ice_tcp: bool
    path: str
    most_s: float
    """Nobody should wait longer."""
    beside: int
    """Visits at a time."""


ICE_TCP = Way("UDP dropped, one TCP port mapped: ICE-TCP", True, "webrtc", 1.5, 1)
HTTP_ONLY = Way("only HTTP: WebSocket audio", False, "websocket", 4.0, 4)


def connects(running: Browser, way: Way, times: int) -> Iterator[tuple[str, float]]:
    """The first path of each visit and the seconds to it; ("", inf) where none came about."""
    while times > 0:
        beside = min(times, way.beside)
        times -= beside
        with ExitStack() as stack:
            pages = [stack.enter_context(page(running)) for _ in range(beside)]
            for opened in pages:
                click(opened)
            for opened in pages:
                result = ("", float("inf"))
                with suppress(TimeoutError):
                    result = begun(opened)
                    opened.locator("#end").click()  # or the server would wait for it to come back
                yield result


def settings() -> tuple[str, ...]:
    """Of the server: all may come, and each leaves before the next."""
    return (*SERVED, "server.max_conversations=50", *MAPPED)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=300)
    given = parser.parse_args()
    table = Table("network", "connected as expected", "p50 s", "p95 s", "max s", "at most")
    good = True
    progress = Console(stderr=True)
    with ExitStack() as stack:
        net = stack.enter_context(network())
        with net.server.entered():
            stack.enter_context(serving(*settings(), port=HTTP_PORT))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        playwright = stack.enter_context(at_client(net))
        running = stack.enter_context(browser(playwright, microphone(folder / "hush.wav", 60.0)))
        for way in (ICE_TCP, HTTP_ONLY):
            net.let_through(ice_tcp=way.ice_tcp)
            each = connects(running, way, given.times)
            results = list(track(each, way.name, given.times, console=progress))
            times = [seconds for path, seconds in results if path == way.path]
            good = good and len(times) == given.times and max(times) <= way.most_s
            p50, p95 = np.percentile(times, (50, 95)) if times else (np.nan, np.nan)
            longest = max(times, default=np.nan)
            connected = f"{len(times)} of {given.times}"
            row = (f"{p50:.2f}", f"{p95:.2f}", f"{longest:.2f}", f"{way.most_s:.1f} s")
            table.add_row(way.name, connected, *row)
    console = Console(width=150)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    console.print(table)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
