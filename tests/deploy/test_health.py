"""`deploy/health.py`, the image's health check, against a server that answers in every way."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bench.serving import free_port

HEALTH = Path(__file__).parents[2] / "deploy/health.py"


class Answers(BaseHTTPRequestHandler):
    """`/health` as the test wants it."""

    status = 200
    body = b""

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/health" else 404)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *about: object) -> None:
        """Nothing: the test's output is the test's."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def check(port: int) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, HEALTH],
        env={**os.environ, "ULTRAANDCHAT_SERVER__PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.strip() + done.stderr.strip()


@pytest.mark.parametrize(
    ("status", "well"), [("healthy", 0), ("loading", 0), ("degraded", 0), ("stopping", 1)]
)
def test_a_server_that_answers_is_well_until_it_stops(
    port: int, status: str, well: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answers, "body", json.dumps({"status": status}).encode())
    assert check(port) == (well, status)


def test_an_answer_that_is_no_health_is_one_line_and_unwell(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answers, "body", b"<html>")
    status, said = check(port)
    assert status == 1
    assert said.startswith(f"no answer on port {port}:")
    assert "\n" not in said


def test_nobody_there_is_unwell() -> None:
    assert check(free_port())[0] == 1
