"""What the page costs a browser: bytes, first paint, the start button, click to "listening", and script time in a talk.

    python -m bench.page_cost [--runs 5] [--seconds 10] [--transport auto|webrtc|websocket]

Chromium on the same machine, a profile of its own for each run, so nothing is cached. The server has scripted
engines. Bytes are counted as they come over the wire (with headers) and unpacked. Script and task time are the main
thread's, as Chromium's `Performance` domain counts them: worklets, which carry the sound, have a thread of their own.
"""

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import CDPSession, Page, Playwright, sync_playwright
from rich.console import Console
from rich.table import Table

from bench.serving import machine, serving
from bench.visiting import chromium, microphone

PATIENCE_MS = 60_000
SETTLE_MS = 3_000
"""After something begins, until it is as it stays."""
PARTS = ("Document", "Script", "Stylesheet")
UPLOT = "/vendor/"

WATCH = """
  const seen = (window.seen = { usable: 0, clicked: 0, listening: 0 });
  const look = () => {
    const root = document.documentElement;
    const start = document.getElementById("start");
    if (!seen.usable && start && !start.disabled && !start.hidden) seen.usable = performance.now();
    if (!seen.listening && root.dataset.state === "listening") seen.listening = performance.now();
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
  addEventListener("click", () => { seen.clicked ||= performance.now(); }, true);
"""


@dataclass
class Visit:
    """What one visit took; ms, bytes, and percent of a core."""

    paint: float = 0.0
    usable: float = 0.0
    listening: float = 0.0
    wire: Counter[str] = field(default_factory=Counter)
    heads: Counter[str] = field(default_factory=Counter)
    """Of `wire`, those of the answers."""
    raw: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    script: dict[str, float] = field(default_factory=dict)
    task: dict[str, float] = field(default_factory=dict)


class Traffic:
    """Bytes of what the page fetches, by what it was for."""

    def __init__(self, tools: CDPSession, visit: Visit) -> None:
        self.when = "page"
        self._visit = visit
        self._kinds: dict[str, str] = {}
        tools.on("Network.responseReceived", self._begun)
        tools.on("Network.dataReceived", self._came)
        tools.on("Network.loadingFinished", self._over)
        tools.send("Network.enable")

    def _begun(self, event: dict[str, Any]) -> None:
        kind = self.when if event["type"] in PARTS else "other"
        kind = "uPlot" if UPLOT in event["response"]["url"] else kind
        self._kinds[event["requestId"]] = kind
        self._visit.heads[kind] += int(event["response"]["encodedDataLength"])
        self._visit.files[kind] += 1

    def _came(self, event: dict[str, Any]) -> None:
        if kind := self._kinds.get(event["requestId"]):
            self._visit.raw[kind] += event["dataLength"]

    def _over(self, event: dict[str, Any]) -> None:
        if kind := self._kinds.get(event["requestId"]):
            self._visit.wire[kind] += int(event["encodedDataLength"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--transport", choices=("auto", "webrtc", "websocket"), default="auto")
    given = parser.parse_args()
    settings = ("session.greeting=", "engines.scripted.clause_s=300")
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(*settings) as server,
        sync_playwright() as playwright,
    ):
        url = f"http://localhost:{server.port}/?transport={given.transport}"
        sound = microphone(Path(folder) / "room.wav", 600.0)
        visits = [visit(playwright, url, sound, given.seconds) for _ in range(given.runs)]
    console = Console(width=120)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    console.print(report(visits))


def visit(playwright: Playwright, url: str, sound: Path, seconds: float) -> Visit:
    """One browser, one talk."""
    switches = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}%noloop",
        "--allow-loopback-in-peer-connection",
        "--disable-background-networking",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ]
    browser = playwright.chromium.launch(executable_path=chromium(), args=switches)
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        return watched(page, url, seconds)
    finally:
        browser.close()


def watched(page: Page, url: str, seconds: float) -> Visit:
    seen = Visit()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(f"(() => {{ {WATCH} }})()")
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")
    traffic = Traffic(tools, seen)
    page.goto(url)
    page.wait_for_selector("#start:enabled")
    page.wait_for_timeout(SETTLE_MS)  # what is prepared before somebody asks for it
    seen.paint = page.evaluate("() => performance.getEntriesByName('first-paint')[0].startTime")
    traffic.when = "talk"
    page.locator("#start").click()
    page.wait_for_selector('html[data-state="listening"]')
    page.wait_for_timeout(SETTLE_MS)
    cost(page, tools, seen, "listening", seconds)
    page.locator("#say:enabled").fill("talk to me")
    page.locator("#say").press("Enter")
    page.wait_for_selector('html[data-state="speaking"]')
    page.wait_for_timeout(SETTLE_MS)
    cost(page, tools, seen, "speaking", seconds)
    instants = page.evaluate("() => window.seen")
    seen.usable = instants["usable"]
    seen.listening = instants["listening"] - instants["clicked"]
    traffic.when = "details"
    page.locator("#details").click()
    page.wait_for_timeout(SETTLE_MS)
    cost(page, tools, seen, "speaking, details open", seconds)
    return seen


def cost(page: Page, tools: CDPSession, seen: Visit, name: str, seconds: float) -> None:
    """Of the main thread, in percent, over so many seconds."""

    def metrics() -> dict[str, float]:
        answer = tools.send("Performance.getMetrics")
        return {one["name"]: one["value"] for one in answer["metrics"]}

    before = metrics()
    page.wait_for_timeout(1000 * seconds)
    after = metrics()
    span = after["Timestamp"] - before["Timestamp"]
    seen.script[name] = 100 * (after["ScriptDuration"] - before["ScriptDuration"]) / span
    seen.task[name] = 100 * (after["TaskDuration"] - before["TaskDuration"]) / span


def report(visits: Sequence[Visit]) -> Table:
    table = Table()
    table.add_column("what")
    for heading in ("median", "least", "most", "wanted"):
        table.add_column(heading, justify="right")

    def row(what: str, values: Sequence[float], unit: str, wanted: str = "") -> None:
        shown = (median(values), min(values), max(values))
        table.add_row(
            what,
            *(f"{value:.{0 if unit in ('ms', '') else 1}f} {unit}".strip() for value in shown),
            wanted,
        )

    def kilobytes(what: str, kind: str, wanted: str = "") -> None:
        row(f"{what}, transferred", [one.wire[kind] / 1000 for one in visits], "kB", wanted)
        row(f"{what}, unpacked", [one.raw[kind] / 1000 for one in visits], "kB")

    kilobytes("page, script and style", "page", "≤ 120 kB")
    row("of those transferred, headers", [one.heads["page"] / 1000 for one in visits], "kB")
    row("in so many files", [one.files["page"] for one in visits], "")
    kilobytes("more of it when a talk begins", "talk")
    kilobytes("uPlot and its style, when it is shown", "uPlot")
    row("first paint", [one.paint for one in visits], "ms", "≤ 200 ms")
    row("start button usable", [one.usable for one in visits], "ms", "≤ 300 ms")
    row("click to “listening”", [one.listening for one in visits], "ms", "≤ 1000 ms")
    wanted = {"listening": "≤ 2 %", "speaking": "≤ 6 %"}
    for name in visits[0].script:
        row(f"script, {name}", [one.script[name] for one in visits], "%", wanted.get(name, ""))
        row(f"main thread in all, {name}", [one.task[name] for one in visits], "%")
    return table


if __name__ == "__main__":
    main()
