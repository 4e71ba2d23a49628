"""The process: one TaskGroup that holds the site, the ticker, the engines and the conversations.

The site is up first, so that `/health` answers while the models load. `process.py` runs it.
"""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
)
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from aiohttp import web

import ultraandchat
from ultraandchat.config import Config, ConfigError
from ultraandchat.engines.base import Engines, EngineUnavailable
from ultraandchat.engines.open import open_engines as real_engines
from ultraandchat.engines.profile import settle
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.playout.ticker import Ticker
from ultraandchat.pod import Pod
from ultraandchat.server.access import Access
from ultraandchat.server.banner import Banner
from ultraandchat.server.connect import Connections
from ultraandchat.server.conversations import Conversations, SessionFactory
from ultraandchat.server.headers import add_headers, answering_errors
from ultraandchat.server.http_port import HttpPort, open_port
from ultraandchat.server.ice_tcp_metrics import IceTcpMetrics
from ultraandchat.server.ladder import Ladder
from ultraandchat.server.links import links, remarks
from ultraandchat.server.loading import Loading
from ultraandchat.server.logs import Logs, fields, written
from ultraandchat.server.metrics import Metrics
from ultraandchat.server.page import Page
from ultraandchat.server.reaching import listening, reach
from ultraandchat.server.reaper import Reaper
from ultraandchat.server.status import Status
from ultraandchat.server.terminal import Terminal, show
from ultraandchat.server.tls import Tls, opened
from ultraandchat.server.voices import Voices
from ultraandchat.session import Session
from ultraandchat.transport.rtp.opus import Opus, OpusUnavailable, find_opus

LOG = logging.getLogger("ultraandchat.server")

HTTP_CLOSE_S = 1.0
"""Plain requests still running at the end have this long; conversations are over by then."""

MOST_BODY_BYTES = 4_096
"""Of a request; the only ones with a body are small JSON objects."""

OpenEngines: TypeAlias = Callable[[EnginesConfig], AbstractAsyncContextManager[Engines]]


