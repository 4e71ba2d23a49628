"""One WebRTC connection that answers an offer (RFC 8829). aiortc keeps SDP, ICE, DTLS and SRTP's keys;
packets go past it (`bypass.py`)."""

import asyncio
from contextlib import suppress

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError

from ultraandchat.transport.reach import Reach, addresses
from ultraandchat.transport.rtp.bypass import Bypass
from ultraandchat.transport.rtp.sdp import (
    MOST_CANDIDATES,
    BadOffer,
    candidate,
    heard_best,
    judged,
    payload_type,
)
from ultraandchat.transport.wire import CandidateInit

CLOSE_S = 2.0
"""The peer is told goodbye (DTLS close) within this; then the sockets are closed."""


class Peer:
    """From offer to goodbye. `answer` once; `connected` and `over` are futures of its life."""

    def __init__(self, host: str, reach: Reach) -> None:
        """`host` is where the server listens: UDP candidates are offered at the same addresses."""
        loop = asyncio.get_running_loop()
        self.connected: asyncio.Future[None] = loop.create_future()
        """Done once packets can flow; never done where `over` comes first."""
        self.over: asyncio.Future[str] = loop.create_future()
        """Done once nothing flows any more, with the reason."""
        self.payload_type = 0
        """Of Opus, both ways; known after `answer`."""
        self._connection = RTCPeerConnection(
            # Empty: aiortc would ask a public server where it is and wait up to 5 s for the answer.
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        transceiver = self._connection.addTransceiver("audio", direction="sendrecv")
        codecs = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences([c for c in codecs if c.mimeType.lower() == "audio/opus"])
        self.packets = Bypass(self._connection, transceiver)
        """Where RTP and RTCP of this peer go in and out."""
        self.packets.gather_at(
            lambda found: addresses(host, found) if reach.udp else [],
            reach.tcp,
            reach.relay and reach.relay(),
        )
        self._connection.on("connectionstatechange", self._changed)
        self._candidates = 0

    async def answer(self, offer: str, *, bitrate: int, fec: bool) -> str:
        """The answer to that offer, with all our candidates; `BadOffer` says what is wrong with it."""
        try:
            await self._connection.setRemoteDescription(
                RTCSessionDescription(sdp=judged(offer), type="offer")
            )
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        except (InvalidAccessError, InvalidStateError, OperationError, ValueError) as error:
            raise error if isinstance(error, BadOffer) else BadOffer(str(error)) from None
        self.packets.attach()
        made = self._connection.localDescription.sdp
        self.payload_type = payload_type(made)
        return heard_best(made, bitrate=bitrate, fec=fec)

    async def add(self, init: CandidateInit) -> None:
        """One more address of the peer's; what `candidate` passes over is, and what is too much."""
        if not init.candidate or self._candidates >= MOST_CANDIDATES:
            return
        self._candidates += 1
        if (one := candidate(init.candidate)) is None:
            return
        one.sdpMid, one.sdpMLineIndex = init.sdpMid, init.sdpMLineIndex
        with suppress(ValueError, InvalidStateError):  # of a stream there is not; closed meanwhile
            await self._connection.addIceCandidate(one)

    async def aclose(self) -> None:
        """Say goodbye and give the sockets back. Safe to call twice.

        Who is cancelled meanwhile waits to the end of it: half closed, aiortc's sockets and tasks
        would stay for ever.
        """
        self._finish("closed")
        closing = asyncio.get_running_loop().create_task(self._connection.close())
        try:
            await asyncio.wait({closing}, timeout=CLOSE_S)
        except asyncio.CancelledError:
            await asyncio.wait({closing}, timeout=CLOSE_S)
            raise
        finally:
            closing.cancel()
            self.packets.detach()

    def _changed(self) -> None:
        match self._connection.connectionState:
            case "connected":
                if not self.connected.done():
                    self.connected.set_result(None)
            case "failed" if self.connected.done():
                self._finish("no packet comes through any more")
            case "failed":
                self._finish("the connection could not be secured")
            case "closed":
                self._finish("the caller closed it")

    def _finish(self, reason: str) -> None:
        if not self.over.done():
            self.over.set_result(reason)
