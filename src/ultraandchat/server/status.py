"""What the server says of itself: `/health`, `/ready`, `/config.json`, `/logs`, `/metrics`."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import asdict

from aiohttp import web

import ultraandchat
from ultraandchat.audio.frame import HEARING_RATE
from ultraandchat.config import Config
from ultraandchat.engines.base import EngineStatus
from ultraandchat.server.access import is_at_this_machine
from ultraandchat.server.connect import Conversations
from ultraandchat.server.gpu import Gpu
from ultraandchat.server.logs import Logs
from ultraandchat.server.metrics import Metrics
from ultraandchat.transport.pcm import WIRE_RATE
from ultraandchat.transport.wire import PROTOCOL_VERSION, EngineInfo

MOST_LINES = 2_000
"""Lines `/logs` shows at once."""

FORWARDING = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "CF-Connecting-IP")


class Status:
    """The routes that only look."""

    def __init__(
        self,
        config: Config,
        conversations: Conversations,
        metrics: Metrics,
        logs: Logs,
        environ: Mapping[str, str],
    ) -> None:
        self.gpu = Gpu()
        self._config = config
        self._conversations = conversations
        self._metrics = metrics
        self._logs = logs
        self._environ = environ
        self._clock = asyncio.get_running_loop().time
        self._started = self._clock()
        self._load_s: float | None = None

    def engines_ready(self) -> float:
        """Note that the models have loaded; returns the seconds since the start."""
        self._load_s = self._clock() - self._started
        return self._load_s

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/health", self.health),
            web.get("/ready", self.ready),
            web.get("/config.json", self.config),
            web.get("/logs", self.logs),
            web.get("/metrics", self.metrics),
        ]

    async def health(self, request: web.Request) -> web.Response:
        """Always 200: the process lives and says how it is."""
        engines = self._engines()
        port = self._config.server.port
        pod = {
            "pod_id": self._environ.get("RUNPOD_POD_ID", "local"),
            "public_ip": self._environ.get("RUNPOD_PUBLIC_IP"),
            "tcp_port": self._environ.get(f"RUNPOD_TCP_PORT_{port}"),
        }
        live = [engine for engine in engines if engine.state == "ready"]
        return web.json_response(
            {
                "status": self._state(),
                "runpod": pod if _is_local(request) else dict.fromkeys(pod),
                "models": {
                    "ultravox": any(engine.name == "ultravox" for engine in live),
                    "tts": any(engine.kind == "speech" for engine in live),
                },
                "gpu": self.gpu.facts(),
                "engines": [asdict(engine) for engine in engines],
                "conversations": len(self._conversations),
                "uptime_s": round(self._clock() - self._started, 1),
                "load_s": self._load_s and round(self._load_s, 2),
                "version": ultraandchat.__version__,
            }
        )

    async def ready(self, request: web.Request) -> web.Response:
        """200 when a caller would be let in (unless it is full), else 503."""
        ready = self._is_ready()
        return web.json_response(
            {"ready": ready, "status": self._state()}, status=200 if ready else 503
        )

    async def config(self, request: web.Request) -> web.Response:
        """The few facts the page needs before it connects."""
        engines = self._conversations.engines
        return web.json_response(
            {
                "version": ultraandchat.__version__,
                "protocol": PROTOCOL_VERSION,
                "profile": self._config.engines.profile,
                "about": engines.about if engines else "",
                "engines": [
                    {
                        "kind": info.kind,
                        "name": info.name,
                        "state": info.state,
                        "detail": info.detail,
                    }
                    for info in map(_info, self._engines())
                ],
                "voices": list(engines.speech.voices) if engines else [],
                "ready": self._is_ready(),
                "sample_rates": {"up": HEARING_RATE, "down": WIRE_RATE},
                "webrtc": self._config.webrtc.for_pages(),
                "max_conversations": self._config.server.max_conversations,
            }
        )

    async def logs(self, request: web.Request) -> web.Response:
        """The list of files, or the tail of one: `?file=audio&lines=200&session=ab12cd34`."""
        if not _is_local(request):
            raise web.HTTPForbidden(text="logs are shown to this machine only\n")
        file = request.query.get("file", "")
        if not file:
            listed = [{"file": name, "bytes": size} for name, size in self._logs.files()]
            return web.json_response({"directory": self._config.logs.directory, "files": listed})
        session = request.query.get("session", "")
        lines = request.query.get("lines", "200")
        if not re.fullmatch(r"[\w-]{0,64}", session):
            raise web.HTTPBadRequest(text="session is the name of a conversation\n")
        if not re.fullmatch(r"[0-9]{1,6}", lines):
            raise web.HTTPBadRequest(text="lines is a number\n")
        count = min(int(lines), MOST_LINES)
        tail = await asyncio.to_thread(self._logs.tail, file, count, session)
        if tail is None:
            raise web.HTTPNotFound(text="there is no such log\n")
        return web.Response(text=tail, content_type="text/plain")

    async def metrics(self, request: web.Request) -> web.Response:
        self._metrics.log_lines_dropped.set(self._logs.dropped)
        return web.Response(
            body=self._metrics.text(self._engines()),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    def _engines(self) -> tuple[EngineStatus, ...]:
        engines = self._conversations.engines
        return engines.status() if engines else ()

    def _is_ready(self) -> bool:
        engines = self._engines()
        return (
            bool(engines)
            and not self._conversations.stopping
            and all(engine.state != "failed" for engine in engines)
        )

    def _state(self) -> str:
        """ "healthy", "loading", "degraded" (an engine is not ready) or "stopping"."""
        if self._conversations.stopping:
            return "stopping"
        if self._conversations.engines is None:
            return "loading"
        healthy = all(engine.state == "ready" for engine in self._engines())
        return "healthy" if healthy else "degraded"


def _info(engine: EngineStatus) -> EngineInfo:
    return EngineInfo(engine.kind, engine.name, engine.state, engine.detail)


def _is_local(request: web.Request) -> bool:
    proxied = any(name in request.headers for name in FORWARDING)
    return is_at_this_machine(request.remote, request.host, proxied=proxied)
