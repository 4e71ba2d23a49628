"""The same in Debian's Firefox, whose WebCodecs are its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.ear import Heard, voice
from bench.serving import Serving
from bench.visiting import PATIENCE_MS, microphone
from tests.network.firefox import firefox

pytestmark = pytest.mark.browser

REPLY_S = 3.0
STOOD_STILL_S = 0.3
"""A page that noted nothing for so long cannot tell what was heard: on a busy machine another reply is waited for."""
SAID = "#captions li[data-who=user][data-final=true]"
CODECS = """() => {
  const codecs = (window.codecs = { up: [], down: [] });
  const note = (into, data) => data instanceof ArrayBuffer && into.push(new Uint8Array(data)[1]);
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    note(codecs.up, data);
    return send.call(this, data);
  };
  const slot = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
  Object.defineProperty(WebSocket.prototype, "onmessage", {
    ...slot,
    set(take) {
      slot.set.call(this, (event) => {
        note(codecs.down, event.data);
        take.call(this, event);
      });
    },
  });
}"""
"""Of the binary frames on the page's WebSockets."""


def test_firefox_speaks_and_hears_opus(start: Callable[..., Serving], tmp_path: Path) -> None:
    """In a thread of its own: Playwright, whose tests stand around this one, has a loop in this one."""
    server = start(*voice(REPLY_S))
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, speaks_and_hears(server, tmp_path)).result()


async def speaks_and_hears(server: Serving, tmp_path: Path) -> None:
    # Over and over: on a busy machine the page may not listen yet when she speaks first.
    sound = microphone(tmp_path / "voice.wav", 4.0, *["lj001_0008", 12.0] * 4)
    async with firefox(tmp_path, sound, CODECS) as window:
        await window.open(f"http://localhost:{server.port}/?transport=websocket")
        await window.until("document.querySelector('#start:enabled') !== null")
        await window.evaluate("document.getElementById('start').click()")
        await window.until("document.querySelector('#path[data-codec=opus]') !== null")
        await window.until(f"document.querySelector({SAID!r}) !== null")
        for _ in range(4):
            async with asyncio.timeout(PATIENCE_MS / 1000):
                while not (heard := Heard.of(await window.evaluate("window.ear"))).over(REPLY_S):
                    await asyncio.sleep(0.1)
            if heard.stood_still_s() < STOOD_STILL_S:
                break
            await window.evaluate("window.ear.notes.length = 0")
        codecs = await window.evaluate("window.codecs")
        assert set(codecs["up"][25:]) == set(codecs["down"]) == {3}
        assert heard.lost_s() < 0.5  # what a busy machine leaves out; the rest is in test_opus.py
        assert heard.repeated_s() < 0.15
