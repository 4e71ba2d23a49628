"""Laws of turn-taking, under random talk, notices that come late, waits and buttons."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

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
    Utterance,
    UtterancePaused,
)
from ultraandchat.turn.policy import TurnPolicy
from ultraandchat.turn.taking import TurnState, TurnTaking


class Floor(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.policy = TurnPolicy(longest_utterance_s=3.0, shortest_utterance_s=0.0)
        self.machine = TurnTaking(self.policy)
        self.position = 0
        self.now = 0.0
        self.begun: list[TurnId] = []
        self.ended: set[TurnId] = set()
        self.open: TurnId | None = None
        self.closed: set[TurnId] = set()
        self.held = False
        self.covered = 0

    @rule(voiced=st.booleans(), windows=st.integers(1, 30))
    def hear(self, voiced: bool, windows: int) -> None:
        for _ in range(windows):
            samples = np.full(WINDOW, 0.1 if voiced else 0.0, np.float32)
            frame = AudioFrame(samples, HEARING_RATE, self.position)
            self.position += WINDOW
            self.now += 0.032
            self.note(self.machine.hear(frame, voiced, self.now))

    @rule(back=st.integers(0, 3))
    def audible(self, back: int) -> None:
        turn = TurnId(self.machine.turn - back)
        self.note(self.machine.reply_became_audible(turn, self.now))

    @rule(back=st.integers(0, 3))
    def reply_ends(self, back: int) -> None:
        self.note(self.machine.reply_ended(TurnId(self.machine.turn - back), self.now))

    @rule(seconds=st.floats(0, 10))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.note(self.machine.tick(self.now))

    @rule()
    def button(self) -> None:
        self.note(self.machine.interrupt(self.now))

    @rule()
    def types(self) -> None:
        self.note(self.machine.typed("words", self.now))

    @rule()
    def presses(self) -> None:
        self.note(self.machine.press(self.now))

    @rule()
    def releases(self) -> None:
        self.note(self.machine.release(self.now))

    @rule()
    def announces(self) -> None:
        self.note(self.machine.announce(Announcement("ding"), self.now))

    def note(self, events: list[TurnEvent]) -> None:
        for event in events:
            match event:
                case SpeechStarted(turn=turn):
                    assert not self.begun or turn > self.begun[-1], "turn numbers only grow"
                    assert self.open is None, "nobody speaks while a reply is open"
                    self.begun.append(turn)
                case TurnEnded(said=said, answer=answer):
                    assert said.turn not in self.ended, "a turn ends at most once"
                    self.ended.add(said.turn)
                    if isinstance(said, Utterance):
                        assert len(said.pcm) <= 3.0 * HEARING_RATE + WINDOW + 192 * 16
                        assert said.speech_end <= self.position
                    if answer:
                        self.opens(said.turn)
                case AnnouncementDue(turn=turn):
                    assert turn not in self.begun, "an announcement is a turn of its own"
                    self.opens(turn)
                case UtterancePaused(utterance=said):
                    assert said.turn not in self.ended
                    assert self.open is None
                case OverlapStarted(turn=turn):
                    assert turn == self.open
                    assert not self.held
                    self.held = True
                case OverlapPassed(turn=turn):
                    assert turn == self.open
                    assert self.held
                    self.held = False
                case BargedIn(turn=turn):
                    self.closes(turn)
                case FloorFreed(turn=turn):
                    if self.open is not None:
                        self.closes(turn)

    def opens(self, turn: TurnId) -> None:
        assert self.open is None, "at most one reply is open"
        self.open = turn

    def closes(self, turn: TurnId) -> None:
        assert turn == self.open, "only the open reply is closed"
        assert turn not in self.closed, "and once"
        self.closed.add(turn)
        self.open = None
        self.held = False

    @invariant()
    def a_reply_is_open_just_where_the_state_says_so(self) -> None:
        with_reply = (TurnState.REPLYING, TurnState.AGENT_SPEAKING, TurnState.OVERLAP)
        assert (self.machine.state in with_reply) == (self.open is not None)

    @invariant()
    def waiting_ends(self) -> None:
        assert (self.machine.state is TurnState.REPLYING) == (self.machine.deadline() is not None)


Floor.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestFloor = Floor.TestCase
