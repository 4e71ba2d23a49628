"""A caller whose sound goes over WebRTC: aiortc offers over `/ws`, packets go past it as at the server.

It keeps every packet with the instant at which it came, and can send any bytes: sound, RTP that makes
no sense, RTCP, what was never encrypted.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import numpy as np
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import SessionDescription

from tests.support.serving import PATIENCE_S, Phone, eventually, phone
from ultraandchat.audio.frame import PLAYOUT_RATE, Samples
from ultraandchat.audio.level import dbfs
from ultraandchat.transport.rtp.bypass import Bypass
from ultraandchat.transport.rtp.opus import find_opus
from ultraandchat.transport.rtp.packet import RtpPacket, build, parse
from ultraandchat.transport.rtp.sender import SILENT_PACKET
from ultraandchat.transport.wire import Answer, Offer, UsePath

OPUS = find_opus()
FRAME = 960
FRAME_S = 0.02
AUDIBLE_DBFS = -40.0
PAYLOAD_TYPE = 96
"""What aiortc calls Opus in its offers."""


class Arrived(NamedTuple):
    """One packet of the server's."""

    at: float
    packet: RtpPacket
    samples: Samples
    """Decoded, 48 kHz."""

    @property
    def audible(self) -> bool:
        return dbfs(self.samples) > AUDIBLE_DBFS


