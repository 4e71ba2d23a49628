"""`ultraandchat check`: what would run here, what is missing, and the one command that mends it."""

import argparse
import errno
import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from importlib import resources
from pathlib import Path

from ultraandchat import __version__
from ultraandchat.commands.check_chatterbox import chatterbox_rows
from ultraandchat.commands.check_ultravox import ultravox_rows
from ultraandchat.commands.report import Row, console, print_remedies, print_rows
from ultraandchat.commands.where import ladder_rows
from ultraandchat.config import Config, ConfigError
from ultraandchat.engines.open import survey
from ultraandchat.engines.profile import settle
from ultraandchat.server.addresses import is_loopback
from ultraandchat.server.gpu import Gpu
from ultraandchat.server.tls import opened
from ultraandchat.transport.rtp.opus import OpusUnavailable, find_opus

PAGE_FILES = ("index.html", "main.js", "style.css", "worklet/capture.js", "worklet/playback.js")
"""Without these there is nothing to open."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""What the tests of the page can drive."""

OPUS_REMEDY = "apt install libopus0, or pip install --force-reinstall --only-binary av av"
"""PyAV's wheel brings libopus; a PyAV built here, or a distribution's, may not."""


def run(config: Config, options: argparse.Namespace) -> int:
    """Print the table; 0 when this configuration can start."""
    if (asked := getattr(options, "network", None)) is not None:
        from ultraandchat.commands import network

        return network.run(config, asked, options.fingerprint)
    settled = settle(config.engines)
    config = replace(config, engines=settled.engines)
    rows = list(_rows(config, settled.why))
    can_start = all(row.ok is not False for row in rows)
    out = console()
    print_rows(out, rows)
    print_remedies(out, "Missing", [row for row in rows if row.ok is False])
    print_remedies(out, "Could be better", [row for row in rows if row.ok is not False])
    profile = config.engines.profile
    out.print(
        f"\nThe {profile} profile can start: ultraandchat serve --profile {profile}"
        if can_start
        else f"\nThe {profile} profile cannot start yet; mend what is missing.",
    )
    return 0 if can_start else 1


def _rows(config: Config, why_profile: str) -> Iterable[Row]:
    yield Row("UltraAndChat", True, f"{__version__}, {Path(__file__).parents[1]}")
    yield _python()
    if why_profile:
        yield Row("profile", True, f"{config.engines.profile}. {why_profile}")
    for finding in survey(config.engines):
        yield Row(finding.name, finding.ok, finding.detail, finding.remedy)
        if finding.name == "language: ultravox":
            yield from ultravox_rows(config.engines)
        if finding.name == "speech: chatterbox":
            yield from chatterbox_rows(config.engines)
    yield _opus(config.webrtc.enabled)
    yield from ladder_rows(config)
    yield _port(config.server.host, config.server.port)
    yield _access(config)
    yield _tls(config)
    yield _logs(config.logs.directory)
    yield _page()
    yield _gpu()
    yield _browser()


def _python() -> Row:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    detail = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    return Row("Python", fits, detail, "" if fits else "Install Python 3.11, 3.12 or 3.13.")


def _opus(needed: bool) -> Row:
    if not needed:
        return Row("Opus", None, "not needed: webrtc.enabled is off")
    try:
        opus = find_opus()
    except OpusUnavailable as error:
        return Row("Opus", False, str(error), OPUS_REMEDY)
    if opus.conceals and opus.recovers:
        return Row("Opus", True, opus.name)
    detail = f"{opus.name}; packet loss will be heard as gaps"
    return Row("Opus", True, detail, f"To conceal lost packets: {OPUS_REMEDY}")


def _port(host: str, port: int) -> Row:
    name = f"port {port} on {host}"
    if port == 0:
        return Row(name, True, "a free one is taken")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return Row(name, False, "another program has it", f"--set server.port={port + 1}")
        return Row(name, False, error.strerror or str(error), "--set server.host=127.0.0.1")
    return Row(name, True, "free")


def _access(config: Config) -> Row:
    if config.access.token:
        return Row("access", True, "whoever has the token of access.token")
    if is_loopback(config.server.host):
        return Row("access", True, "this machine alone, without a token")
    return Row("access", True, "whoever has the token that each start makes and prints")


def _tls(config: Config) -> Row:
    if config.tls.self_signed:
        return Row("TLS", True, "a certificate of its own; browsers warn once")
    if not config.tls.on:
        return Row("TLS", None, "off: tls.certificate and tls.key, or --tls self-signed")
    try:
        opened(config.tls, config.server.host, os.environ)
    except ConfigError as error:
        setting, _, why = str(error).partition(": ")
        return Row("TLS", False, why, f"Set {setting} to a file that the server can use.")
    return Row("TLS", True, config.tls.certificate)


def _logs(directory: str) -> Row:
    if not directory:
        return Row("logs", True, "console only")
    try:
        folder = Path(directory).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = f"{directory}: {error.strerror}"
        return Row("logs", False, why, "--set logs.directory=FOLDER (empty: console only)")
    return Row("logs", True, directory)


def _page() -> Row:
    web = resources.files("ultraandchat") / "web"
    absent = [name for name in PAGE_FILES if not web.joinpath(name).is_file()]
    if absent:
        return Row("page", False, f"{', '.join(absent)} not found", "Install UltraAndChat again.")
    return Row("page", True, "complete")


def _gpu() -> Row:
    gpu = Gpu.found()
    if gpu.memory_total is None:
        return Row("GPU", None, "none found")
    return Row("GPU", True, f"{gpu.name}, {gpu.memory_total / 2**30:.0f} GiB")


def _browser() -> Row:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found:
        return Row("Chromium, for tests", True, found)
    return Row("Chromium, for tests", None, "not found", "apt install chromium")
