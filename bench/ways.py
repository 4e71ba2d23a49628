"""How benchmark callers are connected: over `/ws` with sound on it, or with sound over WebRTC.

Over WebRTC aiortc makes offer, ICE and DTLS; packets go past it as they do in the server, ready-made
ones out, and those that come are stamped in the datagram callback. As pages do, callers send a
receiver report and their figures once a second.
"""

import asyncio
from random import Random

import aiohttp
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from bench.hearing import AUDIBLE, PERIOD_S, Fate, Hearing
from bench.lines import Line
from bench.link import Link
from bench.sounds import FRAME, Sounds
from ultraandchat.audio.frame import PLAYOUT_RATE
from ultraandchat.transport import wire
from ultraandchat.transport.frames import PCM_RATE
from ultraandchat.transport.ice_tcp.active import dial_only
from ultraandchat.transport.rtp.bypass import Bypass
from ultraandchat.transport.rtp.opus import find_opus
from ultraandchat.transport.rtp.packet import BadPacket, RtpPacket, build, parse, samples_ahead
from ultraandchat.transport.rtp.reception import Reception
from ultraandchat.transport.rtp.rtcp import Reports
from ultraandchat.transport.rtp.sdp import payload_type
from ultraandchat.transport.rtp.sender import SILENT_PACKET

CONNECT_S = 15.0
TICKS_PER_S = round(1 / PERIOD_S)


