"""The conversation: transports attach to it and leave; it owns every task and the one inbox.

Session.run()  TaskGroup
├── receive    one for each transport: frames and messages → inbox
├── listen     inbox → Floor; the only one that moves the floor
├── speak      woken by the shared ticker: Playout.due(now) → transport
├── renew      a fresh resume token, long before the last one expires
├── words …    transcripts of utterances, for captions and for engines that read
├── reply n    none or one; started and cancelled by listen
└── timer …    at most `max_timers`

A caller who goes without a word is waited for. Meanwhile nothing is carried, no deadline passes, and
who comes back hears the rest of the reply from the sample up to which they had heard it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from ultraandchat import __version__
from ultraandchat.audio.frame import AudioFrame
from ultraandchat.captions import Captions
from ultraandchat.controls import Controls
from ultraandchat.dialogue.history import History
from ultraandchat.engines.base import Engines, Voice
from ultraandchat.events import (
    Dropped,
    PathMeasured,
    SessionClosed,
    SessionEvent,
    SessionOpened,
    Stalled,
    StateChanged,
    TransportAttached,
    TransportLeft,
)
from ultraandchat.floor import Floor, ReplyFailed, no_more_timers
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.queue import Due
from ultraandchat.playout.sound import SILENCE
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
    resume_s: float = 60.0
    """A conversation whose caller is gone without a goodbye waits so long for them; 0: it ends at once."""

    def __post_init__(self) -> None:
        if self.max_history_exchanges < 1 or self.max_timers < 0:
            raise ValueError("session.max_history_exchanges must be at least 1, max_timers 0")
        if self.max_history_audio_s < 0:
            raise ValueError("session.max_history_audio_s must not be negative")
        if not 0 <= self.resume_s <= 3600:
            raise ValueError("session.resume_s must be 0…3600")

    def greeted(self, engines: Engines) -> str:
        """What the agent says first; empty for nothing."""
        return engines.greeting if self.greeting is None else self.greeting

    def known_sentences(self, engines: Engines) -> tuple[str, ...]:
        """What every conversation may come to say word for word."""
        said = (self.greeted(engines), no_more_timers(self.max_timers))
        return tuple(sentence for sentence in said if sentence)


MOST_WAITING = 256
"""Items in the inbox: 5 s of frames. When it is full, whoever puts waits; a transport then stops
reading, and its peer is held back by TCP (or its own buffer drops, and says so)."""
RENEW_S = 600.0
"""Between fresh resume tokens: often enough for a token that is good for 30 min (server/resume.py)."""
DROP_REPORT_TICKS = 50
"""Once a second: frames the transport dropped."""


@dataclass(frozen=True, slots=True)
class _Left:
    """A transport's peer is gone."""

    reason: CloseReason


@dataclass(frozen=True, slots=True)
class _Coming:
    """A caller came on this transport."""

    transport: Transport
    hello: wire.Hello
    over: asyncio.Future[CloseReason]
    """Done when the conversation is done with the transport."""


@dataclass(frozen=True, slots=True)
class _Unresumed:
    """Nobody came back within `resume_s`."""


_FromPeer: TypeAlias = Received | _Left | _Coming | _Unresumed
_Item: TypeAlias = tuple[Transport, _FromPeer] | Due | ReplyFailed | Announcement


