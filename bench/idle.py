"""What callers cost who do not talk: CPU of the server with nobody, with four silent callers, with
four whose microphones send silence, and of the WebSocket path alone (sound both ways, no session).

    python -m bench.idle [--seconds 20] [--callers 4]

Callers run in a process of their own.
"""

import argparse
import asyncio
import multiprocessing
import signal
import sys
from collections.abc import Callable
from typing import Any

import aiohttp
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.serving import Serving, serving
from ultraandchat.audio.frame import AudioFrame
from ultraandchat.config import Config
from ultraandchat.engines.base import Engines
from ultraandchat.events import SessionEvent
from ultraandchat.playout.ticker import Ticker
from ultraandchat.server.app import Server
from ultraandchat.transport.base import CloseReason, Transport
from ultraandchat.transport.wire import HEADER, Hello

FRAME = b"\0" * 640


class PathOnly:
    """In place of a session: takes what comes, and sends a frame of a tone at every tick."""

    def __init__(
        self,
        engines: Engines,
        ticker: Ticker,
        *,
        observe: Callable[[SessionEvent], None],
        **settings: Any,
    ) -> None:
        self._ticker = ticker
        self._transport: Transport | None = None
        self.left_at: float | None = None

    def attach(self, transport: Transport, hello: Hello) -> asyncio.Future[CloseReason]:
        self._transport = transport
        return asyncio.get_running_loop().create_future()

    def stop(self, reason: CloseReason) -> None:
        """The benchmark ends the process."""

    async def run(self) -> CloseReason:
        assert self._transport is not None
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(self._play(self._transport))
            async for _ in self._transport.received():
                pass
            playing.cancel()
        return CloseReason.PEER_LEFT

    async def _play(self, transport: Transport) -> None:
        tone = np.sin(np.arange(960) * 0.0576).astype(np.float32)
        position = 0
        while True:
            await self._ticker.tick()
            transport.play(AudioFrame(tone, 48_000, position))
            position += 960


def serve_path_only(port: int) -> None:
    """A server whose sessions are `PathOnly`, until SIGTERM."""

    async def run() -> None:
        settings = (f"server.port={port}", "logs.directory=", "logs.level=warning")
        config = Config.load(environ={}, overrides=[*settings, "engines.profile=scripted"])
        server = Server(config, make_session=PathOnly)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
        await server.run()

    asyncio.run(run())


async def call(url: str, seconds: float, sending: bool) -> None:
    """One caller who says hello, and sends frames of silence where `sending`."""
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/ws") as line:
        await line.send_str('{"type":"hello"}')
        end = due = loop.time()
        end += seconds
        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(_hear(line))
            position = 0
            while (due := due + 0.02) < end:
                await asyncio.sleep(due - loop.time())
                if sending:
                    await line.send_bytes(HEADER.pack(1, 1, 0, position) + FRAME)
                    position += 320
            hearing.cancel()


async def _hear(line: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in line:
        pass


def callers(url: str, count: int, seconds: float, sending: bool) -> None:
    """The callers' process."""

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(call(url, seconds, sending))

    asyncio.run(all_of_them())


async def measured(server: Serving, count: int, seconds: float, sending: bool) -> float:
    """CPU of the server while `count` callers are there, in percent of one core."""
    context = multiprocessing.get_context("spawn")
    whole = seconds + 5.0
    calling = context.Process(target=callers, args=(server.url, count, whole, sending))
    calling.start()
    await asyncio.sleep(3.0)  # they have connected, and the greeting is over
    before = server.cpu_s()
    await asyncio.sleep(seconds)
    used = server.cpu_s() - before
    calling.join(30)
    return 100 * used / seconds


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=20.0)
    arguments.add_argument("--callers", type=int, default=4)
    given = arguments.parse_args()
    table = Table("server", "callers", "they send", "CPU, % of a core", "per caller")

    def row(what: str, server: Serving, count: int, sending: bool) -> None:
        used = asyncio.run(measured(server, count, given.seconds, sending))
        each = f"{used / count:.2f}" if count else ""
        table.add_row(what, str(count), "silence" if sending else "-", f"{used:.2f}", each)

    with serving("session.greeting=") as server:
        row("whole", server, 0, False)
        row("whole", server, given.callers, False)
        row("whole", server, given.callers, True)
    context = multiprocessing.get_context("spawn")
    alone = context.Process(target=serve_path_only, args=(7_899,))
    alone.start()
    try:
        assert alone.pid is not None
        asyncio.run(asyncio.sleep(5.0))  # scripted engines are ready at once
        row("path only", Serving(alone.pid, 7_899, 0.0), given.callers, True)
    finally:
        alone.terminate()
        alone.join(10)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
