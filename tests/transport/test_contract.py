"""The contract over every transport there is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from tests.support.serving import phone
from tests.transport.contract import Caller, TransportContract
from tests.transport.test_websocket import accepting
from ultraandchat.audio.frame import PLAYOUT_RATE, Samples
from ultraandchat.transport.base import Transport
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import ClientMessage, ServerMessage


class MemoryCaller:
    rate = PLAYOUT_RATE

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport

    @property
    def messages(self) -> list[ServerMessage]:
        return [message for _, message in self._transport.messages]

    @property
    def sound(self) -> Samples:
        frames = [frame.samples for _, frame in self._transport.frames]
        return np.concatenate(frames or [np.zeros(0, np.float32)])

    async def speaks(self, samples: Samples) -> None:
        await self._transport.say(samples)

    async def tells(self, message: ClientMessage) -> None:
        await self._transport.tell(message)

    async def until(self, kind: type[ServerMessage]) -> ServerMessage:
        return next(message for message in self.messages if isinstance(message, kind))

    async def leaves(self) -> None:
        self._transport.hang_up()


class TestMemory(TransportContract):
    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Transport, Caller]]:
        transport = MemoryTransport()
        yield transport, MemoryCaller(transport)


class TestWebSocket(TransportContract):
    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Transport, Caller]]:
        async with accepting() as (url, accepted), phone(url) as caller:
            yield await accepted.get(), caller
