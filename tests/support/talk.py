"""A conversation told as a story, in virtual time: a scripted user, scripted engines, a real session.

talk = converse(
    speaks(at=0.5, for_=1.2),
    replies=[Reply("One two three. Four five six.")],
)
assert talk.agent_audible(2.6)
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from tests.support.clock import run_virtually
from ultraandchat.audio.frame import HEARING_RATE, PLAYOUT_RATE, Samples
from ultraandchat.audio.level import dbfs
from ultraandchat.dialogue.history import Exchange
from ultraandchat.engines.base import (
    Engines,
    EngineStatus,
    SpeechLanguageModel,
    SpeechSynthesizer,
    Transcriber,
)
from ultraandchat.engines.scripted import (
    Reply,
    ScriptedLanguage,
    ScriptedSpeech,
    ScriptedTranscriber,
    ScriptedVoiceActivity,
    tone,
)
from ultraandchat.engines.settings import ScriptedSettings
from ultraandchat.events import SessionEvent
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.ticker import Ticker
from ultraandchat.session import Session, SessionConfig
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import ClientMessage, Hello, ServerMessage
from ultraandchat.turn.policy import TurnPolicy

Event = TypeVar("Event", bound=SessionEvent)
Message = TypeVar("Message", bound=ServerMessage)

FRAME_S = 0.02
HELLO = Hello(timezone="Europe/Berlin")


@dataclass(frozen=True)
class Speech:
    """The user makes a voiced sound."""

    at: float
    for_: float


@dataclass(frozen=True)
class Deed:
    """The user (or the world) does something at an instant."""

    at: float
    do: Callable[["Stage"], Awaitable[None] | None]


def speaks(at: float, for_: float) -> Speech:
    return Speech(at, for_)


def tells(at: float, message: ClientMessage) -> Deed:
    """A control message from the page."""
    return Deed(at, lambda stage: stage.transport.tell(message))


def does(at: float, do: Callable[["Stage"], Awaitable[None] | None]) -> Deed:
    return Deed(at, do)


class Tokens:
    """Resume tokens that nobody checks here."""

    def __init__(self) -> None:
        self.given = 0
        self.arrivals = 0

    def fresh(self) -> str:
        self.given += 1
        return f"token {self.given}"

    def arrived(self) -> None:
        self.arrivals += 1


@dataclass
class Stage:
    """What a deed may reach."""

    session: Session
    transport: MemoryTransport
    engines: Engines
    paused: bool = False
    """The network is down: frames wait and arrive in a burst afterwards."""
    lost: bool = False
    """The network loses frames."""
    transports: list[MemoryTransport] = field(default_factory=list)


@dataclass
class Talk:
    """What came of it."""

    events: list[SessionEvent]
    stage: Stage
    reason: CloseReason | None
    open_tasks: list[str]

    @property
    def history(self) -> tuple[Exchange, ...]:
        return self.stage.session.history.exchanges()

    def all(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def one(self, kind: type[Event]) -> Event:
        (event,) = self.all(kind)
        return event

    def messages(self, kind: type[Message]) -> list[Message]:
        return [m for t in self.stage.transports for _, m in t.messages if isinstance(m, kind)]

    def states(self) -> list[str]:
        return [event.state for event in self.events if hasattr(event, "state")]

    def agent_audible(self, at: float, within: float = 0.04) -> bool:
        """Sound above −40 dBFS reaches the caller around this instant."""
        return any(
            at - within <= sent <= at + within and dbfs(frame.samples) > -40
            for transport in self.stage.transports
            for sent, frame in transport.frames
        )

    def first_sound(self, after: float = 0.0) -> float:
        """When the agent is first heard after an instant."""
        return min(
            sent
            for transport in self.stage.transports
            for sent, frame in transport.frames
            if sent >= after and dbfs(frame.samples) > -40
        )

    def last_sound(self, before: float = float("inf")) -> float:
        """The end of the last audible frame that began before an instant."""
        return max(
            sent + FRAME_S
            for transport in self.stage.transports
            for sent, frame in transport.frames
            if sent < before and dbfs(frame.samples) > -40
        )

    def sound_s(self) -> float:
        """Seconds of audible sound in all."""
        return sum(
            len(frame.samples) / PLAYOUT_RATE
            for transport in self.stage.transports
            for _, frame in transport.frames
            if dbfs(frame.samples) > -40
        )


def scripted_engines(
    *,
    replies: Sequence[Reply] = (),
    language: SpeechLanguageModel | None = None,
    speech: SpeechSynthesizer | None = None,
    transcriber: Transcriber | None = None,
    settings: ScriptedSettings | None = None,
    greeting: str = "",
) -> Engines:
    """Exact engines that call every loud window speech."""
    settings = settings or ScriptedSettings()
    return Engines(
        gate=ScriptedVoiceActivity(),
        hearing=ScriptedVoiceActivity(),
        language=language or ScriptedLanguage(settings, script=replies),
        speech=speech or ScriptedSpeech(settings),
        transcriber=transcriber or ScriptedTranscriber(),
        status=lambda: (EngineStatus("language", "scripted", "ready"),),
        about="Scripted engines.",
        greeting=greeting,
    )


def converse(
    *story: Speech | Deed,
    replies: Sequence[Reply] = (),
    engines: Engines | None = None,
    settings: ScriptedSettings | None = None,
    turn: TurnPolicy | None = None,
    playout: PlayoutPolicy | None = None,
    config: SessionConfig | None = None,
    hello: bool = True,
    lead_s: float = 0.0,
    flushes: bool = False,
    resume_s: float = 0.0,
    resume: Tokens | None = None,
    until: float = 12.0,
    frame_s: float = FRAME_S,
) -> Talk:
    """Play a story to its end (`until`, or the conversation's own) and tell what came of it."""
    events: list[SessionEvent] = []

    async def play() -> Talk:
        ticker = Ticker()
        given = engines or scripted_engines(replies=replies, settings=settings)
        session = Session(
            given,
            ticker,
            name="story",
            turn=turn or TurnPolicy(),
            playout=playout or PlayoutPolicy(),
            config=replace(config or SessionConfig(), resume_s=resume_s),
            resume=resume or (Tokens() if resume_s else None),
            observe=events.append,
        )
        transport = MemoryTransport(lead_s=lead_s, flushes=flushes)
        stage = Stage(session, transport, given, transports=[transport])
        if hello:
            session.attach(transport, HELLO)
        async with asyncio.TaskGroup() as world:
            ticking = world.create_task(ticker.run())
            running = world.create_task(session.run())
            user = world.create_task(_user(stage, story, until, frame_s))
            deeds = [world.create_task(_deed(stage, d)) for d in story if isinstance(d, Deed)]
            await asyncio.wait({running, user}, return_when=asyncio.FIRST_COMPLETED)
            session.stop(CloseReason.PEER_LEFT)
            reason = await running
            for task in (ticking, user, *deeds):
                task.cancel()
        left = [t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        return Talk(events, stage, reason, left)

    return run_virtually(play())


async def _deed(stage: Stage, deed: Deed) -> None:
    await asyncio.sleep(deed.at)
    done = deed.do(stage)
    if done is not None:
        await done


async def _user(stage: Stage, story: Sequence[Speech | Deed], until: float, frame_s: float) -> None:
    """Frames in real (virtual) time: a tone while the user speaks, silence otherwise."""
    loop = asyncio.get_running_loop()
    waiting: list[Samples] = []
    index = 0
    while (at := index * frame_s) < until:
        await asyncio.sleep(max(at + frame_s - loop.time(), 0))
        frame = _sound(story, at, frame_s)
        index += 1
        if stage.lost:
            await stage.transport.skip(len(frame))
        elif stage.transport.left:
            continue
        elif stage.paused:
            waiting.append(frame)
        else:
            for late in waiting:
                await stage.transport.say(late)
            waiting.clear()
            await stage.transport.say(frame)


def _sound(story: Sequence[Speech | Deed], at: float, frame_s: float) -> Samples:
    count = round(frame_s * HEARING_RATE)
    talking = any(isinstance(s, Speech) and s.at <= at + 1e-9 < s.at + s.for_ - 1e-9 for s in story)
    if not talking:
        return np.zeros(count, np.float32)
    start = round(at * HEARING_RATE)
    return tone(220.0, start, start + count, HEARING_RATE)
