"""What a transport is: one way to one caller, that carries frames and messages and decides nothing."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from ultraandchat.audio.frame import AudioFrame
from ultraandchat.events import Quality
from ultraandchat.transport.wire import ClientMessage, ServerMessage


class CloseReason(Enum):
    """Why a conversation or a transport ended; the page shows it in words."""

    PEER_LEFT = "the caller left"
    SERVER_STOPPING = "the server is stopping"
    FULL = "the server is full"
    PROTOCOL = "the caller broke the protocol"
    TIMED_OUT = "nothing was heard from the caller"
    REPLACED = "the conversation continues on another connection"
    ENGINES = "the models are not ready"
    FAULT = "the server made an error"


class ProtocolError(Exception):
    """The peer's fault: its connection closes with this reason, nobody else notices."""

    def __init__(self, reason: str, *, code: int = 1002) -> None:
        super().__init__(reason)
        self.code = code
        """WebSocket close code (RFC 6455 §7.4.1): 1002 protocol, 1003 unsupported data, 1008 policy, 1009 too big."""


@dataclass(frozen=True, slots=True)
class PathChanged:
    """Sound goes another way from now on; the transport's `name`, `lead_s` and the others say which.

    Positions of frames start anew behind it.
    """


Received: TypeAlias = AudioFrame | ClientMessage | PathChanged


class Transport(Protocol):
    @property
    def name(self) -> str:
        """ "webrtc/udp", "webrtc/tcp", "webrtc/relay", "websocket", "memory"; may change, see `PathChanged`."""
        ...

    @property
    def lead_s(self) -> float:
        """How far ahead of the listener frames are sent: the store against uneven arrival."""
        ...

    @property
    def patience_s(self) -> float:
        """How late a frame may be sent and still be in time for a store that the listener keeps itself."""
        ...

    @property
    def flushes(self) -> bool:
        """`flush` takes back what was sent and is not audible yet, and fades at the caller."""
        ...

    @property
    def stalled(self) -> bool:
        """What is sent does not reach the caller at present (it may again): a reply should wait."""
        ...

    def received(self) -> AsyncGenerator[Received, None]:
        """Sound and messages in order of arrival; ends when the peer leaves. Read by one task."""
        ...

    def attend(self, *, closely: bool) -> None:
        """Not `closely`: nobody speaks, so sound may be handed over some tens of milliseconds late,
        several frames in one, where that is cheaper. It begins closely."""
        ...

    def play(self, frame: AudioFrame) -> None:
        """Carry one 20 ms frame at 48 kHz. Never waits; what cannot be carried is dropped and counted."""
        ...

    def silence(self, position: int) -> None:
        """One 20 ms frame in which nothing is to be heard; a transport may send nothing for it."""
        ...

    def flush(self) -> None:
        """Drop what was sent but is not audible yet, here and at the caller."""
        ...

    def send(self, message: ServerMessage) -> None:
        """Queue one message, in order with the frames. A peer that reads too slowly is closed."""
        ...

    def dropped(self) -> int:
        """Frames dropped since the last call."""
        ...

    def quality(self) -> Quality | None:
        """How the caller's packets fared since the last call; None where the way loses none."""
        ...

    async def aclose(self, reason: CloseReason) -> None:
        """Say why, then close. Safe to call twice."""
        ...
