"""The callers' process: N conversations with one server, paced by one clock, and what they measured.

    python -m bench.callers --url ws://127.0.0.1:7860/ws --path webrtc --conversations 8

Prints a line of JSON when the measured span begins ("begin"), when it ends ("end"), and then the
figures. It begins once all are connected and everybody's first round may have begun; their frames are
spread evenly over the 20 ms, their first words over half a pair of rounds. With `--path offer` the URL
takes offers as Pipecat's server does (`bench/peers`).
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

import aiohttp
import numpy as np

from bench.caller import Caller, Figures, Way
from bench.hearing import PERIOD_S, Hearing
from bench.lines import ControlLine, Line, OfferLine
from bench.link import Badness, Link
from bench.sounds import Sounds, sounds
from bench.ways import WebRtcWay, WebSocketWay

WARM_UP_S = 3.0
SPREAD_S = 11.0
"""First words are spread over so long: half a pair of rounds."""


class Callers:
    """All callers of the process."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        self._sounds: Sounds = sounds(given.loss)
        self._figures = Figures()
        self._hearings: list[Hearing] = []
        self._ended: list[str] = []
        self._links = 0  # made so far; each has a seed of its own

    async def run(self) -> None:
        given = self._given
        callers = [
            Caller(i, self._sounds, self._figures, silent=given.silent)
            for i in range(given.conversations)
        ]
        async with asyncio.TaskGroup() as group:
            pacing = group.create_task(self._pace(callers))
            opened = [asyncio.Event() for _ in callers]
            lives = [
                group.create_task(self._live(caller, i, opened[i]))
                for i, caller in enumerate(callers)
            ]
            for event in opened:
                await event.wait()
            alone = given.silent or len(callers) == 1
            await asyncio.sleep(WARM_UP_S + (0 if alone else SPREAD_S))
            self._say({"event": "begin"})
            self._figures.counting = True
            await asyncio.sleep(given.seconds)
            self._figures.counting = False
            self._say({"event": "end"})
            for task in (pacing, *lives):
                task.cancel()
        self._say(self._result())

    async def _live(self, caller: Caller, index: int, opened: asyncio.Event) -> None:
        """Be connected; where the connection ends, or it is time to leave, come back."""
        after_s = SPREAD_S * index / self._given.conversations
        while True:
            async with self._way(index) as way:
                caller.begin(way, after_s if not opened.is_set() else 0.5)
                opened.set()
                try:
                    async with asyncio.timeout(self._given.churn or None):
                        self._ended.append(await asyncio.shield(way.over))
                except TimeoutError:
                    pass
                finally:
                    caller.way = None

    @asynccontextmanager
    async def _way(self, index: int) -> AsyncIterator[Way]:
        path, url = self._given.path, self._given.url
        hearing = Hearing(ahead=path == "websocket", counting=lambda: self._figures.counting)
        self._hearings.append(hearing)
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            way: WebRtcWay | WebSocketWay
            if path == "offer":
                way = self._over_rtp(OfferLine(http, url), hearing, index)
            else:
                socket = await stack.enter_async_context(
                    http.ws_connect(url, compress=0, max_msg_size=0)
                )
                if path.startswith("webrtc"):
                    way = self._over_rtp(ControlLine(socket), hearing, index)
                else:
                    opus = self._given.codec == "opus"
                    way = WebSocketWay(socket, self._sounds, hearing, opus=opus)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            hearkening = group.create_task(way.hear())
            try:
                await way.begin()
                yield way
            finally:
                await way.aclose()
                hearkening.cancel()

    def _over_rtp(self, line: Line, hearing: Hearing, index: int) -> WebRtcWay:
        return WebRtcWay(
            line,
            self._sounds,
            hearing,
            Random(index),
            self._link(),
            tcp=self._given.path == "webrtc-tcp",
        )

    def _link(self) -> Link | None:
        badness = Badness(self._given.loss, self._given.jitter / 1000)
        if badness == Badness():
            return None
        self._links += 1
        return Link(badness, self._links)

    async def _pace(self, callers: list[Caller]) -> None:
        loop = asyncio.get_running_loop()
        start, frame = loop.time(), 0
        while True:
            for index, caller in enumerate(callers):
                due = start + PERIOD_S * (frame + index / len(callers))
                await asyncio.sleep(max(due - loop.time(), 0.0))
                await caller.step(due)
            frame += 1

    def _result(self) -> dict[str, Any]:
        figures, hearings = self._figures, self._hearings
        whole = figures.sent or 1
        return {
            "voice_to_voice": figures.voice_to_voice,
            "barge_in": figures.barge_in,
            "lag_p95": float(np.percentile(figures.lag, 95)) if figures.lag else 0.0,
            "lag_most": max(figures.lag, default=0.0),
            "tried": figures.tried,
            "early": figures.early,
            "unheeded": figures.unheeded,
            "frames": sum(h.frames for h in hearings),
            "underruns": sum(h.underruns for h in hearings),
            "lost": sum(h.lost for h in hearings),
            "callers_speak": figures.spoken / whole,
            "agent_speaks": sum(h.sounded for h in hearings) / whole,
            "connections_ended": self._ended,
        }

    def _say(self, what: dict[str, Any]) -> None:
        print(json.dumps(what), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--url", required=True)
    parser.add_argument(
        "--path", choices=["websocket", "webrtc", "webrtc-tcp", "offer"], default="webrtc"
    )
    parser.add_argument(
        "--codec", choices=["pcm16", "opus"], default="pcm16", help="of sound on the WebSocket"
    )
    parser.add_argument("--conversations", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--silent", action="store_true", help="nobody talks")
    parser.add_argument("--loss", type=float, default=0.0, help="share of packets, WebRTC")
    parser.add_argument("--jitter", type=float, default=0.0, help="delay of 0 to this, ms, WebRTC")
    parser.add_argument("--churn", type=float, default=0, help="leave and come back so often, s")
    asyncio.run(Callers(parser.parse_args()).run())


if __name__ == "__main__":
    main()
