"""One caller on `/ws` whose sound may go over WebRTC: messages stay on the WebSocket, sound moves.

The caller offers, is answered, and says `use_path` when media has come through; from then on sound of
both directions is RTP (`rtp/`). It goes back to the WebSocket when the caller says so, and is told
`path_lost` when WebRTC cannot connect or ends. One WebRTC path at a time.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeAlias

from ultraandchat.audio.frame import AudioFrame
from ultraandchat.events import Quality
from ultraandchat.transport import wire
from ultraandchat.transport.attempt import LATE, Attempt, Candidates
from ultraandchat.transport.base import CloseReason, PathChanged, ProtocolError, Received
from ultraandchat.transport.path_log import PathLog, log_report
from ultraandchat.transport.reach import Reach
from ultraandchat.transport.rtp.opus import Opus
from ultraandchat.transport.rtp.path import RtpPath
from ultraandchat.transport.rtp.peer import Peer
from ultraandchat.transport.rtp.proof import prove
from ultraandchat.transport.rtp.sdp import MOST_CANDIDATES, BadOffer
from ultraandchat.transport.webrtc_config import WebRtcConfig
from ultraandchat.transport.websocket import WebSocketTransport

PATIENCE_S = 0.04
"""Frames that late are still sent: browsers keep 40 to 80 ms of sound (NetEQ's target on a clean path)."""
MOST_WAITING = 250
"""Items of the caller's that the session has not taken yet: 5 s of sound; then the oldest sound goes."""


_Offer: TypeAlias = tuple[str, Candidates]


class WebRtcTransport:
    """`run` must run beside `received`, as the WebSocket's must."""

    def __init__(
        self,
        control: WebSocketTransport,
        config: WebRtcConfig,
        opus: Opus,
        *,
        host: str,
        reach: Reach,
        session: str,
    ) -> None:
        self.control = control
        self._config = config
        self._opus = opus
        self._host = host
        self._reach = reach
        self._session = session
        self._clock = asyncio.get_running_loop().time
        self._offers: asyncio.Queue[_Offer] = asyncio.Queue(1)  # a second one is refused
        self._candidates = Candidates(MOST_CANDIDATES)  # of the offer that came last
        self._leave: asyncio.Future[str] | None = None  # there while a path is; why it should end
        self._path: RtpPath | None = None
        self._log: PathLog | None = None  # of the path that is there
        self._over_rtp = False
        self._closely = True
        self._driven = False  # a conversation calls `play` or `silence`, each 20 ms
        # When it is full, the WebSocket waits (and holds its peer back) and RTP is dropped.
        self._items: asyncio.Queue[Received | None] = asyncio.Queue(MOST_WAITING)
        self._error: ProtocolError | None = None
        self._dropped = 0

    @property
    def name(self) -> str:
        if not self._over_rtp:
            return self.control.name
        route = self._path.route if self._path is not None else ""
        return f"webrtc/{route}" if route else "webrtc"

    @property
    def lead_s(self) -> float:
        return 0.0 if self._over_rtp else self.control.lead_s  # browsers keep a store of their own

    @property
    def patience_s(self) -> float:
        return PATIENCE_S if self._over_rtp else self.control.patience_s

    @property
    def flushes(self) -> bool:
        return not self._over_rtp and self.control.flushes

    @property
    def stalled(self) -> bool:
        if not self._over_rtp:
            return self.control.stalled
        return self._path is not None and self._path.stalled

    async def run(self) -> None:
        """Carry messages and sound, and bring WebRTC paths about. Run as a child of a TaskGroup."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.control.run(), name="webrtc/control")
            group.create_task(self._take_control(), name="webrtc/messages")
            group.create_task(self._keep_path(), name="webrtc/path")

    async def received(self) -> AsyncGenerator[Received, None]:
        """Sound of whichever path is in use, and messages. `ProtocolError` as the WebSocket's."""
        while (item := await self._items.get()) is not None:
            yield item
        if self._error is not None:
            raise self._error

    def attend(self, *, closely: bool) -> None:
        self._closely = closely
        if self._path is not None:
            self._path.attend(closely=closely)

    def play(self, frame: AudioFrame) -> None:
        self._driven = True
        if self._path is not None:
            self._path.tick()
        if self._path is not None and self._over_rtp:
            self._path.play(frame)
            return
        if self._path is not None:
            self._path.silence(frame.position)  # so that the caller sees media come through
        self.control.play(frame)

    def silence(self, position: int) -> None:
        self._driven = True
        if self._path is not None:
            self._path.tick()
            self._path.silence(position)
        if not self._over_rtp:
            self.control.silence(position)

    def flush(self) -> None:
        self.control.flush()

    def send(self, message: wire.ServerMessage) -> None:
        self.control.send(message)

    def dropped(self) -> int:
        dropped, self._dropped = self._dropped, 0
        if self._path is not None:
            dropped += self._path.dropped()
        return dropped + self.control.dropped()

    def quality(self) -> Quality | None:
        path = self._path
        if path is None:
            return None
        if path.arrived:
            self.control.is_heard()
        if path.trouble:
            self._end_path(path.trouble)
        if self._log is not None:
            self._log.moved(path.route)
        return path.quality()

    async def aclose(
        self, reason: CloseReason, text: str = "", retry_after_s: float | None = None
    ) -> None:
        self._end_path("")
        await self.control.aclose(reason, text, retry_after_s)

    # --- what comes over the WebSocket ----------------------------------------------------------

    async def _take_control(self) -> None:
        try:
            async with aclosing(self.control.received()) as items:
                async for item in items:
                    if (kept := self._kept(item)) is not None:
                        await self._items.put(kept)
        except ProtocolError as error:
            self._error = error
        self._end_path("")
        await self._items.put(None)

    def _kept(self, item: Received) -> Received | None:
        """What the session is to have; what is about the path is done here."""
        match item:
            case wire.Offer(sdp=sdp):
                self._offered(sdp)
                return None
            case wire.IceCandidate(candidate=candidate):
                if candidate is not None and not self._candidates.full():
                    self._candidates.put_nowait(candidate)
                return None
            case wire.PathReport():
                log_report(item)
                return None
            case wire.UsePath(path="websocket"):
                self._end_path("")
                return self._moved(over_rtp=False)
            case wire.UsePath():
                if self._path is not None and not self._ending():
                    return self._moved(over_rtp=True)
                self.send(wire.Error("no_path", "WebRTC is not connected"))
                return None
            case AudioFrame() if self._over_rtp:
                return None  # it was on its way when sound moved
            case _:
                return item

    def _offered(self, sdp: str) -> None:
        if (self._leave is not None and not self._ending()) or self._offers.full():
            self.send(wire.Error("bad_offer", "there is a WebRTC path on this connection already"))
        else:
            self._candidates = Candidates(MOST_CANDIDATES)
            self._offers.put_nowait((sdp, self._candidates))

    def _ending(self) -> bool:
        """The path is being closed; the next offer waits until that is done."""
        return self._leave is not None and self._leave.done()

    def _moved(self, *, over_rtp: bool) -> PathChanged | None:
        if self._over_rtp == over_rtp:
            return None
        self._over_rtp = over_rtp
        return PathChanged()

    # --- the WebRTC path ------------------------------------------------------------------------

    def _end_path(self, reason: str) -> None:
        """End it if there is one; the caller is told the reason unless it is empty."""
        if self._leave is not None and not self._leave.done():
            self._leave.set_result(reason)

    async def _keep_path(self) -> None:
        """One path after the other; each is over before the next offer is taken."""
        while True:
            sdp, candidates = await self._offers.get()
            peer = Peer(self._host, self._reach)
            self._leave = peer.over
            try:
                lost = await self._live(Attempt(peer, sdp, candidates, self._clock))
                self._path = None
                if (changed := self._moved(over_rtp=False)) is not None:
                    await self._items.put(changed)
                if lost:
                    self.send(wire.PathLost(lost))
            finally:
                self._path = self._log = None
                await peer.aclose()
                self._leave = None

    async def _live(self, attempt: Attempt) -> str:
        """From offer to the end of the path; the reason, where the caller is to be told."""
        try:
            answer = await attempt.answered(self._config)
        except BadOffer as error:
            self.send(wire.Error("bad_offer", str(error)))
            return ""
        except TimeoutError:
            return LATE
        self.send(wire.Answer(answer))
        peer = attempt.peer
        async with asyncio.TaskGroup() as group:
            adding = group.create_task(attempt.take_candidates(), name="webrtc/candidates")
            if await attempt.connected():
                self._log = attempt.log
                await prove(self._begin_path(peer), lambda: self._driven or peer.over.done())
                await peer.over
            adding.cancel()
        return attempt.ended()

    def _begin_path(self, peer: Peer) -> RtpPath:
        path = self._path = RtpPath(
            peer.packets,
            payload_type=peer.payload_type,
            name=self._session,
            opus=self._opus,
            config=self._config,
            clock=self._clock,
            heard=self._heard,
        )
        path.attend(closely=self._closely)
        return path

    def _heard(self, frame: AudioFrame) -> None:
        if not self._over_rtp:
            return
        if self._items.full():
            self._dropped += 1  # the session is 5 s behind
        else:
            self._items.put_nowait(frame)
