"""A real TURN server (Debian's coturn), on the loopback."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.serving import free_port


@contextmanager
def coturn(folder: Path, secret: str) -> Iterator[int]:
    """A TURN server on the loopback that makes its accounts from this secret; its port."""
    port = free_port()
    command = [
        *("turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "--allow-loopback-peers"),
        *("--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}"),
        *("--realm=test", "--use-auth-secret", f"--static-auth-secret={secret}"),
        *(f"--pidfile={folder / 'pid'}", f"--userdb={folder / 'db'}", "--log-file=stdout"),
    ]
    with (folder / "coturn.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            _answering(process, port)
            yield port
        finally:
            process.kill()
            process.wait()


def _answering(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until it takes TCP connections."""
    while process.poll() is None:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError(f"turnserver ended with {process.returncode}")
