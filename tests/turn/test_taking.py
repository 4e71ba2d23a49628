"""The turn machine's rows, one story each, and that the table has no row without a story."""

import numpy as np
import pytest

from ultraandchat.audio.frame import HEARING_RATE, WINDOW, AudioFrame
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
    Utterance,
    UtterancePaused,
    UtteranceResumed,
)
from ultraandchat.turn.policy import TurnPolicy
from ultraandchat.turn.taking import TABLE, Notice, TurnState, TurnTaking

LISTENING, SPEAKING, PAUSED = TurnState.LISTENING, TurnState.USER_SPEAKING, TurnState.USER_PAUSED
HOLDING, REPLYING = TurnState.USER_HOLDING, TurnState.REPLYING
AGENT, OVERLAP = TurnState.AGENT_SPEAKING, TurnState.OVERLAP


class Story:
    """Drives a machine window by window; time is media time unless told otherwise."""

    def __init__(self, **policy: float) -> None:
        self.machine = TurnTaking(TurnPolicy(**policy))  # type: ignore[arg-type]
        self.position = 0
        self.now = 0.0
        self.events: list[TurnEvent] = []

    def hear(self, ms: float, voiced: bool) -> list[TurnEvent]:
        caused: list[TurnEvent] = []
        for _ in range(round(ms / 32)):
            samples = np.full(WINDOW, 0.1 if voiced else 0.0, np.float32)
            window = AudioFrame(samples, HEARING_RATE, self.position)
            self.position += WINDOW
            self.now += 0.032
            caused += self.watch(lambda w=window: self.machine.hear(w, voiced, self.now))
        return caused

    def voice(self, ms: float) -> list[TurnEvent]:
        return self.hear(ms, True)

    def quiet(self, ms: float) -> list[TurnEvent]:
        return self.hear(ms, False)

    def watch(self, call) -> list[TurnEvent]:  # type: ignore[no-untyped-def]
        caused: list[TurnEvent] = call()
        self.events += caused
        return caused

    def audible(self) -> None:
        self.watch(lambda: self.machine.reply_became_audible(self.machine.turn, self.now))

    def asked(self) -> "Story":
        """A question was put; the reply is awaited."""
        self.voice(960)
        self.quiet(640)
        assert self.machine.state is REPLYING
        return self

    def answering(self) -> "Story":
        """And the answer is heard."""
        self.asked().audible()
        assert self.machine.state is AGENT
        return self


def kinds(events: list[TurnEvent]) -> list[type]:
    return [type(event) for event in events]


def test_speech_is_believed_after_three_voiced_windows() -> None:
    story = Story()
    assert story.voice(64) == []
    (started,) = story.voice(32)
    assert isinstance(started, SpeechStarted)
    assert story.machine.state is SPEAKING


def test_a_click_is_not_speech() -> None:
    story = Story()
    for _ in range(20):
        story.voice(64)
        story.quiet(32)
    assert story.events == []


def test_preroll_comes_from_before_the_first_voiced_window() -> None:
    story = Story()
    story.quiet(960)
    (started,) = story.voice(96)
    assert isinstance(started, SpeechStarted)
    assert started.start == 960 * 16 - 300 * 16


def test_preroll_stops_at_the_beginning_of_the_sound() -> None:
    (started,) = Story().voice(96)
    assert isinstance(started, SpeechStarted)
    assert started.start == 0


def test_a_pause_prepares_and_an_endpoint_ends() -> None:
    story = Story()
    story.voice(960)
    (paused,) = story.quiet(192)
    assert isinstance(paused, UtterancePaused)
    assert story.machine.state is PAUSED
    (ended,) = story.quiet(416)
    assert isinstance(ended, TurnEnded)
    assert ended.said is paused.utterance
    assert story.machine.state is REPLYING


def test_the_utterance_keeps_the_last_word_and_a_pause_of_silence() -> None:
    story = Story()
    story.quiet(960)
    story.voice(1920)
    (paused,) = story.quiet(192)
    assert isinstance(paused, UtterancePaused)
    said = paused.utterance
    assert said.start == (960 - 300) * 16
    assert said.speech_end == (960 + 1920) * 16
    assert len(said.pcm) == (300 + 1920 + 192) * 16
    assert said.heard_at == pytest.approx((960 + 1920) / 1000)


