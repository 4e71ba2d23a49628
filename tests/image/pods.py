"""A started server as a pod's container: process 1 of its namespace, asked over HTTP, talked to, stopped."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

ADDRESS = "93.184.215.14"
"""An address of the public internet; nothing is ever sent there."""

READY_S = 400.0
"""Installing is part of it where the start script installs, on a machine that has other things to do."""

ANSWER_S = 30.0
"""For one answer, on such a machine."""

STOP_S = 10.0
"""What `docker stop` waits before it kills; `server.stop_grace_s` and the end of HTTP fit in it."""

SAYS_TOKEN = re.compile(r"#token=(\S+)")


def pod_environment(port: int, tcp_port: int) -> dict[str, str]:
    """What Runpod sets in a pod with the ports `7860/http` and `70000/tcp`, secrets too."""
    return {
        "RUNPOD_POD_ID": "abc123xyz",
        "RUNPOD_PUBLIC_IP": ADDRESS,
        "RUNPOD_TCP_PORT_70000": str(tcp_port),
        "RUNPOD_DC_ID": "EU-RO-1",
        "RUNPOD_GPU_COUNT": "0",
        "RUNPOD_API_KEY": "key-that-nobody-may-see",
        "PUBLIC_KEY": "ssh-ed25519 key-that-nobody-may-see",
        "ULTRAANDCHAT_SERVER__PORT": str(port),
        # Ours: what is understood is not to depend on how busy the machine is.
        "ULTRAANDCHAT_ENGINES__SPHINX__DEADLINE_MS": "20000",
    }


@dataclass
class Started:
    """A container's process, seen from outside."""

    outer: subprocess.Popen[bytes]
    said: IO[bytes]
    port: int
    tcp_port: int

    def output(self) -> str:
        """What the pod's log would show so far."""
        self.said.seek(0)
        return self.said.read().decode(errors="replace")

    def token(self) -> str:
        """From the line that tells the operator which URL to open."""
        found = SAYS_TOKEN.search(self.output())
        assert found, self.output()
        return found[1]

    def ask(self, path: str, token: str = "") -> tuple[int, bytes]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def asked(self, path: str, token: str = "") -> Any:
        status, body = self.ask(path, token)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def wait_ready(self) -> float:
        """Seconds from now until it would let a caller in."""
        begun = time.monotonic()
        while (waited := time.monotonic() - begun) < READY_S:
            assert self.outer.poll() is None, self.output()
            try:
                if self.ask("/ready")[0] == 200:
                    return waited
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"not ready after {READY_S:.0f} s:\n{self.output()}")

    def process(self) -> Path:
        """Process 1 of the container, in this machine's /proc."""
        found = process_in(self.outer)
        assert found, "the container has no process"
        return found

    def users(self) -> set[int]:
        """Who its processes run as: process 1 and all that came of it."""
        return set(users_in((self.process() / "ns/pid").readlink()))

    def stop(self) -> float:
        """SIGTERM to process 1, as docker does; the seconds until everything is gone."""
        begun = time.monotonic()
        os.kill(int(self.process().name), signal.SIGTERM)
        self.outer.wait(STOP_S)
        return time.monotonic() - begun

    def talk(self, wav: Path, token: str) -> str:
        """A wav file as the caller, from outside; what was said."""
        url = f"http://127.0.0.1:{self.port}/#token={token}"
        done = subprocess.run(
            [sys.executable, "-m", "ultraandchat", "converse", wav, "--url", url],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def started(command: Sequence[str], port: int, tcp_port: int = 0) -> Iterator[Started]:
    """The container, until the block ends; then it is killed if it still runs."""
    with (
        TemporaryFile() as said,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        ) as outer,
    ):
        try:
            yield Started(outer, said, port, tcp_port)
        finally:
            end(outer)


def end(outer: subprocess.Popen[bytes]) -> None:
    """Kill `unshare` and all that is in its namespace. Its --kill-child does not do: who became another user in
    there is not told of the end of its parent any more (prctl(2), PR_SET_PDEATHSIG)."""
    inside = process_in(outer) if outer.poll() is None else None
    outer.kill()
    if inside:
        with suppress(ProcessLookupError):  # told all the same
            os.kill(int(inside.name), signal.SIGKILL)


def users_in(namespace: Path) -> list[int]:
    """Who each process of this namespace (the link at `ns/pid` of one of them) runs as."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if (path / "ns/pid").readlink() == namespace:
                found.append(path.stat().st_uid)
    return found


def process_in(outer: subprocess.Popen[bytes]) -> Path | None:
    """The only child of this one, in /proc: process 1 of its namespace. None: it has ended."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if int((path / "stat").read_text().rpartition(")")[2].split()[1]) == outer.pid:
                return path
    return None
