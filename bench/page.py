"""In Chromium with the demo engines: from the last word of a clip to the first sound of the answer.

    python -m bench.page [--runs 3] [--transport webrtc|websocket]

The microphone is a wav file. Both instants are taken in the page: the end of speech is the first loud
frame that its capture worklet hands over plus the clip's known length of speech
(tests/data/speech/bounds.json); the sound is the first level above −40 dBFS that a worklet beside the
playing one reports, 20 times a second, so it is told up to 50 ms late. Words are counted over the
runs, since the recogniser does not repeat itself.
"""

import argparse
import json
import os
import shutil
import tempfile
import wave
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from playwright.sync_api import Playwright, TimeoutError, sync_playwright
from rich.console import Console
from rich.table import Table

from bench.serving import machine, serving

SPEECH = Path(__file__).parent.parent / "tests/data/speech"
BOUNDS = json.loads((SPEECH / "bounds.json").read_text())["clips"]
GRAMMAR = ("goforward", "synth_slt_what_time", "synth_kal16_timer", "synth_awb_joke")
OTHERS = ("librivox_0880", "librivox_0930", "lj001_0002", "lj001_0008", "cards_005", "yes")
RATE = 16_000
LEAD_S, TAIL_S = 2.0, 8.0
PATIENCE_MS = 12_000

WATCH = """() => {
  const seen = (window.seen = { loud: 0, sound: 0 });
  const hear = ({ data }) => {
    let sum = 0;
    for (const sample of data) sum += sample * sample;
    if (!seen.loud && Math.sqrt(sum / data.length) > 330) seen.loud = performance.now(); // −40 dBFS
  };
  window.AudioWorkletNode = class extends AudioWorkletNode {
    constructor(context, name, options) {
      super(context, name, options);
      if (name === "capture") this.port.addEventListener("message", hear);
    }
  };
  document.addEventListener("DOMContentLoaded", () => {
    const presence = document.getElementById("presence");
    new MutationObserver(() => {
      if (!seen.sound && Number(presence.dataset.speakerDbfs) > -40) seen.sound = performance.now();
    }).observe(presence, { attributes: true });
  });
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--transport", choices=("webrtc", "websocket"), default="webrtc")
    given = parser.parse_args()
    table = Table(title=f"demo, {given.transport} in Chromium, {given.runs} runs a clip")
    for column in ("clip", "p50 s", "max s", "server said p50 s", "turns", "words (source) × runs"):
        table.add_column(column)
    by_kind: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving("session.greeting=", profile="demo") as server,
        sync_playwright() as playwright,
    ):
        url = f"http://localhost:{server.port}/?transport={given.transport}"
        for kind, clips in (("grammar", GRAMMAR), ("other", OTHERS)):
            for clip in clips:
                path = microphone(clip, Path(folder))
                runs = [visit(playwright, url, path, clip) for _ in range(given.runs)]
                by_kind.setdefault(kind, []).extend(r[0] for r in runs if r[0] is not None)
                table.add_row(clip, *row(runs))
    console = Console(width=150)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    console.print(table)
    for kind, times in by_kind.items():
        console.print(
            f"{kind}: p50 {np.median(times):.2f} s, max {max(times):.2f} s, n {len(times)}"
        )


Run = tuple[float | None, float | None, int, str]
"""Last word to first sound, s; what the server said of it, s; turns; words and their source."""


def row(runs: Sequence[Run]) -> list[str]:
    times = [r[0] for r in runs if r[0] is not None]
    told = [r[1] for r in runs if r[1] is not None]
    words = Counter(r[3] for r in runs)
    return [
        f"{np.median(times):.2f}" if times else "-",
        f"{max(times):.2f}" if times else "-",
        f"{np.median(told):.2f}" if told else "-",
        ", ".join(f"{n} × {c}" for n, c in Counter(r[2] for r in runs).items()),
        "; ".join(f"{text} × {count}" for text, count in words.items()),
    ]


def microphone(clip: str, folder: Path) -> Path:
    """The clip with silence (−68 dBFS noise) around it."""
    with wave.open(str(SPEECH / f"{clip}.wav")) as wav:
        pcm = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
    noise = np.random.default_rng(1).normal(0, 13, int((LEAD_S + TAIL_S) * RATE)).astype(np.int16)
    lead = int(LEAD_S * RATE)
    path = folder / f"{clip}.wav"
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(np.concatenate([noise[:lead], pcm, noise[lead:]]).tobytes())
    return path


def visit(playwright: Playwright, url: str, path: Path, clip: str) -> Run:
    """One page, one clip, one answer."""
    switches = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}%noloop",
        "--autoplay-policy=no-user-gesture-required",
        "--disable-background-networking",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ]
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=switches)
    try:
        page = browser.new_page()
        page.add_init_script(f"({WATCH})()")
        page.goto(url)
        page.locator("#start:enabled").click()
        told = None
        try:
            latency = page.locator("#latency[data-total-ms]")
            latency.wait_for(state="attached", timeout=PATIENCE_MS + 1000 * LEAD_S)
            told = float(latency.get_attribute("data-total-ms") or "nan") / 1000
        except TimeoutError:
            pass
        page.wait_for_timeout(1500)
        seen = page.evaluate("window.seen")
        users = page.locator("#captions li[data-who=user]")
        words = users.first.locator("p").inner_text() if users.count() else "(none)"
        spoken = BOUNDS[clip]["end_s"] - BOUNDS[clip]["start_s"]
        heard = bool(seen["sound"] and seen["loud"])
        time = (seen["sound"] - seen["loud"]) / 1000 - spoken if heard else None
        return time, told, users.count(), words
    finally:
        browser.close()


if __name__ == "__main__":
    main()
