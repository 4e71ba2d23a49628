"""What every answer carries, and what happens to a request that fails by our own error."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from ultraandchat.server.metrics import Metrics

LOG = logging.getLogger("ultraandchat.server")

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""Only this server's own files run; nothing inline, nothing from elsewhere, no frame around it."""

HEADERS = {
    "Server": "ultraandchat",
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`."""
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


def answering_errors(metrics: Metrics) -> Middleware:
    """Middleware: an error of ours is counted, logged with its trace, and answered with 500."""

    @web.middleware
    async def answer(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception:  # an error of ours ends this request only; counted and logged
            metrics.http_faults.inc()
            LOG.exception("request failed")
            return web.json_response({"error": "the server made an error"}, status=500)

    return answer
