"""A bad network between a caller and the server: a seeded relay of datagrams in the callers' process.

Each caller has one. The addresses in offer and answer are replaced by the relay's, so every datagram
passes it: once `bad`, packets of sound and reports are dropped and delayed, each by itself, and
overtake one another; ICE and DTLS pass, so that what is measured is sound on a bad path.
"""

import asyncio
import re
import struct
from collections import OrderedDict
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from bench.hearing import Fate

CANDIDATE = re.compile(
    r"^(a=candidate:\S+ \d+ udp \d+ )(\S+) (\d+) (typ host.*)$", re.MULTILINE | re.IGNORECASE
)
LOOPBACK = "127.0.0.1"
REMEMBERED = 2_000
"""Packets whose fate is known, 40 s: the longest reply is a few seconds."""


@dataclass(frozen=True)
class Badness:
    """What happens to packets, in either direction."""

    loss: float = 0.0
    """Share that never arrives."""
    jitter_s: float = 0.0
    """Each is delayed by 0…this, evenly."""


class _Side(asyncio.DatagramProtocol):
    """The relay's socket that faces one of the two."""

    def __init__(self) -> None:
        self.transport: asyncio.DatagramTransport | None = None
        self.other: _Side | None = None
        self.peer: Any = None  # where the one it faces is
        self.pass_on: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(
            asyncio.DatagramTransport, transport
        )  # asyncio's own is none by class

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.peer = addr
        self.pass_on(data, self.other)

    def send(self, data: bytes) -> None:
        if self.transport is not None and self.peer is not None:
            self.transport.sendto(data, self.peer)


class Link:
    """One caller's. `offered` and `answered` put it in between; then it may become bad."""

    def __init__(self, badness: Badness, seed: int) -> None:
        self.bad = False
        self._badness = badness
        self._up, self._down = Random(2 * seed), Random(2 * seed + 1)
        self._loop = asyncio.get_running_loop()
        self._caller, self._server = _Side(), _Side()
        self._fates: OrderedDict[int, Fate] = OrderedDict()  # by RTP timestamp; server to caller

    async def open(self) -> None:
        for side in (self._caller, self._server):
            await self._loop.create_datagram_endpoint(
                lambda side=side: side,  # type: ignore[misc]
                (LOOPBACK, 0),
            )
        self._caller.other, self._server.other = self._server, self._caller
        self._caller.pass_on = lambda data, to: self._carry(data, to, self._up)
        self._server.pass_on = lambda data, to: self._carry(data, to, self._down)

    def offered(self, sdp: str) -> str:
        """The caller's offer as the server is to see it."""
        return self._replaced(sdp, self._caller, self._server)

    def answered(self, sdp: str) -> str:
        """The server's answer as the caller is to see it."""
        return self._replaced(sdp, self._server, self._caller)

    def fate(self, timestamp: int) -> Fate:
        """What happened to the server's packet with that RTP timestamp."""
        return self._fates.get(timestamp, Fate())

    def close(self) -> None:
        for side in (self._caller, self._server):
            if side.transport is not None:
                side.transport.close()
                side.transport = None  # packets that are still delayed are lost

    def _replaced(self, sdp: str, whose: _Side, seen: _Side) -> str:
        assert seen.transport is not None
        port = seen.transport.get_extra_info("sockname")[1]

        def candidate(found: re.Match[str]) -> str:
            whose.peer = (found[2], int(found[3]))
            return f"{found[1]}{LOOPBACK} {port} {found[4]}"

        return CANDIDATE.sub(candidate, sdp)

    def _carry(self, data: bytes, to: _Side, chance: Random) -> None:
        if not self.bad or not 128 <= data[0] < 192:  # RFC 7983: neither RTP nor RTCP
            to.send(data)
            return
        lost, late = chance.random() < self._badness.loss, chance.random() * self._badness.jitter_s
        if to is self._caller and not 192 <= data[1] < 224:
            self._fates[struct.unpack_from("!I", data, 4)[0]] = Fate(lost, late)
            while len(self._fates) > REMEMBERED:
                self._fates.popitem(last=False)
        if lost:
            return
        if late:
            self._loop.call_later(late, to.send, data)
        else:
            to.send(data)
