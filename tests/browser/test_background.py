"""A tab behind another goes on talking, though browsers slow its timers down and draw nothing of it.

Playwright makes every tab believe that it is in front; so Chromium is asked over its own protocol here.
"""

import asyncio
import json
import os
import subprocess
import wave
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bench.serving import Serving
from tests.browser.conftest import PATIENCE_MS, RATE, SWITCHES, chromium, say

pytestmark = pytest.mark.browser

THROTTLED = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1"
"""Timers of a tab that is hidden, silent and without WebRTC run once a minute after 5 min; here after 1 s."""


class Tab:
    """One of Chromium's tabs."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = count(1)

    async def value(self, expression: str) -> Any:
        """Of this expression in the page."""
        asked = next(self._ids)
        parameters = {"expression": expression, "userGesture": True, "returnByValue": True}
        await self._socket.send_json(
            {"id": asked, "method": "Runtime.evaluate", "params": parameters}
        )
        while (answer := await self._socket.receive_json()).get("id") != asked:
            pass
        return answer["result"]["result"].get("value")

    async def until(self, expression: str) -> None:
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not await self.value(expression):
                await asyncio.sleep(0.1)


class Chromium:
    """Running, and asked over its own protocol."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    @asynccontextmanager
    async def tab(self, url: str) -> AsyncIterator[Tab]:
        """A new one, in front of the others."""
        async with self._session.put(f"{self._address}/json/new?{url}") as answer:
            told = await answer.json(content_type=None)
        async with self._session.ws_connect(told["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            yield Tab(socket)


@asynccontextmanager
async def running(folder: Path, sound: Path) -> AsyncIterator[Chromium]:
    switches = [*SWITCHES, "--headless=new", "--use-fake-ui-for-media-stream", THROTTLED]
    switches += [f"--use-file-for-fake-audio-capture={sound}", "--remote-debugging-port=0"]
    switches += [f"--user-data-dir={folder}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    process = subprocess.Popen([chromium(), *switches, "about:blank"], stderr=subprocess.DEVNULL)
    try:
        port = folder / "DevToolsActivePort"
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not port.exists() or not port.read_text():
                await asyncio.sleep(0.05)
        async with aiohttp.ClientSession() as session:
            yield Chromium(session, f"http://127.0.0.1:{port.read_text().split()[0]}")
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
def test_a_tab_behind_another_goes_on_talking(
    transport: str, start: Callable[..., Serving], tmp_path: Path
) -> None:
    port = start("session.greeting=").port
    sound = tmp_path / "microphone.wav"
    with wave.open(str(sound), "wb") as wav:  # played over and over
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(say(1.0, "goforward", 3.0).tobytes())
    url = f"http://localhost:{port}/?transport={transport}"
    story = talks_behind(url, transport, tmp_path / "profile", sound)
    with ThreadPoolExecutor(
        1
    ) as pool:  # in this thread Playwright of other tests has a loop of its own
        pool.submit(asyncio.run, story).result()


async def talks_behind(url: str, transport: str, profile: Path, sound: Path) -> None:
    turns = "document.querySelectorAll('#captions li[data-who=agent]').length"
    async with running(profile, sound) as browser, browser.tab(url) as page:
        await page.until("document.getElementById('start')?.disabled === false")
        await page.value("document.getElementById('start').click()")
        await page.until(f"document.documentElement.dataset.path === {json.dumps(transport)}")
        await page.until(f"{turns} > 0")
        async with browser.tab("about:blank"):
            await page.until("document.visibilityState === 'hidden'")
            before = await page.value(turns)
            heard = "Number(document.getElementById('presence').dataset.speakerDbfs) > -40"
            for more in (1, 2, 3):
                await page.until(heard)
                await page.until(f"{turns} >= {before + more}")
            assert await page.value("document.visibilityState") == "hidden"
        told = await page.value("document.getElementById('sentence').textContent")
        assert await page.value("document.documentElement.dataset.phase") == "talking", told
