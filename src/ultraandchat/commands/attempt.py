"""One attempt at sound over WebRTC, by one rung of the ladder alone: offered in the lobby of `/ws`, and
well when a packet of sound has come through. The rest of the conversation is not begun.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal, NamedTuple, TypeAlias

import aiohttp
import msgspec
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.sdp import SessionDescription

from ultraandchat.transport.relay import Relay
from ultraandchat.transport.rtp.bypass import Bypass
from ultraandchat.transport.wire import Answer, Closing, Codec, Error, Offer, PathLost

Way: TypeAlias = Literal["UDP", "ICE-TCP", "TURN"]

MEDIA_S = 10.0
"""As long as a page goes on trying."""
ANSWER_S = 5.0
"""The server's own limit for answering."""
CLOSE_S = 2.0

LOOPBACKS = ("127.0.0.1", "::1")
"""aioice leaves them out of what it finds, and the server may be on this machine."""


class NoWay(Exception):
    """Why no sound came, in words."""


class Carried(NamedTuple):
    """Sound came through."""

    after_s: float
    """From the offer to the first packet."""
    route: str
    """ "udp", "tcp" or "relay"."""


async def attempt(
    socket: aiohttp.ClientWebSocketResponse, way: Way, relay: Relay | None = None
) -> Carried:
    """Have the server send sound by this way. Raises `NoWay`."""
    clock = asyncio.get_running_loop().time
    async with _peer(way, relay) as peer:
        begun = clock()
        await socket.send_str(Codec.encode(Offer(await peer.offer())))
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await _answer(socket)
        except TimeoutError:
            raise NoWay(f"the server did not answer the offer within {ANSWER_S:.0f} s") from None
        try:
            async with asyncio.timeout(MEDIA_S):
                await peer.accept(_only(answer, "tcp" if way == "ICE-TCP" else "udp"))
                await peer.media
        except TimeoutError:
            raise NoWay(f"no packet came through within {MEDIA_S:.0f} s") from None
        return Carried(clock() - begun, peer.packets.route)


class _Peer:
    """A caller's end that only listens."""

    def __init__(self, connection: RTCPeerConnection) -> None:
        self.connection = connection
        self.media: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.packets = Bypass(connection, connection.addTransceiver("audio", direction="sendrecv"))
        self.packets.listen(self._heard, lambda packet: None)

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        self.packets.attach()
        sdp: str = self.connection.localDescription.sdp
        if "a=candidate:" not in sdp:
            raise NoWay("this machine has no address for it")
        return sdp

    async def accept(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    def _heard(self, packet: bytes) -> None:
        if not self.media.done():
            self.media.set_result(None)


@asynccontextmanager
async def _peer(way: Way, relay: Relay | None) -> AsyncIterator[_Peer]:
    peer = _Peer(
        RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    )
    match way:
        case "UDP":
            peer.packets.gather_at(lambda found: [*found, *LOOPBACKS])
        case "ICE-TCP":
            peer.packets.dial()
        case "TURN":
            peer.packets.gather_at(lambda found: [], relay=relay)
    try:
        yield peer
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await peer.connection.close()
        peer.packets.detach()
        peer.media.cancel()


async def _answer(socket: aiohttp.ClientWebSocketResponse) -> str:
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.TEXT:
            continue
        try:
            told = Codec.decode_server(message.data)
        except msgspec.MsgspecError:
            raise NoWay("the server speaks another protocol") from None
        match told:
            case Answer(sdp=sdp):
                return sdp
            case Error(text=text) | Closing(text=text) | PathLost(text=text):
                raise NoWay(f"the server says: {text}")
            case _:
                pass
    raise NoWay("the server closed the connection")


def _only(answer: str, transport: str) -> str:
    """The answer with the server's candidates of that kind alone."""
    description = SessionDescription.parse(answer)
    left = 0
    for media in description.media:
        media.ice_candidates = [
            one for one in media.ice_candidates if one.protocol.lower() == transport
        ]
        left += len(media.ice_candidates)
    if not left:
        raise NoWay(f"the server's answer names no {transport.upper()} address")
    return str(description)
