"""Callers who are connected and have not said hello yet. They may prepare a WebRTC path meanwhile.

A page connects as soon as it is opened, so that talking can begin at a click. Who is silent for too
long is let go, and when too many wait, the one that has been silent longest.
"""

import asyncio
from contextlib import aclosing

from ultraandchat.transport.base import CloseReason, ProtocolError, Transport
from ultraandchat.transport.wire import PROTOCOL_VERSION, Error, Hello, Ping, Pong

SILENT_S = 60.0
"""A caller who says nothing for so long is gone or only looks at the page, which connects again."""


class Lobby:
    """Bounded by `most`: whoever comes then takes the place of the one that was silent longest."""

    def __init__(self, most: int, *, silent_s: float = SILENT_S) -> None:
        self._most = most
        self._silent_s = silent_s
        self._clock = asyncio.get_running_loop().time
        self._patience: dict[Transport, asyncio.Timeout] = {}  # who was heard last comes last

    def __len__(self) -> int:
        return len(self._patience)

    async def hello(self, transport: Transport) -> Hello | CloseReason:
        """What the caller says to begin, or why it never will. The transport must run meanwhile."""
        full = len(self._patience) >= self._most
        if full:
            silent, patience = next(iter(self._patience.items()))
            del self._patience[silent]
            patience.reschedule(self._clock())
        try:
            async with asyncio.timeout(self._silent_s) as patience:
                self._patience[transport] = patience
                return await self._heard(transport)
        except TimeoutError:
            pushed_out = transport not in self._patience
            return CloseReason.FULL if pushed_out else CloseReason.TIMED_OUT
        except ProtocolError:
            return CloseReason.PROTOCOL
        finally:
            self._patience.pop(transport, None)

    async def _heard(self, transport: Transport) -> Hello | CloseReason:
        async with aclosing(transport.received()) as items:
            async for item in items:
                self._heard_of(transport)
                match item:
                    case Hello(protocol=version) if version == PROTOCOL_VERSION:
                        return item
                    case Hello():
                        text = "this page is of another version; reload it"
                        transport.send(Error("other_version", text))
                    case Ping(id=number):
                        transport.send(Pong(number))
                    case _ if hasattr(item, "__struct_fields__"):
                        transport.send(Error("not_begun", "the first message must be hello"))
        return CloseReason.PEER_LEFT

    def _heard_of(self, transport: Transport) -> None:
        patience = self._patience.pop(transport, None)
        if patience is not None:
            self._patience[transport] = patience
            patience.reschedule(self._clock() + self._silent_s)