class Pass(Protocol):
    """What lets a caller come back to one conversation (server/resume.py)."""

    def fresh(self) -> str:
        """A new token."""
        ...

    def arrived(self) -> None:
        """The caller has the newest token: those before it are good for nothing."""
        ...


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
        resume: Pass | None = None,
        observe: Callable[[SessionEvent], None],
    ) -> None:
        """With `resume`, callers are given tokens to come back with."""
        self.name = name
        self.left_at: float | None = None
        """Since when nobody is there, loop time; None: somebody is."""
        self._resume = resume
        self.history = History(
            max_exchanges=config.max_history_exchanges, max_audio_s=config.max_history_audio_s
        )
        self._engines = engines
        self._ticker = ticker
        self._config = config
        self._observe = observe
        self._timeline = Timeline(turn.endpoint_ms)
        self._captions = Captions()
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
        self._controls = Controls(
            self._floor, engines, now=self.now, send=self._send, tell=self.tell, stop=self.stop
        )
        self._transport: Transport | None = None
        self._told = False  # what is there hears of everything: it was welcomed
        self._proven = False  # the caller has spoken since, so the welcome arrived
        self._begun = False  # somebody was welcomed
        self._shown = TurnState.LISTENING
        self._closely = True  # as every transport begins
        self._clock = asyncio.get_running_loop().time
        self._inbox: asyncio.Queue[_Item] = asyncio.Queue(MOST_WAITING)
        self._over: asyncio.Future[CloseReason] = asyncio.get_running_loop().create_future()
        self._tasks: asyncio.TaskGroup | None = None
        self._children: set[asyncio.Task[None]] = set()
        self._early: list[_Coming] = []  # who came before `run`; one

    @property
    def muted(self) -> bool:
        """The caller's sound counts as silence."""
        return self._floor.ear.muted

    @property
    def sensitivity(self) -> float | None:
        """The caller's own level below which sound is not speech, dBFS."""
        return self._floor.ear.sensitivity

    # --- from outside -------------------------------------------------------------------------

    def attach(self, transport: Transport, hello: wire.Hello) -> asyncio.Future[CloseReason]:
        """Talk through this transport from now on, to the caller who said hello; the one before is closed.

        What is returned is done when the conversation is done with the transport, and says why.
        """
        coming = _Coming(transport, hello, asyncio.get_running_loop().create_future())
        if self._over.done():
            coming.over.set_result(self._over.result())
        elif self._tasks is None:
            self._early.append(coming)
        else:
            self.spawn(self._receive(coming), f"receive {transport.name}")
        return coming.over

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
                if self._resume is not None:
                    self.spawn(self._renew(self._resume), "renew")
                for coming in self._early:
                    self.spawn(self._receive(coming), f"receive {coming.transport.name}")
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
        self._captions.follow(event)
        message = message_of(event)
        if message is not None and self._told:
            self._send(message)
        timed = self._timeline.follow(event)
        if timed is not None:
            self.tell(timed)

    def carry(self) -> Due | None:
        transport = self._transport
        if transport is None or self.left_at is not None:
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

    async def _receive(self, coming: _Coming) -> None:
        transport = coming.transport
        reason = CloseReason.PEER_LEFT
        try:
            await self._inbox.put((transport, coming))
            async with aclosing(transport.received()) as items:
                async for item in items:
                    await self._inbox.put((transport, item))
        except ProtocolError:
            reason = CloseReason.PROTOCOL
        finally:
            if self._over.done():
                reason = self._over.result()
            elif transport is not self._transport:
                reason = CloseReason.REPLACED
            coming.over.set_result(reason)
        await self._inbox.put((transport, _Left(reason)))

    async def _listen(self) -> None:
        floor = self._floor
        while True:
            deadline = None if self.left_at is not None else floor.taking.deadline()
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
            transport = self._transport
            if transport is None or self.left_at is not None:
                continue
            if transport.stalled is not self._floor.playout.waiting:
                self._stall(transport.stalled)
            ticks = (ticks + 1) % DROP_REPORT_TICKS
            if ticks == 0:
                if dropped := transport.dropped():
                    self.tell(Dropped(self.now(), "outgoing frames", dropped))
                if (quality := transport.quality()) is not None:
                    self.tell(PathMeasured(self.now(), quality))

    def _stall(self, stalled: bool) -> None:
        """Sound does not get through at present: the reply waits where it is, and goes on afterwards."""
        self._floor.playout.waiting = stalled
        self.tell(Stalled(self.now(), stalled))

    async def _renew(self, resume: Pass) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            if self._told:
                self._send(wire.ResumeToken(resume.fresh()))

    async def _wait_for_another(self, transport: Transport) -> None:
        await asyncio.sleep(self._config.resume_s)
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
            case (_, _Coming() as coming):
                await self._attached(coming)
            case (transport, what):
                if transport is self._transport:  # not one that was replaced
                    await self._from_peer(transport, what)

    async def _from_peer(self, transport: Transport, item: _FromPeer) -> None:
        match item:
            case AudioFrame():
                await self._floor.hear(item)
            case PathChanged():
                self._carried_by(transport)
            case _Left(reason=reason):
                await self._left(transport, reason)
            case _Unresumed():
                if self.left_at is not None:
                    self.stop(CloseReason.PEER_LEFT)
            case _Coming():
                pass  # taken before
            case _:
                if not isinstance(item, wire.Stats):  # those are sent before a welcome, too
                    self._prove()
                await self._controls.take(item)

    async def _attached(self, coming: _Coming) -> None:
        """Somebody is there: for the first time, again, or on another way."""
        transport, hello = coming.transport, coming.hello
        before, self._transport = self._transport, transport
        now, floor = self.now(), self._floor
        if self.left_at is not None:
            floor.taking.waited(now - self.left_at)
            self.left_at = None
        elif before is not None:  # replaced: somebody was there until now
            floor.playout.leave(now)
            self.spawn(before.aclose(CloseReason.REPLACED), "close")
        rest = floor.playout.come_back(hello.heard)
        self._closely = True  # as every transport begins
        self._carried_by(transport)
        self._greet(hello)
        if len(rest) and floor.taking.state is TurnState.LISTENING:
            await floor.announce(Announcement("", sound=rest))
        greeting = self._config.greeted(self._engines)
        if greeting and before is None:
            await floor.announce(Announcement(greeting))

    def _greet(self, hello: wire.Hello) -> None:
        """Welcome them; who comes back is told what a page needs that may know nothing any more."""
        floor = self._floor
        floor.facts |= {"timezone": hello.timezone[:64], "language": hello.language[:32]}
        self._controls.greet(hello)
        floor.ear.muted = False  # a page that is muted says so again
        resumed, self._begun = self._begun, True
        self._send(self._welcome(resumed=resumed))
        if resumed:
            for message in self._captions.messages():
                self._send(message)
            self._send(wire.State(floor.taking.state.value, floor.taking.turn))
        self._told, self._proven = True, False

    def _carried_by(self, transport: Transport) -> None:
        self._floor.playout.carried_by(
            lead_s=transport.lead_s,
            flushes=transport.flushes,
            patience_s=transport.patience_s,
        )
        self._floor.ear.begin_stream()
        self.tell(TransportAttached(self.now(), transport.name))

    async def _left(self, transport: Transport, reason: CloseReason) -> None:
        """The caller is gone without a goodbye."""
        self._told = False
        if self._config.resume_s == 0 or self._resume is None:
            self.stop(reason)
            return
        now = self.left_at = self.now()
        self._floor.playout.leave(now)
        self.tell(TransportLeft(now, reason.value))
        self.spawn(self._wait_for_another(transport), "resume")
        if self._floor.taking.state is TurnState.USER_HOLDING:  # nobody holds the key any more
            await self._floor.act(self._floor.taking.release(now))

    def _prove(self) -> None:
        """The caller tells something after the welcome, so that has come to them."""
        if not self._proven:
            self._proven = True
            if self._resume is not None:
                self._resume.arrived()

    def _welcome(self, *, resumed: bool) -> wire.Welcome:
        return wire.Welcome(
            session=self.name,
            server=__version__,
            transport=self._transport.name if self._transport else "",
            voices=list(self._engines.speech.voices),
            engines=[
                wire.EngineInfo(s.kind, s.name, s.state, s.detail) for s in self._engines.status()
            ],
            about=self._engines.about,
            resume=self._resume.fresh() if self._resume is not None else "",
            resume_s=self._config.resume_s if self._resume is not None else 0.0,
            resumed=resumed,
        )

    def _send(self, message: wire.ServerMessage) -> None:
        if self._transport is not None:
            self._transport.send(message)
