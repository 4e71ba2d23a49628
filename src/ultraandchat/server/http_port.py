"""The one port for page, messages and sound: opened, with TLS where it is configured, and kept clear."""

import asyncio
import errno
import logging
import os
import socket
import ssl
import sys
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager

from aiohttp import web
from aiohttp.http import HttpProcessingError

from ultraandchat.config import ConfigError, ServerConfig
from ultraandchat.server.addresses import is_loopback
from ultraandchat.server.links import EVERYWHERE
from ultraandchat.server.reaper import FIRST_REQUEST_S, KEEP_ALIVE_S, Reaper

LOG = logging.getLogger("ultraandchat.server")

AIOHTTP_LOG = logging.getLogger("aiohttp.server.port")
"""What aiohttp has to say of requests."""

TLS_GOODBYE_S = 1.0
"""For the other side's half of the closing handshake; nothing is lost with it."""

BACKLOG = 1_024
"""Connections that wait in the kernel."""
ACCEPTED_AT_ONCE = 8
"""One costs 0.13 ms (measured), several times that with TLS; a hundred in a row would hold up everybody's next frame."""
NO_MORE_S = 0.1
"""After a connection that could not be accepted: without files left the next one cannot either."""

FILES = 65_536
"""Open files and sockets a server may want: a thousand connections, four sockets a conversation, and room."""


class HttpPort:
    """Accepts connections and hands them to aiohttp."""

    def __init__(
        self,
        url: str,
        listening: list[socket.socket],
        server: web.Server,
        tls: ssl.SSLContext | None,
        reaper: Reaper,
    ) -> None:
        self.url = url
        """The address under which it answers."""
        self._listening = listening
        self._server = server
        self._tls = tls
        self._reaper = reaper

    async def run(self) -> None:
        """Let callers in until cancelled. Until then they wait in the kernel."""
        async with asyncio.TaskGroup() as group:
            for listening in self._listening:
                group.create_task(self._accept(listening, group), name="accept")
            group.create_task(self._reaper.run(), name="reaper")

    async def _accept(self, listening: socket.socket, group: asyncio.TaskGroup) -> None:
        """asyncio's own accepting bounds neither how many are in their TLS handshake, each of which
        holds a quarter of a megabyte there, nor how many come before anything else has its turn."""
        loop = asyncio.get_running_loop()
        while True:
            for _ in range(ACCEPTED_AT_ONCE):
                try:
                    connection, _ = await loop.sock_accept(listening)
                except OSError as error:  # it is gone already, or there are no more files
                    LOG.debug("a connection was not accepted: %s", error.strerror)
                    await asyncio.sleep(NO_MORE_S)
                else:
                    group.create_task(self._open(connection), name="open")
            await asyncio.sleep(0)

    async def _open(self, connection: socket.socket) -> None:
        """TLS, if there is any; then it is aiohttp's."""
        task = asyncio.current_task()
        assert task is not None
        if not self._reaper.admit(task):
            connection.close()
            return
        opened: web.RequestHandler | None = None
        try:
            _, opened = await asyncio.get_running_loop().connect_accepted_socket(
                self._server,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=FIRST_REQUEST_S if self._tls else None,
                ssl_shutdown_timeout=TLS_GOODBYE_S if self._tls else None,
            )
        except OSError as error:  # it speaks no TLS, does not believe the certificate, or left
            LOG.debug("a connection came to nothing: %s", error)
            error.with_traceback(None)  # a ring as below, through asyncio's own frame
        finally:
            self._reaper.opened(task, opened)
            # Else there is a ring, of task, traceback and this frame, with the TLS buffers in it, and
            # in a crowd the garbage collector comes late.
            del task


@asynccontextmanager
async def open_port(
    app: web.Application,
    config: ServerConfig,
    tls: ssl.SSLContext | None,
    reaper: Reaper,
    close_s: float,
) -> AsyncGenerator[HttpPort, None]:
    """The port, open while inside. Raises `ConfigError` where it cannot listen.

    At the end requests that are still running have `close_s`.
    """
    AIOHTTP_LOG.addFilter(_is_our_matter)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=AIOHTTP_LOG,
        shutdown_timeout=close_s,
        keepalive_timeout=KEEP_ALIVE_S,
    )
    await runner.setup()
    try:
        assert runner.server is not None  # it is set up
        listening = await _listen(config)
        with ExitStack() as stack:
            for one in listening:
                stack.enter_context(one)
            scheme, port = "https" if tls else "http", listening[0].getsockname()[1]
            url = f"{scheme}://{_name(config.host)}:{port}"
            yield HttpPort(url, listening, runner.server, tls, reaper)
    finally:
        await runner.cleanup()


async def _listen(config: ServerConfig) -> list[socket.socket]:
    """A socket for each address of the host."""
    host, port = config.host, config.port
    try:
        # asyncio finds the addresses and binds; what it would accept with is not used.
        bound = await asyncio.get_running_loop().create_server(
            asyncio.Protocol, host, port, start_serving=False
        )
        listening = [socket.socket(fileno=os.dup(one.fileno())) for one in bound.sockets]
        bound.close()
        for one in listening:
            one.setblocking(False)
            one.listen(BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"server.port: {port} on {host} is in use by another program; "
                f"choose another with --set server.port={port + 1}"
            ) from None
        known = error.errno is not None and error.errno > 0  # below 0: the name was not found
        why = os.strerror(error.errno) if known and error.errno else error.strerror
        raise ConfigError(f"server.host: cannot listen on {host}:{port}: {why}") from None
    return listening


def _is_our_matter(record: logging.LogRecord) -> bool:
    """Of a request that is none aiohttp logs the bad line as an error, a token in it included; anybody
    can make as many as they like, and the answer, 400, says enough."""
    error = record.exc_info and record.exc_info[1]
    return not isinstance(error, HttpProcessingError)


def allow_many_files() -> None:
    """Raise the soft limit on open files, which shells set for shells, towards the hard one."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _name(host: str) -> str:
    """How this machine calls it; `localhost` is the IPv4 one on many."""
    if host in EVERYWHERE or (is_loopback(host) and ":" not in host):
        return "localhost"
    return f"[{host}]" if ":" in host else host
