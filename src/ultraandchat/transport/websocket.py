"""Sound and messages over one WebSocket: PCM16 (16 kHz up, 24 kHz down) or Opus, JSON beside it.

Silence sends nothing. What a slow peer does not take in time is dropped, the oldest sound first;
messages never are. Every bad input has one answer here, and touches this caller only.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from aiohttp import WebSocketError, WSMessage, WSMsgType, web

from ultraandchat.audio.frame import AudioFrame
from ultraandchat.events import Quality
from ultraandchat.transport.base import CloseReason, ProtocolError, Received
from ultraandchat.transport.frames import SoundParser
from ultraandchat.transport.limits import Allowance, Limits
from ultraandchat.transport.outgoing import Outgoing
from ultraandchat.transport.unsent import keep_little
from ultraandchat.transport.voice import Coding, OpusVoice, PcmVoice, Voice
from ultraandchat.transport.wire import (
    MAX_SOUND_BYTES,
    MAX_TEXT_BYTES,
    BadMessage,
    ClientMessage,
    Closing,
    Codec,
    Error,
    Flush,
    ServerMessage,
    UsePath,
)

LEAD_S = 0.06
"""The page starts to play when it holds this much: three frames against uneven arrival."""

STALLED_FRAMES = 10
"""Frames that wait here beside what kernel and asyncio hold (340 ms): for 200 ms nothing has left. Fewer
gather on a busy machine; twice as many are kept, so nothing of a reply is lost by a stall."""

CLOSE_S = 2.0
"""The goodbye may take this long; then the connection is cut."""

MAX_FRAME_BYTES = 2 * MAX_SOUND_BYTES
"""What aiohttp reads at most of one message. Between the limits and this the closing says why."""

MAX_REASON_BYTES = 123
"""A WebSocket close frame holds 125 bytes, two of them the code (RFC 6455 §5.5)."""

CLOSE_CODES = {
    CloseReason.PEER_LEFT: 1000,
    CloseReason.REPLACED: 1000,
    CloseReason.SERVER_STOPPING: 1001,
    CloseReason.PROTOCOL: 1002,
    CloseReason.TIMED_OUT: 1008,
    CloseReason.FAULT: 1011,
    CloseReason.FULL: 1013,
    CloseReason.ENGINES: 1013,
}
"""RFC 6455 §7.4.1, and 1013 (try again later) of the IANA registry."""


class WebSocketTransport:
    """One caller on `/ws`. `run` carries what is queued and must run beside `received`."""

    def __init__(
        self,
        peer: web.WebSocketResponse,
        wire: asyncio.Transport | None,
        limits: Limits,
        *,
        refused: Callable[[str], None] = lambda code: None,
        coding: Coding | None = None,
    ) -> None:
        """Without `coding` there is no Opus, either way."""
        self.peer = peer
        self.ended: tuple[CloseReason, str] | None = None
        """Why it was closed from this side, once it was."""
        self._wire = wire
        self._limits = limits
        self._allowance = Allowance(limits)
        self._refused = refused
        self._coding = coding
        self._parser = SoundParser(coding.opus if coding else None)
        self._codec = "pcm16"  # of the agent's voice
        self._voice: Voice = PcmVoice()
        self._outgoing = Outgoing()
        self._wake = asyncio.Event()
        self._gone = asyncio.Event()
        self._clock = asyncio.get_running_loop().time
        self._last = self._clock()

    @classmethod
    async def accept(
        cls,
        request: web.Request,
        limits: Limits,
        *,
        heartbeat_s: float,
        refused: Callable[[str], None] = lambda code: None,
        coding: Coding | None = None,
    ) -> "WebSocketTransport":
        """Answer the handshake. A peer that does not answer a ping in `heartbeat_s` / 2 is gone."""
        peer = web.WebSocketResponse(
            timeout=CLOSE_S,
            heartbeat=heartbeat_s,
            compress=False,  # sound does not shrink, and deflate costs more than the rest of the path
            max_msg_size=MAX_FRAME_BYTES,
            writer_limit=0,  # wait for the peer after every message, so that the queue is ours
            decode_text=False,
        )
        await peer.prepare(request)
        keep_little(request.transport, "pcm16")
        return cls(peer, request.transport, limits, refused=refused, coding=coding)

    @property
    def name(self) -> str:
        return "websocket"

    @property
    def lead_s(self) -> float:
        return LEAD_S

    @property
    def patience_s(self) -> float:
        return 0.0  # what the page keeps is the lead, and filled from here

    @property
    def flushes(self) -> bool:
        return True  # the page drops what it holds, with a fade

    @property
    def stalled(self) -> bool:
        return self._outgoing.sounds >= STALLED_FRAMES

    async def run(self) -> None:
        """Carry what is queued, and close when nothing is heard. Run as a child of a TaskGroup."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._carry(), name="websocket/carry")
            group.create_task(self._watch(), name="websocket/watch")

    async def received(self) -> AsyncGenerator[Received, None]:
        """Sound and messages in order of arrival; ends when the connection does.

        `ProtocolError` once a caller went beyond a limit; the connection is closed by then.
        """
        while True:
            message = await self.peer.receive()
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                if isinstance(message.data, WebSocketError) and not self.ended:
                    self.ended = (CloseReason.PROTOCOL, str(message.data))  # aiohttp closed it
                    self._gone.set()
                return
            self._last = self._clock()
            try:
                item = self._item(message)
            except ProtocolError as error:
                await self._shut(CloseReason.PROTOCOL, str(error), error.code)
                raise
            if item is not None:
                yield item

    def attend(self, *, closely: bool) -> None:
        """Sound is handed over as it comes, always."""

    def play(self, frame: AudioFrame) -> None:
        """Queue one frame; the oldest sound goes when the peer is too far behind."""
        self._put_sound(self._voice.sound(frame))

    def silence(self, position: int) -> None:
        """Nothing is sent but the end of the sound before."""
        self._put_sound(self._voice.silence(position))

    def flush(self) -> None:
        self._voice.drop()
        self._outgoing.drop_sound()
        self.send(Flush())

    def send(self, message: ServerMessage) -> None:
        """Queue one message. A peer that lets too many of them gather is cut off."""
        if self.ended:
            return
        if not self._outgoing.put_message(Codec.encode(message)):
            self.ended = (CloseReason.PROTOCOL, "the caller reads too slowly")
            self._gone.set()
            self._abort()
        self._wake.set()

    def dropped(self) -> int:
        return self._outgoing.dropped()

    def quality(self) -> Quality | None:
        return None  # TCP loses nothing

    def is_heard(self) -> None:
        """The caller gives signs of life on another way: it is not idle."""
        self._last = self._clock()

    async def aclose(
        self, reason: CloseReason, text: str = "", retry_after_s: float | None = None
    ) -> None:
        """Say why, then close; the connection is cut if that takes longer than `CLOSE_S`."""
        await self._shut(reason, text or reason.value, CLOSE_CODES[reason], retry_after_s)

    def _item(self, message: WSMessage) -> Received | None:
        """What came, or None where it was not understood and the caller has been told so."""
        try:
            if message.type is WSMsgType.BINARY:
                return self._sound(message.data)
            return self._message(message.data)
        except BadMessage as error:
            if not self._allowance.message(self._last):
                raise ProtocolError("too many frames were refused", code=1008) from None
            self._refused(error.answer.code)
            if self._allowance.answer(self._last):
                self.send(error.answer)
            return None

    def _sound(self, data: bytes) -> AudioFrame:
        frame = self._parser.parse(data)
        if not self._allowance.sound(self._last, len(frame.samples)):
            raise ProtocolError("sound came much faster than real time", code=1008)
        return frame

    def _message(self, data: bytes) -> ClientMessage:
        if len(data) > MAX_TEXT_BYTES:
            raise ProtocolError(
                f"a message may have {MAX_TEXT_BYTES} bytes, this one had {len(data)}", code=1009
            )
        message = Codec.decode(data)
        if not self._allowance.message(self._last):
            raise ProtocolError("too many messages in a short time", code=1008)
        if isinstance(message, UsePath) and message.path == "websocket":
            self._use(message.codec)
        return message

    def _use(self, codec: str) -> None:
        """The agent's voice comes so from its next frame on."""
        if codec == self._codec:
            return
        if codec == "opus" and self._coding is None:
            self.send(Error("no_codec", "this server has no Opus; the agent's voice stays PCM16"))
            return
        self._codec = codec
        self._voice = OpusVoice(self._coding) if codec == "opus" and self._coding else PcmVoice()
        keep_little(self._wire, codec)

    def _put_sound(self, packed: list[bytes]) -> None:
        if packed and not self.ended:
            for one in packed:
                self._outgoing.put_sound(one)
            self._wake.set()

    async def _carry(self) -> None:
        while not self.peer.closed:
            await self._wake.wait()
            self._wake.clear()
            with suppress(ConnectionError):  # `received` ends too, and says so
                await self._send_queued()

    async def _send_queued(self) -> None:
        while (item := self._outgoing.pop()) is not None:
            if isinstance(item, str):
                await self.peer.send_str(item)
            else:
                await self.peer.send_bytes(item)

    async def _watch(self) -> None:
        """Close a connection from which neither sound nor a message came for too long."""
        rest = self._limits.idle_timeout_s
        while rest > 0:
            await asyncio.sleep(rest)
            rest = self._last + self._limits.idle_timeout_s - self._clock()
        await self._shut(CloseReason.TIMED_OUT, "nothing was heard from the caller", 1008)

    async def _shut(
        self, reason: CloseReason, text: str, code: int, retry_after_s: float | None = None
    ) -> None:
        if self.ended:
            await self._gone.wait()  # whoever closes it is done within CLOSE_S
            return
        if self.peer.closed:
            return
        self._outgoing.drop_sound()
        self.send(Closing(reason.name.lower(), text, retry_after_s))
        self.ended = (reason, text)
        clean = False
        try:
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await self._send_queued()
                    await self.peer.close(
                        code=code, message=text.encode("ascii", "replace")[:MAX_REASON_BYTES]
                    )
                    clean = True
        finally:
            if not clean:
                self._abort()
            self._gone.set()

    def _abort(self) -> None:
        if self._wire is not None:
            self._wire.abort()
