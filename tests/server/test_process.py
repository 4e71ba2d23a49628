"""The server as a process: signals, exit codes, and what it prints."""

import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from bench.serving import free_port
from tests.support.serving import PATIENCE_S
from ultraandchat.server.process import EXIT_CONFIG, EXIT_ENGINE

PROGRAM = """
import sys
from tests.support.serving import quiet_config, scripted_engines
from ultraandchat.server import app, process
from ultraandchat.engines.base import EngineUnavailable
if "--broken" in sys.argv:
    sys.argv.remove("--broken")
    def opened(config):
        raise EngineUnavailable("flite", "it is not installed", "Run apt install flite")
else:
    opened = scripted_engines
defaults = app.Server.__init__.__kwdefaults__
defaults["open_engines"] = opened
raise SystemExit(process.run(quiet_config(*sys.argv[1:])))
"""


def started(*arguments: str) -> "subprocess.Popen[str]":
    """A server in a process of its own, engines scripted."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_with_0(number: signal.Signals) -> None:
    with started() as server:
        assert server.stdout is not None
        for line in server.stdout:
            if line.startswith("Ready"):
                break
        server.send_signal(number)
        _, errors = server.communicate(timeout=PATIENCE_S)
        assert (server.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["server.host=203.0.113.77"], EXIT_CONFIG, "server.host: cannot listen"),
        (["--broken"], EXIT_ENGINE, "flite: it is not installed. Run apt install flite"),
    ],
)
def test_what_cannot_start_ends_with_one_line(arguments: list[str], code: int, said: str) -> None:
    with started(*arguments) as server:
        _, errors = server.communicate(timeout=PATIENCE_S)
        assert server.returncode == code
        assert errors.startswith(said)
        assert errors.count("\n") == 1


def test_what_it_prints_is_plain_text_where_nobody_sits_at_a_terminal() -> None:
    with started("server.host=0.0.0.0", "webrtc.tcp=off") as server:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            if line.startswith("Ready"):
                break
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate(timeout=PATIENCE_S)
    assert "\x1b" not in said
    assert "http://localhost:" in said
    (token,) = {part.split()[0] for part in said.split("#token=")[1:]}
    assert token not in errors
    assert "no ICE-TCP: webrtc.tcp is off" in said
    assert said.splitlines()[-2] == "The models are loading."


def test_at_a_terminal_a_pods_address_can_be_scanned() -> None:
    terminal, slave = pty.openpty()
    pod = {"RUNPOD_POD_ID": "abc123", "TERM": "xterm", "COLUMNS": "80"}
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "server.host=0.0.0.0", f"server.port={port}"],
        stdout=slave,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **pod},
    ) as server:
        os.close(slave)
        shown = b""
        with suppress(OSError):  # EIO: the other end is closed
            while b"Ready" not in shown:
                shown += os.read(terminal, 65_536)
        server.send_signal(signal.SIGTERM)
        with suppress(OSError):
            while os.read(terminal, 65_536):
                pass
        server.wait(timeout=PATIENCE_S)
    os.close(terminal)
    text = shown.decode()
    assert f"https://abc123-{port}.proxy.runpod.net/#token=" in text
    assert "█▀▀▀▀▀█" in text  # a finder pattern
    assert text.index("#token=") < text.index("█") < text.index("Ways for sound:")
