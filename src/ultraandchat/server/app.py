"""The process: one TaskGroup that holds the site, the ticker, the engines and the conversations.

The site is up first, so that `/health` answers while the models load. `run` turns what may go wrong
into one line and an exit code; `serve` is the same for whoever has a loop already.
"""

import asyncio
import errno
import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from ipaddress import ip_address
from typing import TypeAlias

from aiohttp import web

import ultraandchat
from ultraandchat.config import Config, ConfigError
from ultraandchat.engines.base import Engines, EngineUnavailable
from ultraandchat.engines.open import open_engines
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.playout.ticker import Ticker
from ultraandchat.server.connect import Conversations, SessionFactory
from ultraandchat.server.gpu import Gpu
from ultraandchat.server.headers import add_headers, answering_errors
from ultraandchat.server.logs import Logs, written
from ultraandchat.server.loop import loop_factory
from ultraandchat.server.metrics import Metrics
from ultraandchat.server.page import Page
from ultraandchat.server.status import Status
from ultraandchat.session import Session
from ultraandchat.transport.rtp.opus import Opus, OpusUnavailable, find_opus

EXIT_CONFIG = 2
"""The operator asked for something impossible: a setting, a port in use, an unwritable folder."""
EXIT_ENGINE = 1
"""A model cannot run on this machine; the line says what mends it."""

HTTP_CLOSE_S = 1.0
"""Plain requests still running at the end have this long; conversations are over by then."""

OpenEngines: TypeAlias = Callable[[EnginesConfig], AbstractAsyncContextManager[Engines]]


class Server:
    """One running server. `run` returns after `stop`; it may be run once."""

    def __init__(
        self,
        config: Config,
        *,
        open_engines: OpenEngines = open_engines,
        make_session: SessionFactory = Session,
        announce: Callable[[str], None] = lambda line: None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.url = ""
        """Where it listens, once it does."""
        self._config = config
        self._open_engines = open_engines
        self._announce = announce
        self._environ = environ
        self._ticker = Ticker()
        self._metrics = Metrics()
        self._conversations = Conversations(
            config,
            self._ticker,
            self._metrics,
            make_session,
            environ.get("RUNPOD_POD_ID"),
            _opus() if config.webrtc.enabled else None,
        )
        self._stop = asyncio.Event()
        self._failure: ConfigError | EngineUnavailable | None = None

    def stop(self) -> None:
        """End gracefully: goodbye to every caller, `server.stop_grace_s` at most."""
        self._stop.set()

    async def run(self) -> None:
        """Serve until `stop`. Raises `ConfigError` or `EngineUnavailable` where it cannot."""
        with written(self._config.logs) as logs:
            status = Status(self._config, self._conversations, self._metrics, logs, self._environ)
            runner = web.AppRunner(
                self._application(status), access_log=None, shutdown_timeout=HTTP_CLOSE_S
            )
            await runner.setup()
            try:
                self.url = await self._listen(runner)
                self._greet(logs)
                async with asyncio.TaskGroup() as group:
                    ticking = group.create_task(self._ticker.run(), name="ticker")
                    engines = group.create_task(self._keep_engines(status), name="engines")
                    await self._stop.wait()
                    await self._conversations.end(self._config.server.stop_grace_s)
                    engines.cancel()
                    ticking.cancel()
            finally:
                await runner.cleanup()
        if self._failure:
            raise self._failure

    def _application(self, status: Status) -> web.Application:
        page = Page()
        app = web.Application(middlewares=[answering_errors(self._metrics)])
        app.on_response_prepare.append(add_headers)
        app.add_routes(status.routes())
        app.add_routes(
            [
                web.get("/ws", self._conversations.connect),
                web.get("/", page.serve),
                web.get("/{path:.+}", page.serve),
            ]
        )
        return app

    async def _listen(self, runner: web.AppRunner) -> str:
        host, port = self._config.server.host, self._config.server.port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ConfigError(
                    f"server.port: {port} on {host} is in use by another program; "
                    f"choose another with --set server.port={port + 1}"
                ) from None
            known = error.errno is not None and error.errno > 0  # below 0: the name was not found
            why = os.strerror(error.errno) if known and error.errno else error.strerror
            raise ConfigError(f"server.host: cannot listen on {host}:{port}: {why}") from None
        return f"http://{'localhost' if _is_any_or_local(host) else host}:{runner.addresses[0][1]}"

    async def _keep_engines(self, status: Status) -> None:
        """Open the models and hold them open until cancelled."""
        status.gpu = await asyncio.to_thread(Gpu.found)
        try:
            async with self._open_engines(self._config.engines) as engines:
                _spare_what_stays()
                self._conversations.engines = engines
                self._announce(f"Ready after {status.engines_ready():.1f} s. {engines.about}")
                await asyncio.Event().wait()
        except (ConfigError, EngineUnavailable) as error:
            self._failure = error
            self._stop.set()

    def _greet(self, logs: Logs) -> None:
        self._announce(f"UltraAndChat {ultraandchat.__version__}: open {self.url} and talk.")
        if not _is_loopback(self._config.server.host):
            self._announce(
                f"It answers the whole network ({self._config.server.host}). From another machine "
                "browsers give a page the microphone over https only."
            )
        if logs.directory:
            self._announce(f"Logs are in {logs.directory}. Stop with Ctrl-C.")
        self._announce("The models are loading.")


def _spare_what_stays() -> None:
    """Keep the garbage collector off modules and models: looking at all of them takes tens of
    milliseconds, and without them it comes sooner to what conversations leave behind."""
    gc.collect()
    gc.freeze()
    gc.collect()


def _opus() -> Opus:
    try:
        return find_opus()
    except OpusUnavailable as error:
        raise ConfigError(
            f"webrtc.enabled: {error}; with --set webrtc.enabled=false sound goes over WebSockets"
        ) from None


async def serve(config: Config, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; a second one ends the process at once."""
    server = Server(config, announce=announce)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        server.stop()

    with suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
    await server.run()


def run(config: Config) -> int:
    """The process's whole life; returns its exit code."""

    def announce(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve(config, announce))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    except EngineUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_ENGINE
    except KeyboardInterrupt:
        pass
    return 0


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_any_or_local(host: str) -> bool:
    return host in ("", "0.0.0.0", "::") or _is_loopback(host)
