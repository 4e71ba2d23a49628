"""A reply in the making: it goes to playout as it comes, and waits there until it may be heard."""

import asyncio
from collections.abc import Awaitable, Callable

from ultraandchat.audio.frame import Samples
from ultraandchat.dialogue.actions import Action
from ultraandchat.dialogue.reading import Reading
from ultraandchat.engines.base import Voice
from ultraandchat.events import ClauseWritten, ReplyWritten, SessionEvent, SoundMade
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.queue import Playout
from ultraandchat.playout.ticker import Ticker
from ultraandchat.turn.events import TurnId, UserTurn


class Answering:
    """One reply: what was written so far, its task, and what it wants done. `reply.py` fills it."""

    def __init__(
        self,
        turn: TurnId,
        said: UserTurn | None,
        *,
        playout: Playout,
        policy: PlayoutPolicy,
        ticker: Ticker,
        voice: Callable[[], Voice],
        tell: Callable[[SessionEvent], None],
        do: Callable[[Action], None],
        carry: Callable[[], Awaitable[None]],
    ) -> None:
        self.turn = turn
        self.said = said
        """None where the agent speaks unasked."""
        self.clauses: list[str] = []
        self.words = ""
        """The words of `said`, once its transcript came."""
        self.task: asyncio.Task[None] | None = None
        self.released = False
        self.failed = False
        """A model failed before the reply was released; it may be tried again."""
        self._playout = playout
        self._policy = policy
        self._ticker = ticker
        self._voice = voice
        self._tell = tell
        self._do = do
        self._carry = carry
        self._actions: list[Action] = []
        self._performing = False
        self._sounding = False

    def release(self) -> None:
        """The turn is over: be heard."""
        self.released = True
        self._playout.release(self.turn)

    def perform(self) -> None:
        """It is heard: do what was to be done. Until then the user may go on, and it is made anew."""
        self._performing = True
        for action in self._actions:
            self._do(action)
        self._actions.clear()

    async def cancel(self, patience_s: float) -> bool:
        """Stop making it. False when the engines did not let go within `patience_s`."""
        if self.task is None or self.task.done():
            return True
        self.task.cancel()
        done, _ = await asyncio.wait({self.task}, timeout=patience_s)
        return bool(done)

    # --- what `reply.Listener` asks for -------------------------------------------------------

    @property
    def voice(self) -> Voice:
        return self._voice()

    def clause_written(self, clause: int, text: str) -> None:
        self.clauses.append(text)
        self._tell(ClauseWritten(self._now(), self.turn, clause))

    async def sound(self, clause: int, samples: Samples) -> None:
        while self._playout.ahead_s(self.turn) > self._policy.ahead_s:
            await self._ticker.tick()
        self._playout.push(self.turn, clause, samples)
        if not self._sounding:
            self._sounding = True
            self._tell(SoundMade(self._now(), self.turn))
            await self._carry()  # half a tick earlier, on the average

    def clause_done(self, clause: int) -> None:
        self._playout.clause_done(self.turn, clause)

    def written(self, reading: Reading) -> None:
        self._tell(ReplyWritten(self._now(), self.turn, reading))

    def act(self, action: Action) -> None:
        if self._performing:
            self._do(action)
        else:
            self._actions.append(action)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
