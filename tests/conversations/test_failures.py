"""What goes wrong, and whom it costs what: engines that hang, fail and lie; peers that vanish."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.support.talk import Stage, converse, does, scripted_engines, speaks, tells
from ultraandchat.audio.frame import Samples
from ultraandchat.dialogue.actions import (
    Action,
    CancelTimers,
    ChangeSpeed,
    ChangeVolume,
    SetTimer,
)
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import EngineError, Manner, Prompt, ReplyPart, Transcript, Voice
from ultraandchat.engines.scripted import (
    Reply,
    ScriptedSettings,
    ScriptedSpeech,
    ScriptedTranscriber,
    Sound,
    Wait,
    Words,
)
from ultraandchat.events import (
    ClauseSpoken,
    Dropped,
    Failed,
    ReplyClosed,
    ReplyDropped,
    SessionClosed,
)
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import (
    Bye,
    Closing,
    Error,
    Flush,
    Hello,
    Interrupt,
    Notice,
    Ping,
    Pong,
    Say,
    Settings,
    Welcome,
)
from ultraandchat.turn.events import Utterance

QUICK = ScriptedSettings(clause_s=1.0)


def test_a_voice_that_fails_in_mid_reply_costs_the_rest_of_it_and_a_tone_says_so() -> None:
    tone = np.full(24_000, 0.2, np.float32)
    speech = ScriptedSpeech(QUICK, script=[Sound(tone, EngineError("scripted", "the voice broke"))])
    engines = scripted_engines(speech=speech, settings=QUICK)
    talk = converse(tells(0.5, Say("a")), tells(6.0, Say("b")), engines=engines)
    assert [m.text for m in talk.messages(Notice)] == ["the voice broke"]
    assert [e.reply for e in talk.history if e.said][1] == "One two three. Four five six."
    assert talk.reason is CloseReason.PEER_LEFT


class Sorry:
    """A voice that has an apology ready for everything."""

    def keep(self, sentences: Sequence[str]) -> None: ...

    def apology(self, error: EngineError, voice: Voice) -> str:
        return "Sorry about that."


def test_a_voice_that_has_an_apology_ready_says_it_instead_of_the_tone() -> None:
    lost = Sound(np.full(24_000, 0.2, np.float32), EngineError("scripted", "the voice broke"))
    engines = scripted_engines(speech=ScriptedSpeech(QUICK, script=[lost]), settings=QUICK)
    talk = converse(tells(0.5, Say("a")), engines=replace(engines, phrases=Sorry()), until=6)
    assert [said.text for said in talk.all(ClauseSpoken)][-1] == "Sorry about that."
    assert talk.sound_s() == pytest.approx(2.0, abs=0.1)  # a second of each, and no tone
    assert talk.history[-1].reply == "Sorry about that."


def test_an_apology_that_fails_too_ends_with_the_tone() -> None:
    broken = [Sound(EngineError("scripted", "the voice broke"))] * 9
    engines = scripted_engines(speech=ScriptedSpeech(QUICK, script=broken), settings=QUICK)
    talk = converse(tells(0.5, Say("a")), engines=replace(engines, phrases=Sorry()), until=6)
    assert len(talk.all(Failed)) == 2
    assert 0 < talk.sound_s() < 1.0
    assert talk.states()[-1] == "listening"


def test_a_voice_that_gives_nan_is_silent_and_harms_nobody() -> None:
    broken = np.full(24_000, np.nan, np.float32)
    speech = ScriptedSpeech(QUICK, script=[Sound(broken)])
    engines = scripted_engines(speech=speech, replies=[Reply("Only this.")], settings=QUICK)
    talk = converse(tells(0.5, Say("a")), engines=engines, until=5)
    assert talk.states()[-1] == "listening"
    sent = [f.samples for _, f in talk.stage.transport.frames]
    assert all(np.isfinite(samples).all() for samples in sent)


def test_a_transcriber_that_fails_costs_the_captions_and_not_the_answer() -> None:
    transcriber = ScriptedTranscriber(script=[Words(EngineError("scripted", "deaf"))])
    talk = converse(speaks(at=0.5, for_=1.0), engines=scripted_engines(transcriber=transcriber))
    assert talk.history[0].words == ""
    assert talk.history[0].reply == "One two three. Four five six."


def test_words_that_come_after_the_reply_began_still_reach_the_history() -> None:
    transcriber = ScriptedTranscriber(script=[Words(Wait(3.0), "late words")])
    talk = converse(speaks(at=0.5, for_=1.0), engines=scripted_engines(transcriber=transcriber))
    assert talk.history[0].words == "late words"


def test_a_model_that_reads_gets_the_words_once_they_are_there() -> None:
    class Reader:
        async def respond(
            self, prompt: Prompt, conversation: Conversation
        ) -> AsyncGenerator[ReplyPart, None]:
            yield f"You said {(await prompt.words()).text}."

        async def prepare(self, conversation: Conversation) -> None: ...

    transcriber = ScriptedTranscriber(script=[Words(Wait(1.0), "good morning")])
    engines = scripted_engines(language=Reader(), transcriber=transcriber, settings=QUICK)
    talk = converse(speaks(at=0.5, for_=1.0), engines=engines)
    assert talk.history[0].reply == "You said good morning."


class Stubborn:
    """A voice that does not let go when it is cancelled, for a while."""

    rate = 24_000
    voices = ("tone",)

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s

    def manner(self, voice: Voice) -> Manner:
        return Manner()

    async def synthesize(self, clause: str, voice: Voice) -> AsyncGenerator[Samples, None]:
        try:
            while True:
                await asyncio.sleep(0.1)
                yield np.full(4_800, 0.2, np.float32)
        finally:
            await asyncio.sleep(self._for_s)


def test_an_engine_that_lets_go_slowly_delays_no_silence() -> None:
    engines = scripted_engines(speech=Stubborn(0.8))
    talk = converse(tells(0.5, Say("a")), tells(3.0, Interrupt()), engines=engines, until=6)
    assert talk.last_sound() < 3.08
    assert talk.all(Failed) == []


def test_an_engine_that_does_not_let_go_is_left_behind_and_said_so() -> None:
    engines = scripted_engines(speech=Stubborn(5.0))
    talk = converse(tells(0.5, Say("a")), tells(3.0, Interrupt()), engines=engines, until=12)
    assert [f.reason for f in talk.all(Failed)] == ["an engine did not stop when told to"]
    assert not talk.open_tasks


def test_a_slow_listener_holds_a_quick_voice_back() -> None:
    made: list[float] = []

    class Quick:
        rate = 24_000
        voices = ("tone",)

        def manner(self, voice: Voice) -> Manner:
            return Manner()

        async def synthesize(self, clause: str, voice: Voice) -> AsyncGenerator[Samples, None]:
            for _ in range(60):
                made.append(asyncio.get_running_loop().time())
                yield np.full(24_000, 0.2, np.float32)

    engines = scripted_engines(speech=Quick(), replies=[Reply("A minute of this.")])
    talk = converse(
        tells(0.5, Say("a")), engines=engines, playout=PlayoutPolicy(ahead_s=5.0), until=70
    )
    assert len([at for at in made if at < 1.0]) <= 7
    assert talk.sound_s() == pytest.approx(60, abs=0.2)


def test_a_caller_who_vanishes_ends_the_conversation_and_leaves_no_task() -> None:
    talk = converse(
        speaks(at=0.5, for_=1.0), does(3.0, lambda stage: stage.transport.hang_up()), until=30
    )
    assert talk.reason is CloseReason.PEER_LEFT
    assert talk.one(SessionClosed).at < 3.1
    assert not talk.open_tasks


@pytest.mark.parametrize("at", [0.1, 0.6, 1.62, 1.75, 2.05, 2.2, 2.6, 4.2, 6.1])
def test_a_caller_may_vanish_at_any_instant(at: float) -> None:
    talk = converse(speaks(at=0.5, for_=1.0), does(at, lambda stage: stage.transport.hang_up()))
    assert talk.reason is CloseReason.PEER_LEFT
    assert not talk.open_tasks


@pytest.mark.parametrize(
    "at", [1.5, 1.7, 1.9, 2.05, 2.1, 2.15, 2.2, 2.5, 4.08, 4.1, 6.05, 6.1, 6.15]
)
def test_a_barge_in_at_any_instant_leaves_one_turn_answered_in_the_end(at: float) -> None:
    talk = converse(speaks(at=0.5, for_=1.0), speaks(at=at, for_=0.8), until=16)
    assert talk.states()[-1] == "listening"
    assert talk.history[-1].reply == "One two three. Four five six."
    assert not talk.history[-1].cut_short
    closed = [e.turn for e in talk.all(ReplyClosed)]
    assert len(closed) == len(set(closed))


def test_goodbye_is_heard() -> None:
    talk = converse(tells(1.0, Bye()), until=10)
    assert talk.reason is CloseReason.PEER_LEFT
    assert talk.messages(Closing)


def test_the_server_stops_in_the_middle_of_a_reply() -> None:
    talk = converse(
        tells(0.5, Say("a")),
        does(1.5, lambda stage: stage.session.stop(CloseReason.SERVER_STOPPING)),
    )
    assert talk.reason is CloseReason.SERVER_STOPPING
    assert talk.messages(Closing)[0].text == "the server is stopping"


def test_our_own_fault_ends_the_session_and_comes_out() -> None:
    class Wrong:
        def respond(
            self, prompt: Prompt, conversation: Conversation
        ) -> AsyncGenerator[ReplyPart, None]:
            raise ZeroDivisionError

        async def prepare(self, conversation: Conversation) -> None: ...

    with pytest.raises(BaseExceptionGroup) as caught:
        converse(tells(0.5, Say("a")), engines=scripted_engines(language=Wrong()))
    assert caught.group_contains(ZeroDivisionError)


def test_another_transport_takes_over_and_hears_the_rest() -> None:
    later = MemoryTransport()

    async def switch(stage: Stage) -> None:
        stage.transports.append(later)
        stage.session.attach(later, Hello())

    talk = converse(tells(0.5, Say("a")), does(2.0, switch), until=8)
    assert talk.stage.transports[0].closed is CloseReason.REPLACED
    assert talk.sound_s() == pytest.approx(4.0, abs=0.1)
    assert [e.reply for e in talk.history] == ["One two three. Four five six."]
    assert len(talk.messages(Welcome)) == 2


def test_a_lost_connection_is_waited_for_and_the_unheard_rest_is_spoken() -> None:
    later = MemoryTransport()

    async def come_back(stage: Stage) -> None:
        stage.transports.append(later)
        stage.session.attach(later, Hello())

    talk = converse(
        tells(0.5, Say("a")),
        does(2.0, lambda stage: stage.transport.hang_up()),
        does(4.0, come_back),
        resume_s=10,
        until=12,
    )
    assert not talk.agent_audible(3.0)
    assert talk.sound_s() == pytest.approx(4.0, abs=0.15)
    assert len(talk.history) == 1


def test_nobody_comes_back() -> None:
    talk = converse(
        does(2.0, lambda stage: stage.transport.hang_up()),
        resume_s=3,
        until=30,
    )
    assert talk.one(SessionClosed).at == pytest.approx(5.0, abs=0.1)


def acting(*actions: Action) -> list[Reply]:
    return [Reply("Very well then.", *actions)]


def test_a_timer_rings_when_its_time_has_come() -> None:
    replies = acting(SetTimer(5.0, "Ding dong."))
    talk = converse(tells(0.5, Say("timer")), replies=replies, settings=QUICK)
    rung = talk.history[1]
    assert rung.said is None
    assert rung.reply == "Ding dong."
    assert talk.first_sound(after=4.0) == pytest.approx(0.65 + 5.0, abs=0.2)


def test_a_timer_that_rings_while_the_user_speaks_waits() -> None:
    replies = [*acting(SetTimer(3.0, "Ding dong.")), Reply("Fine.")]
    talk = converse(
        tells(0.5, Say("timer")), speaks(at=3.0, for_=2.0), replies=replies, settings=QUICK
    )
    assert [e.reply for e in talk.history] == ["Very well then.", "Fine.", "Ding dong."]


def test_a_dropped_speculation_sets_no_timer() -> None:
    replies = [*acting(SetTimer(1.0, "Ding dong.")), Reply("Fine.")]
    talk = converse(
        speaks(at=0.5, for_=1.0), speaks(at=1.9, for_=0.8), replies=replies, settings=QUICK
    )
    assert len(talk.all(ReplyDropped)) == 1
    assert [e.reply for e in talk.history] == ["Fine."]


def test_cancelled_timers_do_not_ring() -> None:
    replies = [*acting(SetTimer(5.0, "Ding dong.")), *acting(CancelTimers())]
    talk = converse(
        tells(0.5, Say("timer")), tells(3.0, Say("cancel")), replies=replies, settings=QUICK
    )
    assert len(talk.history) == 2


def test_timers_are_bounded() -> None:
    replies = acting(*[SetTimer(60.0, "Ding.")] * 20)
    talk = converse(tells(0.5, Say("timers")), replies=replies, settings=QUICK, until=4)
    assert sum(d.count for d in talk.all(Dropped) if d.what == "timers") == 4
    assert "That timer will not ring." in [said.text for said in talk.all(ClauseSpoken)]
    assert not talk.open_tasks


def test_louder_and_slower_change_what_comes_next() -> None:
    replies = [*acting(ChangeVolume(0.5), ChangeSpeed(0.5)), Reply("And this.")]
    talk = converse(
        tells(0.5, Say("quieter")), tells(4.0, Say("go on")), replies=replies, settings=QUICK
    )
    frames = talk.stage.transport.frames
    first = max(float(abs(f.samples).max()) for at, f in frames if at < 0.7)
    last = max(float(abs(f.samples).max()) for at, f in frames if at > 4.0)
    assert last == pytest.approx(0.5 * 0.355, abs=0.02)
    assert first <= 0.36
    after = talk.first_sound(after=4.0)
    assert talk.last_sound() - after == pytest.approx(2.0, abs=0.1)


def test_settings_change_the_voice_and_bad_ones_are_refused() -> None:
    talk = converse(
        tells(0.2, Settings(voice="nobody")),
        tells(0.3, Settings(voice="octave", speed=99.0, volume=1.0)),
        tells(0.5, Say("a")),
        until=4,
    )
    assert [m.code for m in talk.messages(Error)] == ["bad_message"]
    assert talk.sound_s() == pytest.approx(2.0, abs=0.1)


def test_typed_turns_are_bounded_and_empty_ones_refused() -> None:
    talk = converse(tells(0.2, Say("   ")), tells(0.3, Say("x" * 5000)), until=1)
    assert [m.code for m in talk.messages(Error)] == ["bad_message"] * 2
    assert talk.history == ()


def test_a_ping_is_answered() -> None:
    talk = converse(tells(0.2, Ping(7)), until=1)
    assert talk.messages(Pong) == [Pong(7)]


def test_a_transport_that_takes_sound_back_is_flushed_at_a_barge_in() -> None:
    talk = converse(speaks(at=0.5, for_=1.0), speaks(at=4.0, for_=1.0), lead_s=0.06, flushes=True)
    assert talk.messages(Flush)
    assert not any(talk.agent_audible(4.2 + i / 10, within=0.04) for i in range(8))


def test_a_transcript_is_asked_for_once_however_many_want_it() -> None:
    asked: list[int] = []

    class Counting(ScriptedTranscriber):
        def open(self, on_partial):  # type: ignore[no-untyped-def]
            stream = super().open(on_partial)
            transcribe = stream.transcribe

            async def counted(utterance: Utterance) -> Transcript:
                asked.append(utterance.turn)
                return await transcribe(utterance)

            stream.transcribe = counted  # type: ignore[method-assign]
            return stream

    class Reader:
        async def respond(
            self, prompt: Prompt, conversation: Conversation
        ) -> AsyncGenerator[ReplyPart, None]:
            await prompt.words()
            await prompt.words()
            yield "Done now."

        async def prepare(self, conversation: Conversation) -> None: ...

    engines = scripted_engines(language=Reader(), transcriber=Counting(), settings=QUICK)
    converse(speaks(at=0.5, for_=1.0), engines=engines)
    assert asked == [1]
