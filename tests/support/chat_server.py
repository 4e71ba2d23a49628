"""An OpenAI-compatible chat server on this machine that can misbehave in every way."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

LARGEST = 64 * 2**20
"""Bytes of a question: two minutes of sound are five million."""

Behaviour = Callable[["ChatServer", web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ChatServer:
    """What was asked of it, and where it is."""

    base_url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """The caller closed the connection while it was being answered."""


@asynccontextmanager
async def chat_server(behaviour: Behaviour) -> AsyncIterator[ChatServer]:
    """A server that answers every question with `behaviour`."""
    server = ChatServer()

    async def handle(request: web.Request) -> web.StreamResponse:
        server.asked.append(await request.json())
        server.keys.append(request.headers.get("Authorization", ""))
        try:
            return await behaviour(server, request)
        except (asyncio.CancelledError, ConnectionResetError):
            server.gone.set()
            raise

    app = web.Application(client_max_size=LARGEST)
    app.router.add_post("/v1/chat/completions", handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


@contextmanager
def nobody_there() -> Iterator[str]:
    """The address of a port of this machine at which nobody listens, nor can while the block lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def event(content: str | None) -> bytes:
    """One token, as a server streams it."""
    chunk = {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": None}]}
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def streams(*pieces: bytes, then: str = "end") -> Behaviour:
    """Sends these bytes, each in its own write; then ends, hangs, or breaks the connection."""

    async def behave(server: ChatServer, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0)
        if then == "hang":
            await asyncio.sleep(60)
        if then == "break" and request.transport is not None:
            request.transport.abort()
        return response

    return behave


def answers(status: int, body: str = "", content_type: str = "application/json") -> Behaviour:
    """One response with this status and body."""

    async def behave(server: ChatServer, request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body, content_type=content_type)

    return behave


async def hangs(server: ChatServer, request: web.Request) -> web.StreamResponse:
    """Takes the question and says nothing."""
    await asyncio.sleep(60)
    return web.Response()