class Server:
    """One running server. `run` returns after `stop`; it may be run once."""

    def __init__(
        self,
        config: Config,
        *,
        open_engines: OpenEngines | None = None,
        make_session: SessionFactory = Session,
        announce: Callable[[str], None] = lambda line: None,
        environ: Mapping[str, str] = os.environ,
        terminal: Terminal | None = None,
    ) -> None:
        """`announce` is given lines for a person or a log; `terminal` what only a person can use."""
        self.url = ""
        """Where it listens, once it does."""
        self.link = ""
        """The address to open: with the token, where there is one. For the operator's eyes only."""
        settled = settle(config.engines)
        self._why_profile = settled.why
        self._config = config = replace(config, engines=settled.engines)
        self._loading = Loading()
        self._open_engines = open_engines or partial(real_engines, watch=self._loading.watch)
        self._announce = announce
        self._terminal = terminal
        self._environ = environ
        self._pod = Pod.read(environ)
        self._ladder = Ladder.of(self._pod, config)
        self._ticker = Ticker()
        self._metrics = Metrics()
        self._reach = reach(self._ladder, config.webrtc)
        if self._reach.tcp is not None:
            self._metrics.registry.register(IceTcpMetrics(self._reach.tcp))
        self._conversations = Conversations(config, self._ticker, self._metrics, make_session)
        self._connections = Connections(
            config,
            self._metrics,
            self._conversations,
            _opus(needed=config.webrtc.enabled),
            self._reach,
        )
        self._stop = asyncio.Event()
        self._failure: ConfigError | EngineUnavailable | None = None

    def stop(self) -> None:
        """End gracefully: goodbye to every caller, `server.stop_grace_s` at most."""
        self._stop.set()

    async def run(self) -> None:
        """Serve until `stop`. Raises `ConfigError` or `EngineUnavailable` where it cannot."""
        with written(self._config.logs) as logs:
            clock = asyncio.get_running_loop().time
            bare = self._pod.tcp_port(self._config.server.port)
            access = Access(
                self._config,
                self._ladder.https_url,
                self._metrics,
                clock=clock,
                behind_cloudflare=self._pod.is_pod and bare is None,
            )
            status = Status(
                self._config,
                self._conversations,
                self._metrics,
                logs,
                self._pod,
                self._ladder,
                access,
                self._loading,
            )
            status.codecs = self._connections.codecs
            page = Page()
            status.page = page.version
            server = self._config.server
            tls = opened(self._config.tls, server.host, self._environ)
            reaper = Reaper(server.max_connections, self._metrics, clock)
            app = self._application(status, access, reaper, page)
            async with (
                open_port(app, server, tls.context if tls else None, reaper, HTTP_CLOSE_S) as port,
                self._listening_for_tcp(status),
            ):
                self.url = port.url
                self._log_where_we_are()
                self._greet(access, tls, logs)
                await self._live(status, port)
        if self._failure:
            raise self._failure

    async def _live(self, status: Status, port: HttpPort) -> None:
        async with asyncio.TaskGroup() as group:
            ticking = group.create_task(self._ticker.run(), name="ticker")
            talking = group.create_task(self._conversations.run(), name="conversations")
            telling = group.create_task(
                self._loading.tell(self._announce, self._terminal), name="loading"
            )
            engines = group.create_task(self._keep_engines(status, telling), name="engines")
            answering = group.create_task(port.run(), name="port")
            await self._stop.wait()
            if count := len(self._conversations):
                within = f"{self._config.server.stop_grace_s:g} s"
                self._announce(f"Stopping; {count} open conversations have {within} to end.")
            await self._conversations.end(self._config.server.stop_grace_s)
            await self._connections.end()
            for task in (talking, answering, telling, engines, ticking):
                task.cancel()

    def _application(
        self, status: Status, access: Access, reaper: Reaper, page: Page
    ) -> web.Application:
        app = web.Application(
            middlewares=[reaper.middleware(), answering_errors(self._metrics), access.guard()],
            client_max_size=MOST_BODY_BYTES,
        )
        app.on_response_prepare.append(add_headers)
        app.add_routes(status.routes())
        app.add_routes(access.routes())
        app.add_routes(Voices(self._conversations).routes())
        app.add_routes(
            [
                web.get("/ws", self._connections.connect),
                web.get("/", page.serve),
                web.get("/{path:.+}", page.serve),
            ]
        )
        return app

    @asynccontextmanager
    async def _listening_for_tcp(self, status: Status) -> AsyncGenerator[None, None]:
        """Where the ladder has ICE-TCP, its port is open meanwhile."""
        async with listening(self._reach, self._ladder) as dialled:
            status.ice_tcp = dialled
            yield

    async def _keep_engines(self, status: Status, telling: asyncio.Task[None]) -> None:
        """Open the models and hold them open until cancelled; `telling` how long it takes ends with it."""
        await status.gpu.find()
        try:
            async with self._open_engines(self._config.engines) as engines:
                telling.cancel()
                _spare_what_stays()
                engines.phrases.keep(self._config.session.known_sentences(engines))
                self._conversations.engines = engines
                self._announce(f"Ready after {status.engines_ready():.1f} s. {engines.about}")
                await asyncio.Event().wait()
        except (ConfigError, EngineUnavailable) as error:
            self._failure = error
            self._stop.set()

    def _log_where_we_are(self) -> None:
        for reason in self._pod.unread:
            LOG.warning(reason)
        LOG.info(self._ladder.line(), extra=fields(pod=self._pod.id))

    def _greet(self, access: Access, tls: Tls | None, logs: Logs) -> None:
        found = links(self.url, self._config.server.host, self._ladder.https_url)
        said = list(remarks(found, self._config, self._pod))
        if self._why_profile:
            said.append(f"Profile {self._config.engines.profile}. {self._why_profile}")
        if tls is not None and (remark := tls.remark()):
            said.append(remark)
        self.link, *others = (access.link(url) for url in found)
        banner = Banner(
            version=ultraandchat.__version__,
            profile=self._config.engines.profile,
            link=self.link,
            others=tuple(others),
            ladder=self._ladder,
            remarks=tuple(said),
            logs=str(logs.directory or ""),
        )
        show(banner, self._announce, self._terminal)
        self._announce("The models are loading.")


def _spare_what_stays() -> None:
    """Keep the garbage collector off modules and models: looking at all of them takes tens of
    milliseconds, and without them it comes sooner to what conversations leave behind."""
    gc.collect()
    gc.freeze()
    gc.collect()


def _opus(*, needed: bool) -> Opus | None:
    """For WebRTC, which has nothing else, and for WebSockets, which have PCM16 too."""
    try:
        return find_opus()
    except OpusUnavailable as error:
        if not needed:
            return None
        raise ConfigError(
            f"webrtc.enabled: {error}; with --set webrtc.enabled=false sound goes over WebSockets"
        ) from None