class RtcCaller:
    """Offers on a phone's WebSocket. Its microphone hears what `speaks` says, and silence otherwise."""

    rate = PLAYOUT_RATE

    def __init__(self, phone: Phone, *, ssrc: int | None = None) -> None:
        self.phone = phone
        self.muted = False
        """The microphone sends nothing at all."""
        self.arrived: list[Arrived] = []
        self.rtcp: list[bytes] = []
        self.answer = ""
        self.ready: Callable[[], bool] = lambda: bool(self.arrived)
        """The server is connected too: media comes through, which is what a page waits for."""
        self.connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        transceiver = self.connection.addTransceiver("audio", direction="sendrecv")
        self._dtls: Any = transceiver.receiver.transport
        self.packets = Bypass(self.connection, transceiver)
        self.packets.gather_at(lambda found: ["127.0.0.1"])
        self.packets.listen(self._heard, self.rtcp.append)
        self._clock = asyncio.get_running_loop().time
        self._decoder = OPUS.decoder(PLAYOUT_RATE)
        self._encoder = OPUS.encoder(bitrate=32_000, complexity=2, fec=False)
        self._ssrc = self.packets.ssrc if ssrc is None else ssrc
        self.sequence, self.timestamp = 65_000, 2**32 - 48_000
        """Of the next packet; both wrap around within seconds."""
        self._phase = 0
        self._to_say = 0  # packets

    # --- connecting ---------------------------------------------------------------------------

    async def offer(self) -> str:
        """The offer, with all candidates; the sockets are there from now on."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        self.packets.attach()
        return self.connection.localDescription.sdp

    async def accepts(self, answer: str) -> None:
        self.answer = answer
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def connects(self) -> None:
        """Offer, be answered, wait for the handshake. Nobody else may read the phone meanwhile."""
        await self.phone.tells(Offer(await self.offer()))
        answer = await self.phone.until(Answer)
        assert isinstance(answer, Answer)
        await self.accepts(answer.sdp)
        await self.until_state("connected")
        await eventually(self.ready)

    async def moves(self) -> None:
        """Connect, and have sound go over RTP from now on."""
        await self.connects()
        await self.phone.tells(UsePath("webrtc"))

    async def until_state(self, state: str) -> None:
        await eventually(lambda: self.connection.connectionState == state)

    async def vanishes(self) -> None:
        """Be gone without a goodbye: the sockets are shut, nothing is said."""
        self.muted = True
        for protocol in self._dtls.transport._connection._protocols:
            protocol.transport.abort()
        await asyncio.sleep(0)

    async def aclose(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.connection.close()
        self.packets.detach()

    # --- speaking -----------------------------------------------------------------------------

    async def microphone(self) -> None:
        """A packet each 20 ms, until cancelled: a tone where `speaks` has something to say, else silence."""
        due = self._clock()
        while True:
            due += FRAME_S
            await asyncio.sleep(max(due - self._clock(), 0))
            if not self.muted:
                self.says(self._tone() if self._to_say else None)
                self._to_say = max(self._to_say - 1, 0)

    async def speaks(self, seconds: float) -> None:
        """Into the microphone: so much sound, however long it takes on a busy machine."""
        self._to_say = round(seconds / FRAME_S)
        await eventually(lambda: not self._to_say)

    def says(self, samples: Samples | None, **changes: Any) -> None:
        """The next packet: 20 ms at 48 kHz, or silence; with some of its fields changed."""
        payload = SILENT_PACKET if samples is None else self._encoder.encode(samples)
        packet = self.next_packet(payload)._replace(**changes)
        self.packets.send(build(packet))

    def next_packet(self, payload: bytes = SILENT_PACKET) -> RtpPacket:
        packet = RtpPacket(PAYLOAD_TYPE, False, self.sequence, self.timestamp, self._ssrc, payload)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + FRAME) & 0xFFFF_FFFF
        return packet

    def sealed(self, packet: RtpPacket) -> bytes:
        """The packet as it would go over the network."""
        protected: bytes = self._dtls._tx_srtp.protect(build(packet))
        return protected

    @property
    def server_address(self) -> tuple[str, int]:
        """Where the server takes packets."""
        audio = SessionDescription.parse(self.answer).media[0]
        one = audio.ice_candidates[0]
        return one.ip, one.port

    def throws(self, *datagrams: bytes) -> None:
        """From a stranger's address to the server's socket of this caller, as they are."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for data in datagrams:
                stranger.sendto(data, self.server_address)

    # --- hearing ------------------------------------------------------------------------------

    @property
    def sound(self) -> Samples:
        """All that came, 48 kHz, but for the silence before the conversation's own position 0."""
        own = [a.samples for a in self.arrived if a.packet.timestamp < 2**31]
        return np.concatenate(own or [np.zeros(0, np.float32)])

    @property
    def audible_s(self) -> float:
        return FRAME_S * sum(one.audible for one in self.arrived)

    async def until_audible(self, since: int = 0) -> Arrived:
        """The first audible packet behind the first `since`."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := [one for one in self.arrived[since:] if one.audible]):
                await asyncio.sleep(0.005)
        return found[0]

    async def until_silent(self, packets: int = 10) -> None:
        """Until the last few packets were silent."""
        async with asyncio.timeout(PATIENCE_S):
            while any(one.audible for one in self.arrived[-packets:]):
                await asyncio.sleep(0.005)

    def _heard(self, data: bytes) -> None:
        packet = parse(data)
        self.arrived.append(Arrived(self._clock(), packet, self._decoder.decode(packet.payload)))

    def _tone(self) -> Samples:
        at = np.arange(self._phase, self._phase + FRAME) / PLAYOUT_RATE
        self._phase += FRAME
        return (0.3 * np.sin(2 * np.pi * 300 * at)).astype(np.float32)


@asynccontextmanager
async def rtc_caller(phone: Phone, *, ssrc: int | None = None) -> AsyncIterator[RtcCaller]:
    """A caller on this phone with a microphone that sends as soon as packets can be."""
    caller = RtcCaller(phone, ssrc=ssrc)
    async with asyncio.TaskGroup() as group:
        speaking = group.create_task(caller.microphone())
        try:
            yield caller
        finally:
            speaking.cancel()
            await caller.aclose()


@asynccontextmanager
async def rtc_phone(url: str) -> AsyncIterator[RtcCaller]:
    """A caller whose conversation has begun and whose sound goes over WebRTC."""
    async with phone(url) as line, rtc_caller(line) as caller:
        await line.begins()
        await caller.moves()
        yield caller
