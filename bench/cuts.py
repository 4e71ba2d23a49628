"""What is heard of a reply when the network is cut in the middle of it, in Chromium over ICE-TCP.

    python -m bench.cuts [--times 30] [--only "3 s black hole"]

Client, router and server are namespaces of this machine (bench/network.py). The voice is a rising tone,
so that the page's own notes (bench/ear.py) tell when something new of the reply was heard, and which
part of it never was. Each reply lasts 10 s and is cut once, two seconds in:

TCP reset, sound      the connection that carries the media is aborted; both ends are told
TCP reset, all        so is the WebSocket's
3 s black hole        every packet vanishes for 3 s, and nobody is told
another address       the client gets another address, and what it had connected is dead
reload                the page is loaded again, and goes on
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.ear import Heard, voice
from bench.network import HTTP_PORT, MAPPED, MEDIA_PORT, Network, network
from bench.serving import machine, serving
from bench.visiting import (
    SERVED,
    ask,
    at_client,
    begun,
    browser,
    click,
    clock,
    ears,
    hear,
    microphone,
    page,
)

REPLY_S = 10.0
CUT_S = 2.0
"""So much of the reply was heard before."""
HOLE_S = 3.0


@dataclass(frozen=True)
class Cut:
    """One way to break it; `make` leaves when the network is whole again."""

    name: str
    make: Callable[[Network, Page], None]
    most_s: float
    """The longest gap that is borne; of a black hole, from its end on."""
    lost_s: float
    """So much of the reply may stay unheard: what was on its way."""
    from_its_end: bool = False


def reset_sound(net: Network, opened: Page) -> None:
    net.reset(MEDIA_PORT)


def reset_all(net: Network, opened: Page) -> None:
    net.reset(MEDIA_PORT)
    net.reset(HTTP_PORT)


def black_hole(net: Network, opened: Page) -> None:
    with net.black_hole():
        opened.wait_for_timeout(1000 * HOLE_S)


def move(net: Network, opened: Page) -> None:
    net.move_client()


def reload(net: Network, opened: Page) -> None:
    opened.reload()  # the microphone was allowed to this page, so it goes on by itself


CUTS = (
    Cut("TCP reset, sound", reset_sound, 3.0, 0.7),
    Cut("TCP reset, all", reset_all, 3.0, 0.3),
    Cut("3 s black hole", black_hole, 2.0, 0.7, from_its_end=True),
    # Nobody is told: the page asks each second, waits two for an answer, and connects anew.
    Cut("another address", move, 4.0, 0.3),
    Cut("reload", reload, 2.0, 0.3),
)


@dataclass(frozen=True)
class Outcome:
    gap_s: float
    """Without anything new; of a black hole, from its end on."""
    lost_s: float
    repeated_s: float
    whole: bool
    """The reply was heard to its end."""


def cut(net: Network, opened: Page, how: Cut) -> Outcome:
    """One reply with one cut."""
    opened.wait_for_selector("html[data-path=webrtc]")
    ask(opened)
    hear(opened, lambda heard: heard.until_s() > CUT_S)
    how.make(net, opened)
    ended = clock(opened)
    try:
        heard = hear(opened, lambda heard: heard.over(REPLY_S))
        whole = True
    except TimeoutError:
        heard, whole = Heard.of(ears(opened)), False
    gap = heard.back_at(ended) - ended if how.from_its_end else heard.longest_gap_s()
    return Outcome(gap, heard.lost_s(), heard.repeated_s(), whole)


def cuts(net: Network, running: Browser, how: Cut, times: int) -> Iterator[Outcome]:
    """So many in one conversation, begun over ICE-TCP; a new one where a reply did not go on."""
    while times > 0:
        with page(running) as opened:
            click(opened)
            begun(opened)
            whole = True
            while whole and times > 0:
                times -= 1
                outcome = cut(net, opened, how)
                whole = outcome.whole
                yield outcome


def settings() -> tuple[str, ...]:
    return (*SERVED, *MAPPED, *voice(REPLY_S))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--only", default="", help="the row that begins so")
    given = parser.parse_args()
    table = Table("cut", "heard to the end", "gap p50 s", "max s", "at most", "lost p50 s", "max s")
    good = True
    progress = Console(stderr=True)
    with ExitStack() as stack:
        net = stack.enter_context(network())
        net.let_through(ice_tcp=True)
        with net.server.entered():
            stack.enter_context(serving(*settings(), port=HTTP_PORT))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        playwright = stack.enter_context(at_client(net))
        running = stack.enter_context(browser(playwright, microphone(folder / "hush.wav", 60.0)))
        for how in CUTS:
            if how.name.startswith(given.only):
                each = cuts(net, running, how, given.times)
                outcomes = list(track(each, how.name, given.times, console=progress))
                table.add_row(*row(how, outcomes))
                good = good and all(o.whole and o.gap_s <= how.most_s for o in outcomes)
    console = Console(width=150)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    console.print(table)
    return 0 if good else 1


def row(how: Cut, outcomes: list[Outcome]) -> list[str]:
    gaps = [outcome.gap_s for outcome in outcomes]
    lost = [outcome.lost_s for outcome in outcomes]
    whole = sum(outcome.whole for outcome in outcomes)
    return [
        how.name,
        f"{whole} of {len(outcomes)}",
        f"{np.median(gaps):.2f}",
        f"{max(gaps):.2f}",
        f"{how.most_s:.0f} s",
        f"{np.median(lost):.2f}",
        f"{max(lost):.2f}",
    ]


if __name__ == "__main__":
    sys.exit(main())
