"""A caller without a browser: notes what both sides said, and records what would be heard.

Fed by a line (a WebSocket or both ends in this process) with whatever the server sends; knows no
socket and is told the time. Its recording begins with the caller's own first sample, so the two
files laid side by side are the conversation.
"""

import asyncio
from collections.abc import Callable

import numpy as np

from ultraandchat.audio.frame import Pcm16
from ultraandchat.transport.wire import (
    Closing,
    Error,
    Flush,
    Notice,
    Pong,
    ReplyDone,
    ServerMessage,
    State,
    TurnTiming,
    UserCaption,
    Welcome,
)

QUIET_S = 2.0
"""With the file over and nobody speaking, this long without a message or sound is the end."""

GIVE_UP_S = 30.0
"""With a reply still owed, this long without a message or sound is the end too."""


class Recording:
    """The agent's side as the caller hears it: 16-bit mono, silence where nothing was sent."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.begun: float | None = None
        """Loop time of sample 0."""
        self._pieces: list[tuple[int, Pcm16]] = []  # as long as the call, which its file bounds
        self._offset: int | None = None  # from the server's positions to ours

    def put(self, position: int, pcm: Pcm16, now: float) -> None:
        """Sound for the server's `position`; the first of it is heard as it arrives."""
        if self.begun is None:
            return
        if self._offset is None:
            self._offset = self._at(now) - position
        self._pieces.append((position + self._offset, pcm))

    def flush(self, now: float) -> None:
        """What is not audible yet will not be."""
        end = self._at(now)
        self._pieces = [(at, pcm[: end - at]) for at, pcm in self._pieces if at < end]

    def pcm(self) -> Pcm16:
        """All of it, from the caller's first sample to the agent's last."""
        made = np.zeros(max((at + len(pcm) for at, pcm in self._pieces), default=0), np.int16)
        for at, pcm in self._pieces:
            made[at : at + len(pcm)] = pcm
        return made

    def _at(self, now: float) -> int:
        return 0 if self.begun is None else round((now - self.begun) * self.rate)


class Caller:
    """Follows one conversation from the caller's end. `show` is given who speaks and what to print."""

    def __init__(self, rate: int, show: Callable[[str, str], None]) -> None:
        self.recording = Recording(rate)
        self.answered = asyncio.Event()
        """The server has said welcome, or goodbye."""
        self.closed: Closing | None = None
        self.turns = 0
        """Replies that are over."""
        self._show = show
        self._state = "listening"
        self._last = 0.0
        self._said: dict[int, str] = {}
        self._timed: dict[int, TurnTiming] = {}

    def told(self, message: ServerMessage, now: float) -> None:
        """A message arrived."""
        if isinstance(message, Pong):
            return
        self._last = now
        match message:
            case Welcome():
                self.answered.set()
            case Closing():
                self.closed = message
                self.answered.set()
            case Flush():
                self.recording.flush(now)
            case State(state=state):
                self._state = state
            case UserCaption(turn=turn, text=text, final=True):
                self._said[turn] = text
            case TurnTiming(turn=turn):
                self._timed[turn] = message
            case ReplyDone():
                self._reply_done(message)
            case Notice(text=text) | Error(text=text):
                self._show("note", text)
            case _:
                pass

    def heard(self, position: int, pcm: Pcm16, now: float) -> None:
        """Sound arrived for `position`, at the recording's rate."""
        self._last = now
        self.recording.put(position, pcm, now)

    def quiet(self, now: float, seconds: float) -> bool:
        """Nobody speaks, and nothing came for so long."""
        return self._state == "listening" and now - self._last > seconds

    def finished(self, now: float) -> bool:
        """Asked once the file is over: nothing more is to be expected."""
        return self.quiet(now, QUIET_S) or now - self._last > GIVE_UP_S

    def close(self) -> None:
        """Show what was said and never answered."""
        self._show_said(max(self._said, default=0))

    def _reply_done(self, done: ReplyDone) -> None:
        self.turns += 1
        self._show_said(done.turn)
        unheard = f"[unheard: {done.unheard}]" if done.unheard else ""
        if done.heard or unheard:
            self._show("agent", f"{done.heard} {unheard}".strip())
        timing = self._timed.pop(done.turn, None)
        if timing is not None:
            self._show("", latency(timing))

    def _show_said(self, up_to: int) -> None:
        for turn in sorted(turn for turn in self._said if turn <= up_to):
            self._show("you", self._said.pop(turn) or "(no words were understood)")


def latency(timing: TurnTiming) -> str:
    """ "712 ms: end silence 0–608, words 610–655 …": each part's start and end on the turn's clock."""
    parts = ", ".join(f"{p.name} {p.start_ms:.0f}–{p.end_ms:.0f}" for p in timing.parts)
    begun = " (begun at a pause)" if timing.speculative else ""
    return f"{timing.total_ms:.0f} ms{begun}: {parts}"
