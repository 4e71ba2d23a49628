"""A caller loses the network and comes back: at any instant, nothing is lost and nothing said twice."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from tests.support.clock import run_virtually
from tests.support.talk import (
    HELLO,
    Stage,
    Tokens,
    converse,
    does,
    scripted_engines,
    speaks,
    tells,
)
from ultraandchat.audio.frame import HEARING_RATE, PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.dialogue.actions import SetTimer
from ultraandchat.dialogue.history import Exchange
from ultraandchat.engines.base import Manner, Voice
from ultraandchat.engines.scripted import Reply, tone
from ultraandchat.events import SessionClosed, SessionEvent, Stalled
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.ticker import Ticker
from ultraandchat.session import RENEW_S, Session, SessionConfig
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import (
    AgentCaption,
    Bye,
    Hello,
    Mute,
    Ping,
    Press,
    ReplyDone,
    ResumeToken,
    Say,
    ServerMessage,
    State,
    UserCaption,
    Welcome,
)
from ultraandchat.turn.policy import TurnPolicy

FRAME_S = 0.02
FRAME = 960
RATE = 24_000
CLAUSE_S = 1.2
LATENCY_S = 0.08
"""Network and jitter buffer: so much of what was sent is lost with a connection."""
SPEECH = ((0.5, 1.5), (7.0, 8.0))
"""When she speaks, in seconds of being connected."""
END_S = 13.0


class Rising:
    """A voice whose level tells where in the reply a sample stands: each clause goes on where the one
    before stopped."""

    rate = RATE
    voices = ("rising",)

    def manner(self, voice: Voice) -> Manner:
        return Manner()

    async def synthesize(self, clause: str, voice: Voice) -> AsyncGenerator[Samples, None]:
        start = 0.1 + 0.2 * ["One", "Two", "Three"].index(clause.split()[0])
        yield np.linspace(start, start + 0.2, round(CLAUSE_S * RATE), dtype=np.float32)


@dataclass
class Drop:
    """The network goes at an instant of connected time, for so long."""

    at: float
    away_s: float


@dataclass
class Call:
    """What came of it."""

    heard: list[tuple[float, AudioFrame]] = field(default_factory=list)
    """Frames that she heard, with the instant of each."""
    messages: list[list[ServerMessage]] = field(default_factory=list)
    """Of each connection."""
    history: tuple[Exchange, ...] = ()
    events: list[SessionEvent] = field(default_factory=list)
    reason: CloseReason | None = None

    def told(self) -> list[tuple[str, str, bool]]:
        return [(e.words, e.reply, e.cut_short) for e in self.history]


class Listener:
    """One caller, on one connection after the other."""

    def __init__(self, call: Call, session: Session, *, lead_s: float, flushes: bool) -> None:
        self._call = call
        self._session = session
        self._how = {"lead_s": lead_s, "flushes": flushes}
        self._position = 0  # she knows that she has heard nothing yet
        self.line = MemoryTransport()

    def connects(self) -> None:
        self.line = MemoryTransport(**self._how)  # type: ignore[arg-type]
        hello = Hello(timezone=HELLO.timezone, resume="t", heard=self._position)
        self._session.attach(self.line, hello)

    def is_cut_off(self, now: float) -> None:
        """What is on its way then never arrives."""
        frames = self.line.frames
        if frames:
            begun, first = frames[0]
            for sent, frame in frames:
                due = begun + (frame.position - first.position) / PLAYOUT_RATE
                if max(sent, due) + LATENCY_S <= now:
                    self._call.heard.append((now, frame))
                    self._position = frame.end % 2**32
        self._call.messages.append([message for _, message in self.line.messages])
        self.line.hang_up()


def call(*drops: Drop, lead_s: float = 0.0, flushes: bool = False, resume_s: float = 60.0) -> Call:
    """A conversation of two turns with these drops in it."""
    made = Call()

    async def play() -> None:
        loop, ticker = asyncio.get_running_loop(), Ticker()
        replies = [Reply("One two three. ", "Two four six. ", "Three is all.") for _ in range(2)]
        session = Session(
            scripted_engines(replies=replies, speech=Rising()),
            ticker,
            name="story",
            turn=TurnPolicy(),
            playout=PlayoutPolicy(fade_ms=1),
            config=SessionConfig(resume_s=resume_s),
            resume=Tokens(),
            observe=made.events.append,
        )
        caller = Listener(made, session, lead_s=lead_s, flushes=flushes)
        async with asyncio.TaskGroup() as world:
            ticking = world.create_task(ticker.run())
            running = world.create_task(session.run())
            caller.connects()
            todo = sorted(drops, key=lambda drop: drop.at)
            for step in range(round(END_S / FRAME_S)):
                at = step * FRAME_S
                if todo and todo[0].at <= at:
                    caller.is_cut_off(loop.time())
                    await asyncio.sleep(todo.pop(0).away_s)
                    if running.done():
                        break
                    caller.connects()
                await asyncio.sleep(FRAME_S)
                await caller.line.say(_says(at))
            await asyncio.sleep(LATENCY_S)
            caller.is_cut_off(loop.time())
            made.history = session.history.exchanges()
            session.stop(CloseReason.PEER_LEFT)
            made.reason = await running
            ticking.cancel()

    run_virtually(play())
    return made


def _says(at: float) -> Samples:
    count = round(FRAME_S * HEARING_RATE)
    if not any(begin <= at < end for begin, end in SPEECH):
        return np.zeros(count, np.float32)
    start = round(at * HEARING_RATE)
    return tone(220.0, start, start + count, HEARING_RATE)


def places(heard: list[tuple[float, AudioFrame]]) -> list[float]:
    """Where in its reply each frame stands, in frames, by its level in the middle."""
    middles = [float(np.median(frame.samples)) for _, frame in heard]
    whole = 3 * CLAUSE_S / FRAME_S
    return [(middle - 0.1) / 0.6 * whole for middle in middles]


def assert_heard_once(heard: list[tuple[float, AudioFrame]], replies: int) -> None:
    """Every part of every reply, in order, once: each frame stands one behind the one before."""
    stood = places(heard)
    whole = 3 * CLAUSE_S / FRAME_S
    begins = [0] + [n for n in range(1, len(stood)) if stood[n] < stood[n - 1] - whole / 2]
    assert len(begins) == replies
    for begin, end in zip(begins, [*begins[1:], len(stood)], strict=True):
        reply = stood[begin:end]
        assert reply[0] < 1.5
        assert reply[-1] > whole - 3.5  # the last frame is part silence
        steps = np.diff(reply)
        assert steps.min() > 0.4, "something was said twice"
        assert steps.max() < 2.1, "something was lost"


REFERENCE = call()
WAYS = [(0.0, False), (0.06, True)]
"""Lead and flushes: as WebRTC, as the WebSocket."""


def test_the_reference_is_two_turns_heard_whole() -> None:
    assert len(REFERENCE.history) == 2
    assert not any(exchange.cut_short for exchange in REFERENCE.history)
    assert_heard_once(REFERENCE.heard, 2)


@pytest.mark.parametrize("seed", range(100))
def test_at_any_instant_the_history_is_equal_and_every_part_of_a_reply_is_heard_once(
    seed: int,
) -> None:
    chance = random.Random(seed)
    drop = Drop(chance.uniform(0.1, END_S - 0.5), chance.uniform(0.0, 20.0))
    lead_s, flushes = chance.choice(WAYS)
    came = call(drop, lead_s=lead_s, flushes=flushes)
    assert came.told() == REFERENCE.told()
    assert_heard_once(came.heard, 2)


@pytest.mark.parametrize("seed", range(20))
def test_many_drops_in_one_conversation_are_no_different(seed: int) -> None:
    chance = random.Random(seed)
    instants = sorted(chance.uniform(0.1, END_S - 0.5) for _ in range(5))
    drops = [Drop(at, chance.uniform(0.0, 5.0)) for at in instants]
    lead_s, flushes = chance.choice(WAYS)
    came = call(*drops, lead_s=lead_s, flushes=flushes)
    # Up to 50 ms of hers is lost with each connection, so of her words one may be missing.
    assert [told[1:] for told in came.told()] == [told[1:] for told in REFERENCE.told()]
    assert_heard_once(came.heard, 2)


def test_nobody_comes_back() -> None:
    came = call(Drop(3.0, 100.0), resume_s=5.0)
    assert came.reason is CloseReason.PEER_LEFT
    assert came.events[-1].at == pytest.approx(8.0, abs=0.1)


def test_who_comes_back_is_told_what_was_said_and_what_goes_on() -> None:
    """In the middle of the second reply: the first exchange, her words, and the clauses begun."""
    came = call(Drop(10.5, 1.0))
    first, second = came.messages
    assert isinstance(first[0], Welcome)
    welcome, *told = second
    assert isinstance(welcome, Welcome)
    assert (first[0].resumed, welcome.resumed) == (False, True)
    assert first[0].resume != welcome.resume
    assert welcome.session == first[0].session
    until = next(n for n, message in enumerate(told) if isinstance(message, State))
    replayed = told[:until]
    assert [m.text for m in replayed if isinstance(m, UserCaption)] == ["one two three"] * 2
    assert [m.heard for m in replayed if isinstance(m, ReplyDone)] == [came.history[0].reply]
    shown = [m.text for m in replayed if isinstance(m, AgentCaption)]
    assert shown == [m.text for m in first if isinstance(m, AgentCaption)][3:]
    assert told[until] == State("agent speaking", 2)


# --- smaller stories ------------------------------------------------------------------------------


def come_back(**hello: object) -> Callable[[Stage], None]:
    """On another connection."""

    def do(stage: Stage) -> None:
        stage.transports.append(MemoryTransport())
        stage.session.attach(stage.transports[-1], Hello(**hello))  # type: ignore[arg-type]

    return do


def leave(stage: Stage) -> None:
    stage.transport.hang_up()


def test_a_reply_that_gets_ready_meanwhile_is_said_afterwards() -> None:
    """However late: nobody was there to wait for it."""
    talk = converse(
        tells(0.5, Say("a")), does(0.55, leave), does(25.0, come_back()), resume_s=60, until=32
    )
    assert talk.first_sound() == pytest.approx(25.0, abs=0.05)
    assert talk.sound_s() == pytest.approx(4.0, abs=0.1)
    assert not talk.history[0].cut_short


def test_a_timer_that_rings_meanwhile_is_announced_afterwards() -> None:
    talk = converse(
        tells(0.2, Say("a")),
        does(6.0, leave),
        does(20.0, come_back()),
        replies=[Reply("Very well then.", SetTimer(5.0, "Your timer is up."))],
        resume_s=60,
        until=26,
    )
    assert not talk.agent_audible(12.0)
    assert talk.first_sound(after=7.0) == pytest.approx(20.0, abs=0.6)
    assert talk.history[-1].reply == "Your timer is up."


def test_a_goodbye_ends_it_at_once() -> None:
    talk = converse(tells(2.0, Bye()), resume_s=60, until=30)
    assert talk.one(SessionClosed).at == pytest.approx(2.0, abs=0.1)


def test_a_key_that_is_held_when_the_network_goes_is_let_go() -> None:
    talk = converse(
        tells(0.5, Press()),
        speaks(at=0.6, for_=1.0),
        does(2.0, leave),
        does(4.0, come_back()),
        resume_s=60,
        until=12,
    )
    assert talk.first_sound() == pytest.approx(4.0, abs=0.05)
    assert talk.states()[-1] == "listening"


def test_a_page_that_comes_back_is_heard_though_the_one_before_was_muted() -> None:
    talk = converse(
        tells(0.1, Mute(True)), does(0.3, leave), does(0.5, come_back()), resume_s=60, until=1
    )
    assert not talk.stage.session.muted


def test_the_newest_token_counts_once_she_has_spoken_behind_the_welcome() -> None:
    tokens = Tokens()
    converse(tells(1.0, Ping(1)), resume=tokens, resume_s=60, until=2)
    assert (tokens.given, tokens.arrivals) == (1, 1)


def test_a_caller_who_stays_is_given_fresh_tokens() -> None:
    talk = converse(resume_s=60, until=2 * RENEW_S + 1)
    fresh = [message.token for message in talk.messages(ResumeToken)]
    assert fresh == ["token 2", "token 3"]


def test_while_sound_does_not_get_through_the_reply_waits() -> None:
    def stalls(stalled: bool) -> Callable[[Stage], None]:
        return lambda stage: setattr(stage.transport, "stalled", stalled)

    talk = converse(tells(0.5, Say("a")), does(2.0, stalls(True)), does(5.0, stalls(False)))
    assert not any(talk.agent_audible(at) for at in (2.1, 3.0, 4.9))
    assert talk.agent_audible(5.1)
    assert talk.sound_s() == pytest.approx(4.0, abs=0.05)
    assert [event.stalled for event in talk.all(Stalled)] == [True, False]
    assert not talk.history[0].cut_short