def test_a_short_word_is_padded_to_a_second() -> None:
    story = Story(preroll_ms=0)
    story.voice(320)
    (paused,) = story.quiet(192)
    assert isinstance(paused, UtterancePaused)
    assert paused.utterance.seconds == 1.0


def test_speech_after_a_pause_resumes_the_same_turn() -> None:
    story = Story()
    (started,) = story.voice(960)
    story.quiet(320)
    (resumed,) = story.voice(96)
    assert resumed == UtteranceResumed(started.turn)  # type: ignore[union-attr]
    assert story.machine.state is SPEAKING


def test_a_turn_does_not_end_under_a_sound_that_may_be_its_next_word() -> None:
    story = Story()
    story.voice(960)
    story.quiet(576)
    assert story.voice(64) == []
    assert kinds(story.voice(32)) == [UtteranceResumed]


def test_a_click_in_the_end_silence_does_not_put_the_end_off_for_long() -> None:
    story = Story()
    story.voice(960)
    story.quiet(576)
    story.voice(32)
    assert kinds(story.quiet(32)) == [TurnEnded]


def test_equal_pause_and_endpoint_end_at_the_same_window() -> None:
    story = Story(pause_ms=192, endpoint_ms=192)
    story.voice(960)
    assert kinds(story.quiet(192)) == [UtterancePaused, TurnEnded]


def test_the_longest_utterance_is_closed_and_the_next_goes_on_at_the_following_sample() -> None:
    story = Story(longest_utterance_s=2.0)
    caused = story.voice(4992)
    assert kinds(caused) == [SpeechStarted, TurnEnded, SpeechStarted, TurnEnded, SpeechStarted]
    first, second = caused[1], caused[3]
    assert isinstance(first, TurnEnded)
    assert isinstance(second, TurnEnded)
    assert not first.answer
    assert isinstance(first.said, Utterance)
    assert isinstance(second.said, Utterance)
    assert first.said.start + len(first.said.pcm) == second.said.start
    last = story.quiet(640)[-1]
    assert isinstance(last, TurnEnded)
    assert last.answer


def test_a_pause_at_the_longest_utterance_ends_the_turn_before_it_grows_too_long() -> None:
    story = Story(longest_utterance_s=2.0)
    story.quiet(960)
    story.voice(1472)
    caused = story.quiet(320)
    assert kinds(caused) == [UtterancePaused, TurnEnded]
    (ended,) = [event for event in caused if isinstance(event, TurnEnded)]
    assert isinstance(ended.said, Utterance)
    assert ended.said.seconds <= 2.0
    assert story.machine.state is REPLYING


def test_the_reply_is_heard_and_ends() -> None:
    story = Story().answering()
    (freed,) = story.watch(lambda: story.machine.reply_ended(story.machine.turn, story.now))
    assert isinstance(freed, FloorFreed)
    assert story.machine.state is LISTENING


def test_a_reply_that_ends_unheard_frees_the_floor() -> None:
    story = Story().asked()
    assert kinds(story.machine.reply_ended(story.machine.turn, story.now)) == [FloorFreed]
    assert story.machine.state is LISTENING


def test_a_stale_notice_is_ignored() -> None:
    story = Story().answering()
    assert story.machine.reply_ended(TurnId(0), story.now) == []
    assert story.machine.reply_became_audible(TurnId(99), story.now) == []
    assert story.machine.state is AGENT


def test_a_reply_that_does_not_come_times_out_on_the_clock() -> None:
    story = Story().asked()
    due = story.machine.deadline()
    assert due == pytest.approx(story.now - 0.032 + 8.0, abs=0.05)
    assert story.machine.tick(due - 0.01) == []
    (freed,) = story.machine.tick(due)
    assert freed == FloorFreed(story.machine.turn, timed_out=True)
    assert story.machine.deadline() is None


