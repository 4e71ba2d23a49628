"""What turn-taking decides, carried out: replies begun, held, let out and cut; history written.

A barge-in is: playout cut, transport flushed, reply cancelled, history written. Sound stops first;
tidying follows. Only the session's `listen` task calls anything here.
"""

import asyncio
from collections.abc import Callable, Coroutine
from types import MappingProxyType
from typing import Any, Protocol

from ultraandchat.answering import Answering
from ultraandchat.audio.frame import AudioFrame
from ultraandchat.dialogue.actions import (
    Action,
    CancelTimers,
    ChangeSpeed,
    ChangeVolume,
    SetTimer,
)
from ultraandchat.dialogue.history import Conversation, History
from ultraandchat.engines.base import EngineError, Engines, Prompt, Transcript, Voice
from ultraandchat.events import (
    ClauseSpoken,
    Dropped,
    Failed,
    Forgotten,
    ReplyAudible,
    ReplyBegun,
    ReplyClosed,
    ReplyDropped,
    ReplyReleased,
    SessionEvent,
    TranscriptReady,
    TurnNoticed,
    WordsHeard,
)
from ultraandchat.hearing import Ear
from ultraandchat.playout.earcon import earcon
from ultraandchat.playout.heard import Heard
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.queue import Due, Playout
from ultraandchat.playout.ticker import Ticker
from ultraandchat.reply import answer, recite
from ultraandchat.turn.events import (
    Announcement,
    AnnouncementDue,
    BargedIn,
    FloorFreed,
    OverlapPassed,
    OverlapStarted,
    SpeechStarted,
    TurnEnded,
    TurnEvent,
    TurnId,
    TypedText,
    UserTurn,
    UtterancePaused,
    UtteranceResumed,
)
from ultraandchat.turn.policy import TurnPolicy
from ultraandchat.turn.taking import TurnTaking
from ultraandchat.words import Words

CANCEL_PATIENCE_S = 1.0
"""An engine that does not let go of a cancelled reply by then is reported and left behind."""
LOUDEST, FASTEST = 2.0, 2.0
QUIETEST, SLOWEST = 0.1, 0.5
"""Bounds of volume and speed; a voice outside them is not understood."""


class Surroundings(Protocol):
    """What the floor needs of its session."""

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """A child task of the conversation."""
        ...

    def tell(self, event: SessionEvent) -> None: ...

    def carry(self) -> Due | None:
        """Send what is due now, without waiting for the next tick; what was news in it."""
        ...

    def flush(self) -> None:
        """Take back what was sent and is not audible yet."""
        ...

    async def notify(self, notice: "ReplyFailed | Announcement | Due") -> None:
        """Bring this to `listen`, which calls `failed`, `announce` or `played` with it."""
        ...

    def now(self) -> float:
        """The loop's clock, seconds."""
        ...


class ReplyFailed:
    """An engine failed while a reply was made."""

    def __init__(self, turn: TurnId, error: EngineError) -> None:
        self.turn = turn
        self.error = error


