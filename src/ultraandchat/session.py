"""The conversation: transports attach to it and leave; it owns every task and the one inbox.

Session.run()  TaskGroup
├── receive    one for each transport: frames and messages → inbox
├── hello      gives up on a caller who never begins
├── listen     inbox → Floor; the only one that moves the floor
├── speak      woken by the shared ticker: Playout.due(now) → transport
├── words …    transcripts of utterances, for captions and for engines that read
├── reply n    none or one; started and cancelled by listen
└── timer …    at most `max_timers`
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

from ultraandchat import __version__
from ultraandchat.audio.frame import AudioFrame
from ultraandchat.dialogue.history import History
from ultraandchat.engines.base import Engines, Voice
from ultraandchat.events import (
    CallerReported,
    Dropped,
    PathMeasured,
    SessionClosed,
    SessionEvent,
    SessionOpened,
    StateChanged,
    TransportAttached,
)
from ultraandchat.floor import FASTEST, LOUDEST, SLOWEST, Floor, ReplyFailed, within
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.queue import SILENCE, Due
from ultraandchat.playout.ticker import Ticker
from ultraandchat.timeline import Timeline
from ultraandchat.transport import wire
from ultraandchat.transport.base import (
    CloseReason,
    PathChanged,
    ProtocolError,
    Received,
    Transport,
)
from ultraandchat.transport.telling import message_of
from ultraandchat.turn.events import Announcement
from ultraandchat.turn.policy import TurnPolicy
from ultraandchat.turn.taking import TurnState


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What one conversation keeps, and how it begins."""

    greeting: str | None = None
    """What the agent says first; unset: the engines' own greeting; "" for none."""
    max_history_exchanges: int = 64
    """Older exchanges are forgotten."""
    max_history_audio_s: float = 120.0
    """Seconds of the user's speech kept as sound; of what is older only the words stay."""
    max_timers: int = 16
    """Timers that may run at once in one conversation."""

    def __post_init__(self) -> None:
        if self.max_history_exchanges < 1 or self.max_timers < 0:
            raise ValueError("session.max_history_exchanges must be at least 1, max_timers 0")
        if self.max_history_audio_s < 0:
            raise ValueError("session.max_history_audio_s must not be negative")


MOST_WAITING = 256
"""Items in the inbox: 5 s of frames. When it is full, whoever puts waits; a transport then stops
reading, and its peer is held back by TCP (or its own buffer drops, and says so)."""
HELLO_S = 10.0
"""A caller who connects and says nothing for this long takes somebody else's place."""
DROP_REPORT_TICKS = 50
"""Once a second: frames the transport dropped."""


@dataclass(frozen=True, slots=True)
class _Left:
    """A transport's peer is gone."""

    reason: CloseReason


@dataclass(frozen=True, slots=True)
class _Attached:
    """A transport came."""


@dataclass(frozen=True, slots=True)
class _Unresumed:
    """Nobody came back within `resume_s`."""


_FromPeer: TypeAlias = Received | _Left | _Attached | _Unresumed
_Item: TypeAlias = tuple[Transport, _FromPeer] | Due | ReplyFailed | Announcement