class WebSocketWay:
    """Sound and messages on one WebSocket; as Opus, both ways, or as PCM16."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        sounds: Sounds,
        hearing: Hearing,
        *,
        opus: bool = False,
    ):
        self.hearing = hearing
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._socket = socket
        self._sounds = sounds
        self._decoder = find_opus().decoder() if opus else None
        self._position = 0  # at 16 kHz

    async def begin(self) -> None:
        if self._decoder is not None:
            await self._socket.send_str(wire.Codec.encode(wire.UsePath("websocket", "opus")))
        await self._socket.send_str(wire.Codec.encode(wire.Hello()))

    async def send(self, frame: int) -> None:
        if self._decoder is not None:
            sound, codec, position = self._sounds.opus[frame], wire.CODEC_OPUS, 3 * self._position
        else:
            sound, codec, position = self._sounds.pcm[frame], wire.CODEC_PCM16_16K, self._position
        header = wire.HEADER.pack(wire.KIND_SOUND, codec, 0, position & 0xFFFFFFFF)
        await self._socket.send_bytes(header + sound)
        self._position += FRAME

    async def hear(self) -> None:
        """Until the connection ends; run it beside the caller."""
        now = asyncio.get_running_loop().time
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self._frame(message.data, now())
            elif message.type is aiohttp.WSMsgType.TEXT and message.data == '{"type":"flush"}':
                self.hearing.flushed(now())
                if self._decoder is not None:
                    self._decoder.reset()
        if not self.over.done():
            self.over.set_result("the WebSocket ended")

    async def aclose(self) -> None:
        self.hearing.close()
        await self._socket.close()

    def _frame(self, data: bytes, now: float) -> None:
        position = wire.HEADER.unpack_from(data)[3]
        if self._decoder is not None:
            sound = self._decoder.decode(data[wire.HEADER.size :])
            if max(float(sound.max(initial=0.0)), -float(sound.min(initial=0.0))) >= AUDIBLE:
                self.hearing.sound(position / PLAYOUT_RATE, now)
            return
        samples = np.frombuffer(data, np.int16, offset=wire.HEADER.size)
        if max(int(samples.max(initial=0)), -int(samples.min(initial=0))) >= 32_768 * AUDIBLE:
            self.hearing.sound(position / PCM_RATE, now)


class WebRtcWay:
    """Sound over RTP."""

    def __init__(
        self,
        line: Line,
        sounds: Sounds,
        hearing: Hearing,
        numbers: Random,
        link: Link | None,
        *,
        tcp: bool = False,
    ):
        """All its packets pass `link` where there is one; it is bad from the first sound on. `tcp`:
        they go over ICE-TCP."""
        loop = asyncio.get_running_loop()
        self.hearing = hearing
        self.over: asyncio.Future[str] = loop.create_future()
        self._now = loop.time
        self._link = link
        if link is not None:
            hearing.fate = self._fate
        self._line = line
        self._sounds = sounds
        self._came = asyncio.Event()
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._packets = Bypass(
            self._connection, self._connection.addTransceiver("audio", direction="sendrecv")
        )
        self._packets.gather_at(lambda found: ["127.0.0.1"])
        if tcp:
            dial_only(self._packets._ice)
        self._packets.listen(self._rtp, self._rtcp)
        self._connection.on("connectionstatechange", self._changed)
        self._reports = Reports(self._packets.ssrc, "bench", self._now())
        self._reception: Reception | None = None
        self._decoder = find_opus().decoder()
        self._payload_type = 0
        self._sequence = numbers.randrange(2**15)
        self._timestamp = numbers.randrange(2**32)
        self._first: int | None = None  # timestamp
        self._sent = self._octets = 0

    async def begin(self) -> None:
        """Offer, be answered, and move sound there once media comes through."""
        connection, link = self._connection, self._link
        await connection.setLocalDescription(await connection.createOffer())
        self._packets.attach()
        offer = connection.localDescription.sdp
        if link is not None:
            await link.open()
            offer = link.offered(offer)
        async with asyncio.timeout(CONNECT_S):
            answer = await self._line.answer(offer)
            if link is not None:
                answer = link.answered(answer)
            self._payload_type = payload_type(answer)
            await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            await self._came.wait()
        await self._line.tell(wire.UsePath("webrtc"))
        if link is not None:
            link.bad = True

    async def send(self, frame: int) -> None:
        payload = self._sounds.opus[frame]
        packet = RtpPacket(
            self._payload_type,
            False,
            self._sequence,
            self._timestamp,
            self._packets.ssrc,
            payload,
        )
        self._packets.send(build(packet))
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + round(PERIOD_S * PLAYOUT_RATE)) & 0xFFFFFFFF
        self._sent += 1
        self._octets += len(payload)
        if self._sent % TICKS_PER_S == 0:
            await self._report()

    async def hear(self) -> None:
        """Messages, until the connection ends; run it beside the caller."""
        self._end(await self._line.hear())

    async def aclose(self) -> None:
        self.hearing.close()
        await self._connection.close()
        self._packets.detach()
        if self._link is not None:
            self._link.close()
        await self._line.aclose()

    async def _report(self) -> None:
        reception = self._reception.report() if self._reception is not None else None
        self._packets.send_rtcp(
            self._reports.made(
                self._now(),
                timestamp=self._timestamp,
                packets=self._sent,
                octets=self._octets,
                reception=reception,
            )
        )
        jitter_ms = 1000 * reception.jitter / PLAYOUT_RATE if reception is not None else 0.0
        received = self._sent  # as many come as go
        lost = max(reception.lost, 0) if reception is not None else 0
        await self._line.tell(wire.Stats(None, jitter_ms, received, lost, 0.0, 60.0))

    def _rtp(self, data: bytes) -> None:
        now = self._now()
        try:
            packet = parse(data)
        except BadPacket:
            return
        if self._reception is None:
            self._reception = Reception(packet.ssrc)
            self._first = packet.timestamp
            self._came.set()
        self._reception.take(packet.sequence, packet.timestamp, now)
        if packet.payload == SILENT_PACKET:
            return
        assert self._first is not None
        position_s = samples_ahead(packet.timestamp, self._first) / PLAYOUT_RATE
        # A decoder that was not told of silent packets does not matter: they stand for themselves.
        samples = self._decoder.decode(packet.payload)
        if max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0))) >= AUDIBLE:
            self.hearing.sound(position_s, now)

    def _fate(self, position_s: float) -> Fate:
        assert self._link is not None
        assert self._first is not None
        return self._link.fate((self._first + round(position_s * PLAYOUT_RATE)) & 0xFFFFFFFF)

    def _rtcp(self, data: bytes) -> None:
        self._reports.take(data, self._now())

    def _changed(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self._end("WebRTC ended")

    def _end(self, reason: str) -> None:
        if not self.over.done():
            self.over.set_result(reason)
