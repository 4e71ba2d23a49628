"""Where the server's CPU goes: a sampled profile, grouped into named parts.

    python -m bench.profile [--path webrtc] [--conversations 8] [--seconds 60] [--pin] [--silent]

py-spy looks 153 times a second at who holds Python's lock (`--gil`). The rest of the process's CPU was
used without it: in the kernel (sockets, epoll) and in threads of libraries. A sample belongs to the
innermost frame that a part claims; `--keep FILE` keeps the folded stacks.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.cell import CALLERS_CORE, SERVER_CORE, SETTINGS, Cell, run_cell
from bench.cell import arguments as cell_arguments
from bench.serving import machine, on_core, serving

RATE = 153
"""Samples a second: not in step with the 20 ms in which everything here comes again."""
FRAME = re.compile(r"^(?P<function>.+) \((?P<file>.+?)(?::\d+)?\)$")

PARTS: tuple[tuple[str, str], ...] = (
    ("Opus decode", r"rtp/(libopus|av_opus)\.py \w+Decoder"),
    ("Opus encode", r"rtp/(libopus|av_opus)\.py \w+Encoder"),
    ("Opus decode", r"rtp/(decoding|correction)\.py"),
    ("SRTP", r"pylibsrtp/"),
    ("ICE, STUN, DTLS", r"(aioice|aiortc|OpenSSL|cryptography)/"),
    ("RTP, reordering, reports", r"ultraandchat/transport/rtp/"),
    ("Silero", r"engines/silero"),
    ("voice activity around it", r"engines/webrtc_vad|turn/activity|webrtcvad"),
    ("levels, windows, resampling", r"ultraandchat/audio/|ultraandchat/hearing\.py"),
    ("engines (scripted)", r"ultraandchat/engines/"),
    ("ticker and playout", r"ultraandchat/playout/"),
    ("turn-taking", r"ultraandchat/turn/"),
    ("messages and WebSocket", r"ultraandchat/transport/|aiohttp/|/json/|msgspec"),
    ("logs and metrics", r"ultraandchat/server/|prometheus_client|/logging/"),
    ("session", r"ultraandchat/"),
    ("sockets", r"asyncio/(selector_events|transports|sslproto)\.py|/socket\.py"),
    ("loop and select", r"asyncio/|/selectors\.py"),
)
"""Named parts, in order; each a pattern of "file function"."""
REST = "rest"
UNLOCKED = "outside Python's lock (kernel, threads)"


def main() -> None:
    parser = cell_arguments(__doc__, [8])
    parser.add_argument("--silent", action="store_true", help="all are connected, nobody talks")
    parser.add_argument("--keep", type=Path, help="keep the folded stacks in this file")
    given = parser.parse_args()
    console = Console(width=120)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    for conversations in given.conversations:
        with tempfile.TemporaryDirectory() as folder:
            folded = given.keep or Path(folder) / "folded.txt"
            cell = profiled(given, conversations, folded)
            samples = grouped(folded.read_text())
        title = f"{conversations} conversations, {given.path}{', nobody talks' * given.silent}"
        console.print(table(cell, samples, title))


def profiled(given: argparse.Namespace, conversations: int, folded: Path) -> Cell:
    """A cell with py-spy beside it; the stacks of its span are in `folded` then."""
    spies: list[subprocess.Popen[bytes]] = []
    options = ["--path", given.path, *(["--silent"] if given.silent else [])]
    with serving(*SETTINGS, core=SERVER_CORE if given.pin else None) as server:
        cell = run_cell(
            server,
            conversations,
            given.seconds,
            *options,
            pinned=given.pin,
            meanwhile=lambda: spies.append(
                spy(server.pid, given.seconds, folded, pinned=given.pin)
            ),
        )
        if spies[0].wait(30):
            sys.exit("py-spy failed: it may look into processes of its own user or as root only")
    return cell


def spy(pid: int, seconds: float, folded: Path, *, pinned: bool) -> subprocess.Popen[bytes]:
    """py-spy beside the callers, for the measured span."""
    command = [*on_core(CALLERS_CORE if pinned else None), "py-spy", "record", "--pid", str(pid)]
    command += ["--gil", "--threads", "--format", "raw", "--rate", str(RATE)]
    command += ["--duration", str(round(seconds)), "--output", str(folded)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def grouped(folded: str) -> Counter[str]:
    """Samples by part, of stacks as "root;…;leaf count"."""
    samples: Counter[str] = Counter()
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        samples[part(stack.split(";"))] += int(count)
    return samples


def part(stack: list[str]) -> str:
    """Of the innermost frame that some part claims."""
    for frame in reversed(stack):
        if found := FRAME.match(frame):
            named = f"{found['file']} {found['function']}"
            for name, pattern in PARTS:
                if re.search(pattern, named):
                    return name
    return REST


def table(cell: Cell, samples: Counter[str], title: str) -> Table:
    """Parts by what they took, in ms of CPU for each conversation-minute."""
    locked_s = {name: count / RATE for name, count in samples.items()}
    free_s = max(cell.cpu_s - sum(locked_s.values()), 0.0)
    whole_s = sum(locked_s.values()) + free_s
    made = Table(
        title=f"{title}, {cell.seconds:.0f} s: {cell.cpu_s / cell.minutes:.2f} CPU s per "
        f"conversation-minute under py-spy, {samples.total()} samples"
    )
    for column in ("part", "share", "ms per conversation-minute"):
        made.add_column(column, justify="left" if column == "part" else "right")
    ranked = sorted([*locked_s.items(), (UNLOCKED, free_s)], key=lambda one: -one[1])
    for name, seconds in ranked:
        made.add_row(
            name, f"{100 * seconds / whole_s:.1f} %", f"{1000 * seconds / cell.minutes:.0f}"
        )
    return made


if __name__ == "__main__":
    main()
