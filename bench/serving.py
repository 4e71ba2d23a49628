"""A server in a process of its own, for benchmarks: started, waited for, measured, stopped."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

TICKS = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1
PORTS = 12_000
"""So many to choose from: two that look for one at the same time do not find the same."""


@dataclass(frozen=True)
class Serving:
    """A running server."""

    pid: int
    port: int
    ready_s: float
    """From the start of the process to the first 200 of `/ready`."""
    host: str = "127.0.0.1"
    """As in an address: IPv6 in brackets."""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def cpu_s(self) -> float:
        """User and system seconds of the process and all its children so far."""
        return sum(_cpu(pid) for pid in _tree(self.pid))

    def rss_mb(self) -> float:
        """Resident memory of the process and all its children."""
        return sum(_rss(pid) for pid in _tree(self.pid)) / 1e6

    def peak_mb(self) -> float:
        """The most that it was since the start, or since `forget_peak`."""
        return sum(_status(pid, "VmHWM") for pid in _tree(self.pid)) * 1024 / 1e6

    def forget_peak(self) -> None:
        """Starting needs memory for a moment that no conversation does."""
        for pid in _tree(self.pid):
            with suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")

    def threads(self) -> int:
        return sum(_status(pid, "Threads") for pid in _tree(self.pid))

    def files(self) -> int:
        """Open files and sockets."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in _tree(self.pid))

    def metrics(self) -> dict[str, float]:
        """`/metrics`, by name and labels as they stand there."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}


@contextmanager
def serving(
    *settings: str,
    profile: str = "scripted",
    log: Path | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
    wait: bool = True,
    core: int | None = None,
) -> Iterator[Serving]:
    """Start `ultraandchat serve` (on a free port for 0, pinned to `core` where one is given) and wait
    until it is ready, or (without `wait`) until it answers at all."""
    port = port or free_port()
    command = [sys.executable, "-m", "ultraandchat", "serve", "--profile", profile]
    for setting in (f"server.port={port}", "logs.directory=", *settings):
        command += ["--set", setting]
    with running(command, port, host=host, log=log, wait=wait, core=core) as server:
        yield server


@contextmanager
def running(
    command: list[str],
    port: int,
    *,
    host: str = "127.0.0.1",
    log: Path | None = None,
    wait: bool = True,
    core: int | None = None,
) -> Iterator[Serving]:
    """Any server that answers `/ready` (or `/health`, without `wait`) at that port."""
    begun = time.perf_counter()
    with log.open("w") if log else Path(os.devnull).open("w") as out:
        process = subprocess.Popen(
            [*with_us(), *on_core(core), *command], stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield Serving(process.pid, port, _wait(process, f"{host}:{port}", begun, wait), host)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], at: str, begun: float, ready: bool) -> float:
    path = "ready" if ready else "health"
    while time.perf_counter() - begun < 60:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with (
            suppress(OSError),  # nobody there yet, or too busy with its start to answer in time
            urllib.request.urlopen(f"http://{at}/{path}", timeout=2) as answer,
        ):
            if answer.status == 200:
                return time.perf_counter() - begun
        time.sleep(0.02)
    raise RuntimeError("the server did not get ready within 60 s")


def free_port() -> int:
    """One that nobody listens on, below those that the kernel gives to whoever connects somewhere: of these
    any may be taken before a server listens on it, or while it is started anew."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    below = range(max(first - PORTS, 1024), first) or range(PORTS, 2 * PORTS)
    while True:
        with socket.socket() as probe, suppress(OSError):
            port = random.choice(below)
            probe.bind(("127.0.0.1", port))
            return port


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


def with_us() -> list[str]:
    """What stands in front of a command that is to end when we do, killed or not (util-linux)."""
    return ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []


class Crowd:
    """How many want each core while this is entered. On a machine that others use, too, all that is timed takes
    so many times as long."""

    EVERY_S = 0.05
    SPAN = 200
    """Looks: ten seconds, in which what is timed is no crowd by itself."""

    def __init__(self) -> None:
        self._looks: list[int] = []
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Crowd":
        self._looking.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._looking.join()

    def __call__(self) -> float:
        """In the most crowded seconds so far, or over the last minute; at least 1."""
        looks = self._looks[:] or [0]
        length = min(len(looks), self.SPAN)
        starts = range(len(looks) - length + 1)
        most = max(sum(looks[at : at + length]) for at in starts) / length
        return max(most / CORES, os.getloadavg()[0] / CORES, 1.0)

    def usual(self) -> float:
        """Most of the time so far; at least 1."""
        return max(median(self._looks or [0]) / CORES, 1.0)

    def _look(self) -> None:
        while not self._over.wait(self.EVERY_S):
            for line in Path("/proc/stat").read_text().splitlines():
                name, _, count = line.partition(" ")
                if name == "procs_running":
                    self._looks.append(int(count))


def on_core(core: int | None) -> list[str]:
    """What stands in front of a command that is to run on one core only (util-linux)."""
    return [] if core is None else ["taskset", "-c", str(core)]


def core_s(core: int) -> float:
    """Seconds in which that core was not idle, whoever used it."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            return (sum(map(int, ticks[:8])) - int(ticks[3]) - int(ticks[4])) / TICKS
    return 0.0


def _status(pid: int, name: str) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0
