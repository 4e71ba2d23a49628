"""Connections that only cost: those that say nothing, or not enough, are closed; there is room for so many.

aiohttp lets a connection take as long as it likes over its first request. So this knows of each from
the moment it is accepted, and looks over all of them once a second.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web
from aiohttp.typedefs import Middleware

from ultraandchat.server.metrics import Metrics

FIRST_REQUEST_S = 10.0
"""From the connection to the end of its first request's head, TLS included; a phone on a bad network needs two."""
KEEP_ALIVE_S = 75.0
"""Between two requests, nginx's default. aiohttp counts it, and closes with a farewell."""
STUCK_S = 90.0
"""An answer that the other side does not take for so long is not going to be."""
LOOK_S = 1.0

Connection: TypeAlias = web.RequestHandler
Opening: TypeAlias = "asyncio.Task[None]"


class Reaper:
    """Knows since when each connection is of no use."""

    def __init__(self, most: int, metrics: Metrics, clock: Callable[[], float]) -> None:
        """`most`: `server.max_connections`; `clock`: the loop's."""
        self._most = most
        self._metrics = metrics
        self._clock = clock
        # Every connection is in one of these, bounded by `most` together; in each the one comes first
        # that will be closed first.
        self._opening: dict[Opening, float] = {}
        self._silent: dict[Connection, float] = {}
        self._busy: set[Connection] = set()
        self._idle: dict[Connection, float] = {}

    def admit(self, opening: Opening) -> bool:
        """Whether there is room for the connection that this task opens; it is cancelled if that takes
        too long for others to get in."""
        if len(self) >= self._most and not self._make_room():
            self._closed("full")
            return False
        self._opening[opening] = self._clock()
        return True

    def opened(self, opening: Opening, connection: Connection | None) -> None:
        """It is there and has said nothing yet; None: it came to nothing."""
        since = self._opening.pop(opening, self._clock())
        if connection is not None and connection not in self._busy:
            self._silent[connection] = since

    def middleware(self) -> Middleware:
        """Notes which connections have a request, and which wait for the next one."""

        @web.middleware
        async def noted(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            connection = request.protocol
            self._silent.pop(connection, None)
            self._idle.pop(connection, None)
            self._busy.add(connection)
            try:
                return await handler(request)
            finally:
                self._busy.discard(connection)
                self._idle[connection] = self._clock()

        return noted

    async def run(self) -> None:
        """Look over the connections until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Close what is overdue, forget what is gone. What is not open yet asyncio gives up itself."""
        now = self._clock()
        for connection, since in list(self._silent.items()):
            if connection.transport is None:
                del self._silent[connection]
            elif now - since >= FIRST_REQUEST_S:
                del self._silent[connection]
                self._closed("silent")
                connection.transport.close()  # a browser keeps one in reserve, and takes no offence
        for connection, since in list(self._idle.items()):
            if connection.transport is None:
                del self._idle[connection]
            elif now - since >= STUCK_S:
                del self._idle[connection]
                self._closed("stuck")
                connection.transport.abort()

    def __len__(self) -> int:
        return len(self._opening) + len(self._silent) + len(self._busy) + len(self._idle)

    def _make_room(self) -> bool:
        """Close the one that has been of no use for longest, those without any request first."""
        opening, since = next(iter(self._opening.items()), (None, 0.0))
        silent = next(iter(self._silent), None)
        if opening is not None and (silent is None or since <= self._silent[silent]):
            del self._opening[opening]
            opening.cancel()
        elif silent is not None:
            del self._silent[silent]
            _abort(silent)
        elif self._idle:
            idle = next(iter(self._idle))
            del self._idle[idle]
            _abort(idle)
        else:
            return False
        self._closed("full")
        return True

    def _closed(self, reason: str) -> None:
        self._metrics.connections_closed.labels(reason).inc()


def _abort(connection: Connection) -> None:
    if connection.transport is not None:
        connection.transport.abort()
