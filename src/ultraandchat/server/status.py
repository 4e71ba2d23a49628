"""What the server says of itself: `/health`, `/ready`, `/config.json`, `/logs`, `/metrics`."""

import asyncio
import re
from dataclasses import asdict
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from aiohttp import web

import ultraandchat
from ultraandchat.audio.frame import HEARING_RATE
from ultraandchat.config import Config
from ultraandchat.engines.base import EngineStatus
from ultraandchat.engines.chatterbox.library import WithLibrary
from ultraandchat.pod import Pod
from ultraandchat.server.access import Access
from ultraandchat.server.conversations import Conversations
from ultraandchat.server.gpu import GpuWatch
from ultraandchat.server.ladder import Ladder
from ultraandchat.server.loading import Loading
from ultraandchat.server.logs import Logs
from ultraandchat.server.metrics import Metrics
from ultraandchat.transport.frames import PCM_RATE
from ultraandchat.transport.wire import PROTOCOL_VERSION

MOST_LINES = 2_000
"""Lines `/logs` shows at once."""


class Status:
    """The routes that only look."""

    def __init__(
        self,
        config: Config,
        conversations: Conversations,
        metrics: Metrics,
        logs: Logs,
        pod: Pod,
        ladder: Ladder,
        access: Access,
        loading: Loading,
    ) -> None:
        self.gpu = GpuWatch()
        self.codecs: tuple[str, ...] = ("pcm16",)
        """Of sound on a WebSocket, the best first."""
        self.ice_tcp: str | None = None
        """What callers of ICE-TCP dial, once it listens."""
        self.page = ""
        """The version of the page's files: one that was loaded of another offers to load again."""
        self._config = config
        self._conversations = conversations
        self._metrics = metrics
        self._logs = logs
        self._pod = pod
        self._ladder = ladder
        self._access = access
        self._loading = loading
        self._clock = asyncio.get_running_loop().time
        self._started = self._clock()
        self._start = token_hex(4)
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
        """Always 200: the process lives and says how it is; of the machine only to who has access."""
        engines = self._engines()
        bare = self._pod.tcp_port(self._config.server.port)
        pod = {
            "pod_id": self._pod.id,
            "public_ip": self._pod.address,
            "tcp_port": str(bare.external) if bare else None,
            "data_centre": self._pod.data_centre or None,
            "gpu_count": self._pod.gpu_count,
            "host_name": self._pod.host_name or None,
            "https_url": self._ladder.https_url,
            "rungs": self._ladder.for_pages(self.ice_tcp),
        }
        live = [engine for engine in engines if engine.state == "ready"]
        use = await self.gpu.look()
        state, gpu = self._state(), self.gpu.gpu.facts(use)
        models = {
            "ultravox": any((e.kind, e.name) == ("language", "ultravox") for e in live),
            "tts": any(engine.kind == "speech" for engine in live),
        }
        if self._access.refusal(request) is not None:
            nothing: dict[str, object] = dict.fromkeys(gpu)
            return web.json_response(
                {
                    "status": state,
                    "runpod": dict.fromkeys(pod),
                    "models": models,
                    "gpu": nothing | {"available": gpu["available"]},
                }
            )
        return web.json_response(
            {
                "status": state,
                "runpod": pod,
                "models": models,
                "gpu": gpu,
                "engines": [
                    asdict(one)
                    | {"gpu_bytes": one.pid and use.by_process.get(one.pid)}
                    | {"verdicts": dict(one.verdicts)}
                    for one in engines
                ],
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
                "page": self.page,
                "start": self._start,
                "profile": self._config.engines.profile,
                "about": engines.about if engines else "",
                "engines": [_shown(engine) for engine in self._engines()],
                "voices": list(engines.speech.voices) if engines else [],
                "library": engines is not None and isinstance(engines.speech, WithLibrary),
                "gate_dbfs": self._config.turn.gate_dbfs,
                "ready": self._is_ready(),
                "sample_rates": {"up": HEARING_RATE, "down": PCM_RATE},
                "websocket": {"codecs": list(self.codecs)},
                "webrtc": self._webrtc(),
                "rungs": self._ladder.for_pages(self.ice_tcp),
                "https_url": self._ladder.https_url,
                "max_conversations": self._config.server.max_conversations,
            }
        )

    async def logs(self, request: web.Request) -> web.Response:
        """The list of files, or the tail of one: `?file=audio&lines=200&session=ab12cd34`."""
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
            body=self._metrics.text(self._engines(), await self.gpu.look()),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    def _webrtc(self) -> dict[str, Any] | None:
        """None where no way of it could work: pages then do not try. Fresh: an account may run out."""
        if not self._ladder.has_webrtc:
            return None
        return self._config.webrtc.for_pages(datetime.now(UTC))

    def _engines(self) -> tuple[EngineStatus, ...]:
        engines = self._conversations.engines
        return engines.status() if engines else self._loading.engines()

    def _is_ready(self) -> bool:
        engines = self._engines()
        return (
            self._conversations.engines is not None
            and not self._conversations.stopping
            and all(engine.state != "failed" for engine in engines)
        )

    def _state(self) -> str:
        """ "healthy", "loading", "degraded" (an engine is not ready, or the GPU is gone) or "stopping"."""
        if self._conversations.stopping:
            return "stopping"
        if self._conversations.engines is None:
            return "loading"
        ready = all(engine.state == "ready" for engine in self._engines())
        healthy = ready and not self.gpu.last.trouble
        return "healthy" if healthy else "degraded"


def _shown(engine: EngineStatus) -> dict[str, Any]:
    """What the page says of it before a conversation: `Engine` of `web/config.js`."""
    return {
        "kind": engine.kind,
        "name": engine.name,
        "state": engine.state,
        "detail": engine.detail,
        "remedy": engine.remedy,
        "progress": engine.progress and asdict(engine.progress),
    }