def test_a_cough_while_it_thinks_does_not_cost_the_reply() -> None:
    story = Story().asked()
    assert story.voice(224) == []
    assert story.quiet(640) == []
    assert story.machine.state is REPLYING


def test_going_on_while_it_thinks_joins_the_utterances() -> None:
    story = Story()
    (started,) = story.voice(960)
    story.quiet(640)
    assert isinstance(started, SpeechStarted)
    cut, joined = story.voice(256)
    assert cut == BargedIn(started.turn)
    assert isinstance(joined, SpeechStarted)
    assert joined.joins == started.turn
    assert joined.start == started.start
    ended = story.quiet(640)[-1]
    assert isinstance(ended, TurnEnded)
    assert isinstance(ended.said, Utterance)
    assert len(ended.said.pcm) == (960 + 640 + 256 + 192) * 16


def test_utterances_that_would_be_too_long_together_are_not_joined() -> None:
    story = Story(longest_utterance_s=2.0)
    story.voice(1600)
    story.quiet(640)
    started = story.voice(256)[-1]
    assert isinstance(started, SpeechStarted)
    assert started.joins is None


def test_an_overlap_is_held_at_once_and_takes_the_floor_at_a_quarter_second() -> None:
    story = Story().answering()
    assert kinds(story.voice(96)) == [OverlapStarted]
    assert story.machine.state is OVERLAP
    assert story.voice(128) == []
    assert kinds(story.voice(32)) == [BargedIn, SpeechStarted]
    assert story.machine.state is SPEAKING


def test_a_barge_in_keeps_its_own_preroll() -> None:
    story = Story().answering()
    story.quiet(960)
    at = story.position
    started = story.voice(256)[-1]
    assert isinstance(started, SpeechStarted)
    assert started.start == at - 300 * 16


def test_a_backchannel_gives_the_reply_back() -> None:
    story = Story().answering()
    story.voice(160)
    assert story.quiet(160) == []
    assert kinds(story.quiet(64)) == [OverlapPassed]
    assert story.machine.state is AGENT


def test_a_reply_that_ends_in_an_overlap_leaves_the_floor_to_the_running_speech() -> None:
    story = Story().answering()
    at = story.position
    story.voice(128)
    assert kinds(story.machine.reply_ended(story.machine.turn, story.now)) == [FloorFreed]
    (started,) = story.voice(32)
    assert isinstance(started, SpeechStarted)
    assert started.start == at - 300 * 16


def test_the_button_cuts_wherever_a_reply_is_open() -> None:
    for story in (Story().asked(), Story().answering()):
        assert kinds(story.machine.interrupt(story.now)) == [BargedIn]
        assert story.machine.state is LISTENING


def test_the_button_in_an_overlap() -> None:
    story = Story().answering()
    story.voice(96)
    assert kinds(story.machine.interrupt(story.now)) == [BargedIn]
    assert story.machine.state is LISTENING


def test_the_button_means_nothing_while_nobody_answers() -> None:
    story = Story()
    assert story.machine.interrupt(0.0) == []
    story.voice(320)
    assert story.machine.interrupt(story.now) == []


def test_typed_text_is_a_turn() -> None:
    story = Story()
    (ended,) = story.machine.typed("hello", 3.0)
    assert isinstance(ended, TurnEnded)
    assert ended.said == TypedText(TurnId(1), "hello", 3.0)
    assert story.machine.state is REPLYING


def test_typing_while_speaking_keeps_what_was_said() -> None:
    story = Story()
    story.voice(960)
    kept, typed = story.machine.typed("hello", story.now)
    assert isinstance(kept, TurnEnded)
    assert not kept.answer
    assert isinstance(typed, TurnEnded)
    assert isinstance(typed.said, TypedText)
    story = Story()
    story.voice(960)
    story.quiet(224)
    assert kinds(story.machine.typed("hello", story.now)) == [TurnEnded, TurnEnded]
    story = Story()
    story.machine.press(0.0)
    story.voice(960)
    assert kinds(story.machine.typed("hello", story.now)) == [TurnEnded, TurnEnded]


