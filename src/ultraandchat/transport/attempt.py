"""One offer of a WebRTC path and what becomes of it: answered, connected or not; followed in the log."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

from ultraandchat.transport.path_log import PathLog
from ultraandchat.transport.rtp.peer import Peer
from ultraandchat.transport.rtp.sdp import BadOffer
from ultraandchat.transport.webrtc_config import WebRtcConfig
from ultraandchat.transport.wire import CandidateInit

ANSWER_S = 5.0
"""Answering gathers host addresses and makes a certificate: tens of milliseconds."""
LATE = "the server could not answer in time"

Candidates: TypeAlias = asyncio.Queue[CandidateInit]
"""Behind their offer; what is too much is passed over."""


class Attempt:
    """`answered`, then `connected` beside `take_candidates`, then `ended`."""

    def __init__(
        self, peer: Peer, offer: str, candidates: Candidates, clock: Callable[[], float]
    ) -> None:
        self.peer = peer
        self.log = PathLog(offer, clock)
        self._offer = offer
        self._candidates = candidates
        self._within_s = 0.0

    async def answered(self, config: WebRtcConfig) -> str:
        """The answer. `BadOffer` says what is wrong with the offer; `TimeoutError`: we are too slow."""
        self._within_s = config.connect_timeout_s
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await self.peer.answer(self._offer, bitrate=config.bitrate, fec=config.fec)
        except (BadOffer, TimeoutError) as error:
            self.log.refused(str(error) or LATE)
            raise
        self.log.answered(answer)
        return answer

    async def take_candidates(self) -> None:
        """Hand on the addresses that come behind the offer, until cancelled."""
        while True:
            one = await self._candidates.get()
            self.log.trickled(one.candidate)
            await self.peer.add(one)

    async def connected(self) -> bool:
        """Whether packets can flow, once that is decided."""
        either: set[asyncio.Future[Any]] = {self.peer.connected, self.peer.over}
        await asyncio.wait(either, timeout=self._within_s, return_when=asyncio.FIRST_COMPLETED)
        done = self.peer.connected.done()
        if done:
            self.log.connected(self.peer.packets.route, self.peer.packets.pair)
        return done

    def ended(self) -> str:
        """Why; empty where the caller need not be told."""
        peer = self.peer
        unconnected = f"nothing connected in {self._within_s:g} s"
        reason = peer.over.result() if peer.over.done() else unconnected
        if peer.connected.done():
            self.log.lost(reason or "it was left")
        else:
            self.log.unconnected(reason or "it was given up", peer.packets.tried())
        return reason