class Session:
    """One conversation. History and turns are its own, never a transport's."""

    def __init__(
        self,
        engines: Engines,
        ticker: Ticker,
        *,
        name: str,
        turn: TurnPolicy,
        playout: PlayoutPolicy,
        config: SessionConfig,
        voice: str = "",
        resume_s: float = 0.0,
        observe: Callable[[SessionEvent], None],
    ) -> None:
        """A conversation whose transport left waits `resume_s` for another one, then ends."""
        self.name = name
        self._resume_s = resume_s
        self.history = History(
            max_exchanges=config.max_history_exchanges, max_audio_s=config.max_history_audio_s
        )
        self._engines = engines
        self._ticker = ticker
        self._config = config
        self._observe = observe
        self._timeline = Timeline(turn.endpoint_ms)
        self._floor = Floor(
            engines,
            ticker,
            self,
            turn=turn,
            playout=playout,
            history=self.history,
            voice=Voice(voice),
            max_timers=config.max_timers,
        )
        self._transport: Transport | None = None
        self._begun = False  # the caller said hello
        self._shown = TurnState.LISTENING
        self._closely = True  # as every transport begins
        self._clock = asyncio.get_running_loop().time
        self._inbox: asyncio.Queue[_Item] = asyncio.Queue(MOST_WAITING)
        self._over: asyncio.Future[CloseReason] = asyncio.get_running_loop().create_future()
        self._tasks: asyncio.TaskGroup | None = None
        self._children: set[asyncio.Task[None]] = set()

    # --- from outside -------------------------------------------------------------------------

    def attach(self, transport: Transport) -> None:
        """Talk through this transport from now on; the one before is closed."""
        before, self._transport = self._transport, transport
        self._closely = True
        if self._tasks is not None:
            self.spawn(self._receive(transport, before), f"receive {transport.name}")

    def stop(self, reason: CloseReason) -> None:
        """End the conversation from outside (the server stops); `run` then returns `reason`."""
        if not self._over.done():
            self._over.set_result(reason)

    async def run(self) -> CloseReason:
        """The whole conversation. Returns why it ended; raises only what is our own fault."""
        reason = CloseReason.FAULT
        self.tell(SessionOpened(self.now(), self.name))
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self.spawn(self._listen(), "listen")
                self.spawn(self._speak(), "speak")
                self.spawn(self._wait_for_hello(), "hello")
                if self._transport is not None:
                    self.attach(self._transport)
                reason = await self._over
                for child in self._children:
                    child.cancel()
        finally:
            self.tell(SessionClosed(self.now(), reason.value))
            await self._floor.words.aclose()
            if self._transport is not None:
                await self._transport.aclose(reason)
        return reason

    # --- what the floor needs (floor.Surroundings) --------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        assert self._tasks is not None
        task = self._tasks.create_task(work, name=f"session {self.name}/{name}")
        self._children.add(task)
        task.add_done_callback(self._children.discard)
        return task

    def tell(self, event: SessionEvent) -> None:
        """One event, three views: the observer (logs, metrics), the page, the timeline."""
        self._observe(event)
        message = message_of(event)
        if message is not None and self._begun:
            self._send(message)
        timed = self._timeline.follow(event)
        if timed is not None:
            self.tell(timed)

    def carry(self) -> Due | None:
        transport = self._transport
        if transport is None:
            return None
        now = self.now()
        due = self._floor.playout.due(now)
        for frame in due.frames:
            if frame.samples is SILENCE:
                transport.silence(frame.position)
            else:
                transport.play(frame)
        if due.late:
            self.tell(Dropped(now, "late frames", due.late))
        news = due.became_audible or due.clauses or due.ended is not None
        return due if news else None

    def flush(self) -> None:
        if self._transport is not None:
            self._transport.flush()

    async def notify(self, notice: ReplyFailed | Announcement | Due) -> None:
        await self._inbox.put(notice)

    def now(self) -> float:
        return self._clock()

    # --- the tasks ----------------------------------------------------------------------------

    async def _receive(self, transport: Transport, before: Transport | None) -> None:
        if before is not None and before is not transport:
            await before.aclose(CloseReason.REPLACED)
        await self._inbox.put((transport, _Attached()))
        reason = CloseReason.PEER_LEFT
        try:
            async with aclosing(transport.received()) as items:
                async for item in items:
                    await self._inbox.put((transport, item))
        except ProtocolError:
            reason = CloseReason.PROTOCOL
        await self._inbox.put((transport, _Left(reason)))

    async def _listen(self) -> None:
        floor = self._floor
        while True:
            deadline = floor.taking.deadline()
            if deadline is None:  # nearly always: a timer for each frame would cost more than this
                await self._take(await self._inbox.get())
            else:
                await self._take_before(deadline)
            self._attend()
            if floor.taking.state is not self._shown:
                self._shown = floor.taking.state
                self.tell(StateChanged(self.now(), self._shown.value, floor.taking.turn))

    def _attend(self) -> None:
        """Listen closely unless nobody has the floor and nobody is about to take it."""
        closely = self._floor.taking.state is not TurnState.LISTENING or not self._floor.ear.at_rest
        if closely is not self._closely and self._transport is not None:
            self._closely = closely
            self._transport.attend(closely=closely)

    async def _speak(self) -> None:
        ticks = 0
        while True:
            await self._ticker.tick()
            if (due := self.carry()) is not None:
                await self._inbox.put(due)
            ticks = (ticks + 1) % DROP_REPORT_TICKS
            transport = self._transport
            if ticks == 0 and transport is not None:
                if dropped := transport.dropped():
                    self.tell(Dropped(self.now(), "outgoing frames", dropped))
                if (quality := transport.quality()) is not None:
                    self.tell(PathMeasured(self.now(), quality))

    async def _wait_for_hello(self) -> None:
        await asyncio.sleep(HELLO_S)
        if not self._begun:
            self.stop(CloseReason.TIMED_OUT)

    async def _wait_for_another(self, transport: Transport) -> None:
        await asyncio.sleep(self._resume_s)
        await self._inbox.put((transport, _Unresumed()))

    async def _take_before(self, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                item = await self._inbox.get()
        except TimeoutError:
            await self._floor.act(self._floor.taking.tick(self.now()))
        else:
            await self._take(item)

    # --- listen: what came in -----------------------------------------------------------------

    async def _take(self, item: _Item) -> None:
        match item:
            case Due():
                await self._floor.played(item)
            case ReplyFailed():
                await self._floor.failed(item)
            case Announcement():
                await self._floor.announce(item)
            case (transport, what):
                if transport is self._transport:  # not one that was replaced
                    await self._from_peer(transport, what)

    async def _from_peer(self, transport: Transport, item: _FromPeer) -> None:
        match item:
            case AudioFrame():
                if self._begun:
                    await self._floor.hear(item)
            case _Attached() | PathChanged():
                self._floor.playout.carried_by(
                    lead_s=transport.lead_s,
                    flushes=transport.flushes,
                    patience_s=transport.patience_s,
                )
                if isinstance(item, _Attached):
                    self._floor.playout.resume()
                self._floor.ear.begin_stream()
                self.tell(TransportAttached(self.now(), transport.name))
            case _Left(reason=reason):
                if self._resume_s == 0:
                    self.stop(reason)
                else:
                    self._floor.playout.hold(self.now())
                    self.spawn(self._wait_for_another(transport), "resume")
            case _Unresumed():
                self.stop(CloseReason.PEER_LEFT)
            case wire.Hello():
                await self._hello(item)
            case _ if not self._begun:
                self._send(wire.Error("not_begun", "the first message must be hello"))
            case _:
                await self._message(item)

    async def _hello(self, hello: wire.Hello) -> None:
        if hello.protocol != wire.PROTOCOL_VERSION:
            self._send(wire.Error("bad_message", "this page is of another version; reload it"))
            return
        floor = self._floor
        floor.facts |= {"timezone": hello.timezone[:64], "language": hello.language[:32]}
        if hello.voice in self._engines.speech.voices:
            floor.voice = Voice(hello.voice, floor.voice.speed)
        self._send(self._welcome())
        if self._begun:
            return
        self._begun = True
        greeting = self._config.greeting
        greeting = self._engines.greeting if greeting is None else greeting
        if greeting:
            await floor.announce(Announcement(greeting))

    def _welcome(self) -> wire.Welcome:
        return wire.Welcome(
            session=self.name,
            server=__version__,
            transport=self._transport.name if self._transport else "",
            voices=list(self._engines.speech.voices),
            engines=[
                wire.EngineInfo(s.kind, s.name, s.state, s.detail) for s in self._engines.status()
            ],
            about=self._engines.about,
        )

    async def _message(self, message: wire.ClientMessage) -> None:
        now, floor = self.now(), self._floor
        match message:
            case wire.Mute(muted=muted):
                floor.ear.muted = muted
            case wire.Interrupt():
                await floor.act(floor.taking.interrupt(now))
            case wire.Say(text=text):
                await self._typed(text.strip())
            case wire.Press():
                await floor.act(floor.taking.press(now))
            case wire.Release():
                await floor.act(floor.taking.release(now))
            case wire.Settings():
                self._set(message)
            case wire.Ping(id=number, rtt_ms=rtt_ms):
                self._send(wire.Pong(number))
                self.tell(CallerReported(now, rtt_ms=rtt_ms))
            case wire.Playback(buffered_ms=buffered, underruns=underruns):
                self.tell(CallerReported(now, buffered_ms=buffered, underruns=underruns))
            case wire.Stats():
                self.tell(_reported(now, message))
            case wire.Bye():
                self.stop(CloseReason.PEER_LEFT)
            case wire.Offer() | wire.UsePath():
                self._send(wire.Error("no_path", "this connection has no WebRTC path"))
            case wire.Hello() | wire.IceCandidate():
                pass  # taken before

    async def _typed(self, text: str) -> None:
        if 0 < len(text) <= wire.MAX_TYPED_CHARS:
            await self._floor.act(self._floor.taking.typed(text, self.now()))
        else:
            most = wire.MAX_TYPED_CHARS
            self._send(wire.Error("bad_message", f"a typed turn has 1 to {most} characters"))

    def _set(self, settings: wire.Settings) -> None:
        floor = self._floor
        if settings.voice is not None and settings.voice not in self._engines.speech.voices:
            self._send(wire.Error("bad_message", "there is no such voice here"))
            return
        name = floor.voice.name if settings.voice is None else settings.voice
        speed = floor.voice.speed if settings.speed is None else settings.speed
        floor.voice = Voice(name, within(speed, SLOWEST, FASTEST))
        if settings.volume is not None:
            floor.playout.volume = within(settings.volume, 0.0, LOUDEST)

    def _send(self, message: wire.ServerMessage) -> None:
        if self._transport is not None:
            self._transport.send(message)


def _reported(now: float, stats: wire.Stats) -> CallerReported:
    return CallerReported(
        now,
        rtt_ms=stats.rtt_ms,
        buffered_ms=stats.buffered_ms,
        jitter_ms=stats.jitter_ms,
        received=stats.received,
        lost=stats.lost,
        concealed_ms=stats.concealed_ms,
    )