def test_typing_over_a_reply_cuts_it() -> None:
    for prepare in (Story().asked(), Story().answering()):
        assert kinds(prepare.machine.typed("no", prepare.now)) == [BargedIn, TurnEnded]
        assert prepare.machine.state is REPLYING
    story = Story().answering()
    story.voice(96)
    assert kinds(story.machine.typed("no", story.now)) == [BargedIn, TurnEnded]


def test_push_to_talk_holds_the_floor_through_silence_until_release() -> None:
    story = Story()
    story.quiet(960)
    (started,) = story.machine.press(story.now)
    assert isinstance(started, SpeechStarted)
    assert story.machine.state is HOLDING
    story.voice(320)
    assert story.quiet(3200) == []
    (ended,) = story.machine.release(story.now)
    assert isinstance(ended, TurnEnded)
    assert isinstance(ended.said, Utterance)
    assert len(ended.said.pcm) == (300 + 320 + 3200) * 16


def test_a_key_released_without_a_word_is_no_turn() -> None:
    story = Story()
    story.machine.press(0.0)
    story.quiet(640)
    assert kinds(story.machine.release(story.now)) == [FloorFreed]
    assert story.machine.state is LISTENING


def test_the_key_takes_the_floor_from_everybody() -> None:
    for story in (Story().asked(), Story().answering()):
        assert kinds(story.machine.press(story.now)) == [BargedIn, SpeechStarted]
    story = Story().answering()
    story.voice(96)
    assert kinds(story.machine.press(story.now)) == [BargedIn, SpeechStarted]


def test_the_key_pressed_in_mid_speech_keeps_the_turn() -> None:
    story = Story()
    story.voice(320)
    assert story.machine.press(story.now) == []
    assert story.machine.state is HOLDING
    story = Story()
    story.voice(320)
    story.quiet(224)
    assert kinds(story.machine.press(story.now)) == [UtteranceResumed]


def test_a_key_held_too_long_closes_the_utterance_and_goes_on() -> None:
    story = Story(longest_utterance_s=2.0)
    story.machine.press(0.0)
    caused = story.voice(2016)
    assert kinds(caused) == [TurnEnded, SpeechStarted]
    assert story.machine.state is HOLDING


def test_the_agent_speaks_first_when_nobody_has_the_floor() -> None:
    story = Story()
    (due,) = story.machine.announce(Announcement("hello"), 0.0)
    assert due == AnnouncementDue(TurnId(1), Announcement("hello"))
    assert story.machine.state is REPLYING


def test_an_announcement_waits_for_the_floor() -> None:
    story = Story().answering()
    assert story.machine.announce(Announcement("ding"), story.now) == []
    caused = story.machine.reply_ended(story.machine.turn, story.now)
    assert kinds(caused) == [FloorFreed, AnnouncementDue]


def test_an_announcement_nobody_heard_because_of_speech_comes_again() -> None:
    story = Story()
    story.machine.announce(Announcement("ding"), 0.0)
    assert kinds(story.voice(256)) == [BargedIn, SpeechStarted]
    story.quiet(640)
    caused = story.machine.reply_ended(story.machine.turn, story.now)
    assert caused[-1] == AnnouncementDue(story.machine.turn, Announcement("ding"))


def test_announcements_are_bounded() -> None:
    story = Story().answering()
    for _ in range(40):
        story.machine.announce(Announcement("ding"), story.now)
    assert story.machine.announcements_dropped == 40 - 16


def test_cooldown_puts_a_new_turn_off() -> None:
    story = Story(cooldown_ms=640).answering()
    story.machine.reply_ended(story.machine.turn, story.now)
    assert story.voice(640) == []
    assert kinds(story.voice(96)) == [SpeechStarted]


def test_numbers_that_cannot_work_together_are_refused() -> None:
    with pytest.raises(ValueError, match="pause_ms"):
        TurnPolicy(pause_ms=700)
    with pytest.raises(ValueError, match="start_ms"):
        TurnPolicy(start_ms=300)


@pytest.mark.parametrize(("state", "notice"), list(TABLE))
def test_every_row_leads_to_a_state_that_can_be_left(state: TurnState, notice: Notice) -> None:
    assert any(row_state is TABLE[state, notice].next for row_state, _ in TABLE)
