"""The snippets of docs/deploy/turn-and-tls.md, in the programs they are for, in front of a real server."""

import asyncio
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
import pytest

from bench.serving import free_port
from tests.image import pods, roots

pytestmark = pytest.mark.timeout(600)

DOCUMENT = (roots.ROOT / "docs/deploy/turn-and-tls.md").read_text(encoding="utf-8")
TOKEN = "a-token-of-twenty-letters"
PATIENCE_S = 120.0
"""For a server and a proxy to be there, on a machine that has other things to do."""
CALLER = "127.0.0.77"
"""Where the caller dials from; the proxy dials from 127.0.0.1."""


def snippet(language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, language
    return str(found[0])


@pytest.fixture(scope="module")
def machine() -> Iterator[Path]:
    """A Debian with both proxies and a certificate."""
    with roots.folder() as folder:
        root = roots.copy(roots.base(), folder / "machine")
        install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light caddy openssl"
        environ = {**roots.registries(), "DEBIAN_FRONTEND": "noninteractive"}
        roots.run(root, ["/bin/sh", "-c", install], environ)
        make = (
            "mkdir -p $1 && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        )
        folder_of_keys = "/etc/letsencrypt/live/talk.example.org"
        make += " -keyout $1/privkey.pem -out $1/fullchain.pem"
        roots.run(root, ["/bin/sh", "-c", make, "sh", folder_of_keys], {})
        yield root


@contextmanager
def running(command: list[str], log: Path) -> Iterator[None]:
    with log.open("w") as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
        try:
            yield
        finally:
            pods.end(process)


@contextmanager
def behind(machine: Path, proxy: str, port: int, folder: Path) -> Iterator[Path]:
    """A server, and that proxy in front of it at `port`; the server's log."""
    inner = free_port()
    serve = [
        sys.executable,
        "-m",
        "ultraandchat",
        "serve",
        "--profile",
        "scripted",
        "--port",
        str(inner),
    ]
    settings = (
        f"access.token={TOKEN}",
        "server.trusted_proxies=127.0.0.1/32",
        "webrtc.enabled=false",
    )
    for setting in (*settings, f"logs.directory={folder / 'logs'}"):
        serve += ["--set", setting]
    text = snippet(proxy).replace("127.0.0.1:7860", f"127.0.0.1:{inner}")
    if proxy == "nginx":
        text = text.replace("listen 443 ssl", f"listen {port} ssl")
        text = f"daemon off; error_log stderr; events {{}} http {{ access_log off; {text} }}"
        command = ["/usr/sbin/nginx", "-c", "/etc/nginx/tried.conf"]
    else:
        text = text.replace("talk.example.org {", f"https://localhost:{port} {{\n    tls internal")
        text = (
            "{\n    admin off\n    auto_https disable_redirects\n    skip_install_trust\n}\n" + text
        )
        command = [
            "/usr/bin/caddy",
            "run",
            "--adapter",
            "caddyfile",
            "--config",
            "/etc/nginx/tried.conf",
        ]
    (machine / "etc/nginx/tried.conf").write_text(text)
    with ExitStack() as stack:
        stack.enter_context(running(serve, folder / "server.txt"))
        environ = {"HOME": "/root"}
        stack.enter_context(
            running(roots.entering(machine, command, environ), folder / "proxy.txt")
        )
        yield folder


@pytest.mark.parametrize("proxy", ["nginx", "caddy"])
async def test_a_page_behind_the_proxy_gets_in_and_talks(
    machine: Path, proxy: str, tmp_path: Path
) -> None:
    port = free_port()
    with behind(machine, proxy, port, tmp_path):
        origin = f"https://localhost:{port}"
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        connector = aiohttp.TCPConnector(ssl=trusting, local_addr=(CALLER, 0))
        async with aiohttp.ClientSession(connector=connector, headers={"Origin": origin}) as page:
            await _until_ready(page, origin)
            async with page.get(f"{origin}/config.json") as answer:
                assert answer.status == 401
            async with page.post(f"{origin}/access", json={"token": TOKEN}) as answer:
                assert answer.status in (200, 204), await answer.text()
                assert "Secure" in answer.headers["Set-Cookie"]
            async with page.post(f"{origin}/ticket") as answer:
                ticket = (await answer.json())["ticket"]
            async with page.ws_connect(f"{origin}/ws?ticket={ticket}") as socket:
                await socket.send_json({"type": "hello", "protocol": 2})
                async with asyncio.timeout(PATIENCE_S):
                    welcome = await socket.receive_json()
                assert welcome["type"] == "welcome"
        await _until_logged(CALLER, tmp_path / "logs")


async def _until_logged(text: str, folder: Path) -> None:
    """A thread of the server's writes it, so before the server is killed."""
    deadline = time.monotonic() + PATIENCE_S
    while text not in (log := "".join(file.read_text() for file in folder.glob("*.log"))):
        assert time.monotonic() < deadline, log
        await asyncio.sleep(0.1)


async def _until_ready(page: aiohttp.ClientSession, origin: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            async with page.get(f"{origin}/ready") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
