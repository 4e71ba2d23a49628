"""A server in a process of its own, for benchmarks: started, waited for, measured, stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Serving:
    """A running server."""

    pid: int
    port: int
    ready_s: float
    """From the start of the process to the first 200 of `/ready`."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_s(self) -> float:
        """User and system seconds of the process and all its children so far."""
        return sum(_cpu(pid) for pid in _tree(self.pid))

    def rss_mb(self) -> float:
        """Resident memory of the process and all its children."""
        return sum(_rss(pid) for pid in _tree(self.pid)) / 1e6


@contextmanager
def serving(
    *settings: str,
    profile: str = "scripted",
    log: Path | None = None,
    port: int = 0,
    wait: bool = True,
) -> Iterator[Serving]:
    """Start `ultraandchat serve` (on a free port for 0) and wait until it is ready, or (without
    `wait`) until it answers at all."""
    port = port or _free_port()
    command = [sys.executable, "-m", "ultraandchat", "serve", "--profile", profile]
    for setting in (f"server.port={port}", "logs.directory=", *settings):
        command += ["--set", setting]
    begun = time.perf_counter()
    with log.open("w") if log else Path(os.devnull).open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield Serving(process.pid, port, _wait(process, port, begun, ready=wait))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, begun: float, *, ready: bool) -> float:
    path = "ready" if ready else "health"
    while time.perf_counter() - begun < 60:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with (
            suppress(urllib.error.URLError, ConnectionError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=2) as answer,
        ):
            if answer.status == 200:
                return time.perf_counter() - begun
        time.sleep(0.02)
    raise RuntimeError("the server did not get ready within 60 s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    with suppress(FileNotFoundError):
        return [pid, *(c for child in children.read_text().split() for c in _tree(int(child)))]
    return []


def _cpu(pid: int) -> float:
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


def _rss(pid: int) -> float:
    with suppress(FileNotFoundError, ProcessLookupError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0.0


def machine() -> str:
    """What this was measured on, in a line."""
    info = Path("/proc/cpuinfo").read_text()
    model = next((r.split(":")[1].strip() for r in info.splitlines() if "model name" in r), "?")
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores of {model}, Python {sys.version.split()[0]}, load {load:.1f}"


def callers(url: str, conversations: int, seconds: float) -> dict[str, list[float] | float]:
    """Run `bench/callers.py` beside the server and take its figures."""
    command = [sys.executable, str(Path(__file__).parent / "callers.py"), "--url", url]
    command += ["--conversations", str(conversations), "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True)
    figures: dict[str, list[float] | float] = json.loads(done.stdout.splitlines()[-1])
    return figures