class Floor:
    """The turns of one conversation."""

    def __init__(
        self,
        engines: Engines,
        ticker: Ticker,
        around: Surroundings,
        *,
        turn: TurnPolicy,
        playout: PlayoutPolicy,
        history: History,
        voice: Voice,
        max_timers: int,
    ) -> None:
        self.ear = Ear(engines, turn)
        self.taking = TurnTaking(turn)
        self.playout = Playout(playout)
        self.history = history
        self.facts: dict[str, str] = {}
        self.voice = voice
        self._engines = engines
        self._ticker = ticker
        self._around = around
        self._policy = playout
        self._max_timers = max_timers
        self._timers: set[asyncio.Task[None]] = set()
        self._reply: Answering | None = None
        self._preparing: asyncio.Task[None] | None = None
        self.words = Words(
            engines.transcriber,
            around.spawn,
            on_partial=self._partial_words,
            on_final=self._final_words,
        )

    # --- what happens -------------------------------------------------------------------------

    async def hear(self, frame: AudioFrame) -> None:
        """The caller's sound."""
        for window, voiced in self.ear.hear(frame):
            self.words.hear(window)
            events = self.taking.hear(window, voiced, self._around.now())
            if events:
                await self.act(events)

    async def announce(self, announcement: Announcement) -> None:
        """Say it when nobody has the floor."""
        before = self.taking.announcements_dropped
        await self.act(self.taking.announce(announcement, self._around.now()))
        if self.taking.announcements_dropped > before:
            self._tell(Dropped(self._around.now(), "announcements", 1))

    async def played(self, due: Due) -> None:
        """Playout's news: a reply can be heard, a clause begins, all of it was heard."""
        now = self._around.now()
        if due.turn is None:
            return
        if due.became_audible:
            self._tell(ReplyAudible(now, due.turn))
            await self.act(self.taking.reply_became_audible(due.turn, now))
        reply = self._reply
        if reply is not None and reply.turn == due.turn:
            if due.became_audible or due.ended is not None:
                reply.perform()
            for clause in due.clauses:
                if 0 <= clause < len(reply.clauses):
                    self._tell(ClauseSpoken(now, reply.turn, clause, reply.clauses[clause]))
        if due.ended is not None:
            await self._close_reply(due.ended)
            await self.act(self.taking.reply_ended(due.ended.turn, now))

    async def forget(self) -> None:
        """Nothing that was said so far is known any more. A reply is cut; the user's own turn goes on, if they have
        the floor, and so do timers: they were asked for, and are still wanted."""
        await self.act(self.taking.interrupt(self._around.now()))
        self._stop_preparing()
        if self._reply is not None:  # made in a pause of the user's, out of what was said before
            await self._drop_reply(self._reply.turn)
        self.words.forget()
        self.playout.forget()
        self.history.forget()
        self._tell(Forgotten(self._around.now()))

    async def failed(self, notice: ReplyFailed) -> None:
        """A model failed: what was made of the reply is still heard, then a tone, or an apology that the
        voice has ready; the page says why."""
        reply = self._reply
        if reply is None or reply.turn != notice.turn:
            return
        if not reply.released:
            reply.failed = True  # nobody asked for it yet; it is tried again when the turn ends
            return
        error = notice.error
        self._tell(Failed(self._around.now(), notice.turn, error.engine, error.reason))
        answers = reply.said is not None  # else it may have been an apology
        apology = self._engines.phrases.apology(error, self._speaks_with()) if answers else ""
        await self.announce(Announcement(apology, earcon=not apology))

    async def act(self, events: list[TurnEvent]) -> None:
        """Carry out what turn-taking said, in order."""
        for event in events:
            self._tell(TurnNoticed(self._around.now(), event))
            match event:
                case SpeechStarted():
                    self._speech_started(event)
                case UtterancePaused(utterance=said):
                    self._begin_reply(said, released=False)
                case UtteranceResumed(turn=turn):
                    await self._drop_reply(turn)
                case TurnEnded():
                    await self._turn_ended(event)
                case OverlapStarted():
                    self.playout.hold(self._around.now())
                    self._around.flush()
                case OverlapPassed():
                    self.playout.resume()
                case BargedIn(turn=turn):
                    heard = self.playout.cut(turn, self._around.now())
                    self._around.flush()
                    await self._close_reply(heard)
                case FloorFreed(turn=turn, timed_out=timed_out):
                    await self._floor_freed(turn, timed_out)
                case AnnouncementDue(turn=turn, announcement=announcement):
                    self._announce(turn, announcement)

    # --- what turn-taking says ----------------------------------------------------------------

    def _speech_started(self, event: SpeechStarted) -> None:
        if event.joins is not None:
            self.history.withdraw(event.joins)
            self.words.drop(event.joins)
            self._take_back(event.joins)
        start = self.words.begin(event.turn, event.start, joins=event.joins is not None)
        recent = self.taking.sound_since(start)
        self.words.feed(recent, start + len(recent))
        self._stop_preparing()
        prepare = self._engines.language.prepare(self._conversation(before=event.turn))
        self._preparing = self._around.spawn(prepare, f"prepare {event.turn}")

    async def _turn_ended(self, event: TurnEnded) -> None:
        said, now = event.said, self._around.now()
        self.words.end()
        self.history.user_spoke(said)
        if isinstance(said, TypedText):
            self._tell(WordsHeard(now, said.turn, said.text, final=True, source="typed"))
        reply = self._reply
        if reply is not None and reply.said is said and event.answer and not reply.failed:
            self.history.words_known(said.turn, reply.words)
            reply.release()
            self._tell(ReplyReleased(now, said.turn))
            if (due := self._around.carry()) is not None:
                await self.played(due)
            return
        if reply is not None:
            await self._drop_reply(reply.turn)
        if event.answer:
            self._begin_reply(said, released=True)
        else:
            self.words.final(said)
            await asyncio.sleep(0)  # it is asked now, before the next utterance begins

    async def _floor_freed(self, turn: TurnId, timed_out: bool) -> None:
        if self._reply is not None and self._reply.turn == turn:
            await self._close_reply(self.playout.cut(turn, self._around.now()))
        if (silent := self.words.end()) is not None:  # a key pressed by mistake
            self._take_back(silent)
        if timed_out:
            self._tell(Failed(self._around.now(), turn, "reply", "no answer came in time"))
            await self.announce(Announcement("", earcon=True))

    # --- replies ------------------------------------------------------------------------------

    def _stop_preparing(self) -> None:
        """What is not ready by now is made by the reply itself, and must not be in its way."""
        if self._preparing is not None:
            self._preparing.cancel()
            self._preparing = None

    def _begin_reply(self, said: UserTurn, *, released: bool) -> None:
        self._stop_preparing()
        prompt = Prompt(said, self.words.final(said))
        conversation = self._conversation(before=said.turn)
        reply = self._open_reply(said.turn, said, released=released)
        self._make(reply, lambda: answer(prompt, conversation, self._engines, reply))

    def _conversation(self, *, before: TurnId) -> Conversation:
        """What a language model is told beside that turn."""
        earlier = self.history.exchanges(before=before)
        return Conversation(earlier, MappingProxyType(dict(self.facts)))

    def _announce(self, turn: TurnId, announcement: Announcement) -> None:
        reply = self._open_reply(turn, None, released=True)
        sound = earcon() if announcement.earcon else announcement.sound
        if sound is not None:
            self.playout.push(turn, -1, sound)
            self.playout.clause_done(turn, -1)
        self._make(reply, lambda: recite(announcement.text, self._engines.speech, reply))

    def _speaks_with(self) -> Voice:
        """As chosen; the usual one where that voice was removed meanwhile."""
        chosen = self.voice
        return chosen if chosen.name in self._engines.speech.voices else Voice("", chosen.speed)

    def _open_reply(self, turn: TurnId, said: UserTurn | None, *, released: bool) -> Answering:
        reply = Answering(
            turn,
            said,
            playout=self.playout,
            policy=self._policy,
            ticker=self._ticker,
            voice=self._speaks_with,
            tell=self._tell,
            do=self._do,
            carry=self._carry,
        )
        reply.released = released
        self._reply = reply
        self.playout.open(turn, released=released)
        self._tell(ReplyBegun(self._around.now(), turn, speculative=not released))
        if released:
            self._tell(ReplyReleased(self._around.now(), turn))
        return reply

    def _make(self, reply: Answering, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def make() -> None:
            try:
                await work()
            except EngineError as error:
                await self._around.notify(ReplyFailed(reply.turn, error))
            self.playout.finish(reply.turn)

        reply.task = self._around.spawn(make(), f"reply {reply.turn}")

    async def _carry(self) -> None:
        """For a reply's own task, which must not move the floor."""
        if (due := self._around.carry()) is not None:
            await self._around.notify(due)

    async def _drop_reply(self, turn: TurnId) -> None:
        """A speculative reply that nobody will hear."""
        self.words.drop(turn)
        reply, self._reply = self._reply, None
        if reply is not None:
            self.playout.cut(reply.turn, self._around.now())
            await self._stop_making(reply)
            self._tell(ReplyDropped(self._around.now(), reply.turn))

    async def _close_reply(self, heard: Heard) -> None:
        """The reply is over, one way or another: history gets what was heard of it."""
        reply = self._reply
        if reply is None or reply.turn != heard.turn:
            return
        self._reply = None
        await self._stop_making(reply)
        text = self.history.agent_spoke(reply.turn, reply.clauses, heard)
        written = " ".join(clause.strip() for clause in reply.clauses if clause.strip())
        unheard = written[len(text) :].strip() if written.startswith(text) else ""
        self._tell(ReplyClosed(self._around.now(), reply.turn, text, unheard, heard))

    async def _stop_making(self, reply: Answering) -> None:
        if not await reply.cancel(CANCEL_PATIENCE_S):
            late = "an engine did not stop when told to"
            self._tell(Failed(self._around.now(), reply.turn, "reply", late))

    def _do(self, action: Action) -> None:
        """What a reply wants done beside speaking."""
        match action:
            case SetTimer(after_s=after_s, announcement=announcement):
                if len(self._timers) >= self._max_timers:
                    self._tell(Dropped(self._around.now(), "timers", 1))
                    sorry = self._ring(0.0, no_more_timers(self._max_timers))
                    self._around.spawn(sorry, "sorry")
                    return
                timer = self._around.spawn(self._ring(after_s, announcement), "timer")
                self._timers.add(timer)
                timer.add_done_callback(self._timers.discard)
            case CancelTimers():
                for timer in self._timers:
                    timer.cancel()
            case ChangeVolume(factor=factor):
                self.playout.volume = within(self.playout.volume * factor, QUIETEST, LOUDEST)
            case ChangeSpeed(factor=factor):
                speed = within(self.voice.speed * factor, SLOWEST, FASTEST)
                self.voice = Voice(self.voice.name, speed)

    async def _ring(self, after_s: float, announcement: str) -> None:
        await asyncio.sleep(after_s)
        await self._around.notify(Announcement(announcement))

    # --- words --------------------------------------------------------------------------------

    def _partial_words(self, turn: TurnId, text: str) -> None:
        self._tell(WordsHeard(self._around.now(), turn, text, final=False, source="stream"))

    def _take_back(self, turn: TurnId) -> None:
        """That turn is none any more: its captions are to go."""
        self._tell(WordsHeard(self._around.now(), turn, "", final=True, source="withdrawn"))

    def _final_words(self, turn: TurnId, transcript: Transcript) -> None:
        now = self._around.now()
        if self._reply is not None and self._reply.turn == turn:
            self._reply.words = transcript.text  # for the history, which opens when the turn ends
        self.history.words_known(turn, transcript.text)
        self._tell(TranscriptReady(now, turn))
        self._tell(WordsHeard(now, turn, transcript.text, final=True, source=transcript.source))

    @property
    def _tell(self) -> Callable[[SessionEvent], None]:
        return self._around.tell


def no_more_timers(most: int) -> str:
    """What is said to one timer too many."""
    return f"That timer will not ring. I keep {most} at most."


def within(value: float, lowest: float, highest: float) -> float:
    """`value` between bounds; NaN becomes the lowest."""
    return min(max(value, lowest), highest) if value == value else lowest
