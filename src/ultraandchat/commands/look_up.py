"""Names looked up by a thread that nobody waits for: the system's resolver may take half a minute where
there is no network, and a program waits at its end for every thread of its pool."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult


async def apart(work: Callable[[], Any]) -> Any:
    """Its result. Who gives up leaves the thread behind."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Any] = loop.create_future()

    def settle(set_it: Callable[[Any], None], value: Any) -> None:
        if not outcome.done():
            set_it(value)

    def run() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
            try:
                loop.call_soon_threadsafe(settle, outcome.set_result, work())
            except (OSError, UnicodeError) as error:  # the latter: "a..b" is no name
                told = OSError(getattr(error, "strerror", None) or str(error))
                loop.call_soon_threadsafe(settle, outcome.set_exception, told)

    threading.Thread(target=run, name="look-up", daemon=True).start()
    return await outcome


async def addresses(host: str, port: int, kind: socket.SocketKind) -> list[Any]:
    """What `socket.getaddrinfo` finds. Raises `OSError`."""
    found: list[Any] = await apart(lambda: socket.getaddrinfo(host, port, type=kind))
    return found


class Resolver(AbstractResolver):
    """The same for aiohttp."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=found,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for found, _, proto, _, address in await addresses(host, port, socket.SOCK_STREAM)
            if family in (socket.AF_UNSPEC, found)
        ]

    async def close(self) -> None:
        """There is nothing to close."""
