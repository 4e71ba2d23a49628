"""Debian's Firefox at the client's end, driven by WebDriver BiDi: Playwright drives only its own.

BiDi is JSON over a WebSocket that Firefox opens itself, so aiohttp is all that is needed.
"""

import asyncio
import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bench.ear import EAR
from bench.network import FRONT, FRONT6
from bench.serving import with_us
from bench.visiting import PATIENCE_MS

PATIENCE_S = PATIENCE_MS / 1000

PREFERENCES = {
    # The page is neither https nor localhost; these make it as secure as if it were.
    "dom.securecontext.allowlist": f"{FRONT},[{FRONT6}]",
    "media.devices.insecure.enabled": True,
    "media.getusermedia.insecure.enabled": True,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    # Sound runs, although nothing here plays it.
    "media.cubeb.force_mock_context": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    # Nothing else on the network.
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}

MICROPHONE = """() => {
  // Firefox's fake microphone is an endless tone; this one is a wav file, heard once from when it is opened.
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext();
    const bytes = Uint8Array.from(atob("WAV"), (letter) => letter.charCodeAt(0));
    const source = new AudioBufferSourceNode(context, { buffer: await context.decodeAudioData(bytes.buffer) });
    const out = context.createMediaStreamDestination();
    source.connect(out);
    source.start();
    return out.stream;
  };
}"""


class Firefox:
    """One window."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._id = 0
        self._context = ""

    async def begin(self, *scripts: str) -> None:
        """Take over its one window; run these functions before any script of a page."""
        await self._ask("session.new", capabilities={})
        tree = await self._ask("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]
        for script in scripts:
            await self._ask("script.addPreloadScript", functionDeclaration=script)

    async def open(self, url: str) -> None:
        await self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """What it is in the page, by way of JSON; as if the user had just touched the page."""
        found = await self._ask(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then(JSON.stringify)",
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        assert found["type"] == "success", found
        return json.loads(found["result"].get("value", "null"))

    async def until(self, expression: str) -> Any:
        """Wait until it is true in the page."""
        async with asyncio.timeout(PATIENCE_S):
            while not (value := await self.evaluate(expression)):
                await asyncio.sleep(0.1)
        return value

    async def _ask(self, method: str, **parameters: Any) -> Any:
        self._id += 1
        await self._socket.send_json({"id": self._id, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE_S):
            while (answer := await self._socket.receive_json()).get("id") != self._id:
                pass  # an event
        assert answer["type"] == "success", answer
        return answer["result"]


@asynccontextmanager
async def firefox(folder: Path, sound: Path, *scripts: str) -> AsyncIterator[Firefox]:
    """A Firefox where this thread is, whose microphone hears that wav; `scripts` run before a page's."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    assert program, "no Firefox here: apt install firefox-esr"
    profile = folder / "profile"
    profile.mkdir()
    lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in PREFERENCES.items())
    (profile / "user.js").write_text("".join(lines))
    wav = base64.b64encode(sound.read_bytes()).decode()
    process = subprocess.Popen(
        [
            *with_us(),
            program,
            "--headless",
            "--no-remote",
            "--profile",
            profile,
            "--remote-debugging-port",
            "0",
        ],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "firefox.log").open("w"),
        env=os.environ | {"HOME": str(folder)},  # as root it refuses another's
    )
    try:
        address = await _address(folder / "firefox.log", process)
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{address}/session", max_msg_size=0) as socket,
        ):
            window = Firefox(socket)
            await window.begin(EAR, MICROPHONE.replace("WAV", wav), *scripts)
            yield window
    finally:
        process.terminate()
        process.wait(10)


async def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Where it listens: it says so in its log."""
    async with asyncio.timeout(PATIENCE_S):
        while process.poll() is None:
            if said := re.search(r"WebDriver BiDi listening on (ws://\S+)", log.read_text()):
                return said[1]
            await asyncio.sleep(0.05)
    raise AssertionError(f"Firefox ended with {process.returncode}: {log.read_text()[-500:]}")
