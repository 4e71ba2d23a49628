"""The conversation: it joins transports, turn-taking, engines and playout, and owns every task."""

from collections.abc import Callable
from dataclasses import dataclass

from ultraandchat.engines.base import Engines
from ultraandchat.events import SessionEvent
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.ticker import Ticker
from ultraandchat.transport.base import CloseReason, Transport
from ultraandchat.turn.policy import TurnPolicy


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What one conversation keeps, and how it begins."""

    greeting: str | None = None
    """What the agent says first; unset: the engines' own greeting; "" for none."""
    max_history_exchanges: int = 64
    """Older exchanges are forgotten."""
    max_history_audio_s: float = 120.0
    """Seconds of the user's speech kept as sound; of what is older only the words stay."""
    resume_s: float = 0.0
    """A conversation whose connection was lost waits this long for another one."""
    max_timers: int = 16
    """Timers that may run at once in one conversation."""


class Session:
    """One conversation. Transports attach to it and leave; history and turns are its own."""

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
        observe: Callable[[SessionEvent], None],
    ) -> None:
        raise NotImplementedError

    def attach(self, transport: Transport) -> None:
        """Talk through this transport from now on; the one before is closed."""
        raise NotImplementedError

    async def run(self) -> CloseReason:
        """The whole conversation. Returns why it ended; raises only what is our own fault."""
        raise NotImplementedError

    def stop(self, reason: CloseReason) -> None:
        """End the conversation from outside (the server stops); `run` then returns `reason`."""
        raise NotImplementedError
