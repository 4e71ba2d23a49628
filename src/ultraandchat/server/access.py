"""Who gets in: one middleware in front of every route, and the routes that give access.

On loopback without a token this machine is let in, nobody else. Otherwise whoever shows the token is:
programs as a bearer with each request, pages once, for a cookie. `/ws` takes a ticket instead of the
cookie. What a route is for stands in `OPEN` and `OWN_WORD`; any other one needs access.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware

from ultraandchat.config import Config
from ultraandchat.server.addresses import (
    FORWARDING,
    client_address,
    is_at_this_machine,
    is_loopback,
    networks,
    said_by_cloudflare,
)
from ultraandchat.server.guesses import Guesses
from ultraandchat.server.logs import fields
from ultraandchat.server.metrics import Metrics
from ultraandchat.server.origins import Origins
from ultraandchat.server.tokens import Tickets, Token, made

LOG = logging.getLogger("ultraandchat.server")

OPEN = frozenset({"/", "/{path}", "/health", "/ready"})
"""For anybody: the page's files, which are public source, and what tells an outsider nothing."""
OWN_WORD = frozenset({"/access"})
"""Judges the token in its body itself."""

MOST_HELD = 64
"""Answers to wrong tokens that are held back at once, each a connection; beyond it they are refused."""
BODY_S = 5.0
"""A sign-in that has not said its token by then will not."""

NEEDED = "this server asks for its token: open the address it printed when it started\n"
WRONG = "that is not this server's token, or it is too old\n"
TOO_MANY = "too many wrong tokens; try again later\n"
NOT_HERE = (
    "without a token this server answers its own machine only, asked for as localhost and not "
    "through a proxy; set access.token to let others in\n"
)
ANOTHER_PAGE = "this page belongs to another server; access.origins lists pages that may call\n"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request has no access, and how it is told."""

    status: int
    reason: str
    text: str
    held_s: float = 0.0
    retry_after_s: float = 0.0


class SignIn(msgspec.Struct):
    """The body of `POST /access`."""

    token: str


class Access:
    """Decides about every request of one server."""

    def __init__(
        self,
        config: Config,
        public_url: str | None,
        metrics: Metrics,
        *,
        clock: Callable[[], float],
        behind_cloudflare: bool = False,
        wall: Callable[[], float] = lambda: datetime.now(UTC).timestamp(),
    ) -> None:
        """`public_url` is that of a pod's proxy; `clock` is the loop's;
        `behind_cloudflare`: nobody comes another way, as on a pod whose port is its proxy's alone; `wall` counts in cookies, which outlive the process."""
        asked, server = config.access, config.server
        self.required = bool(asked.token) or not is_loopback(server.host)
        """Whether a token is needed; without one this machine alone gets in."""
        self._secret = (asked.token or made()) if self.required else ""
        self._token = Token(self._secret, asked.cookie_days, wall)
        self._tickets = Tickets(asked.ticket_s, clock)
        self._guesses = Guesses()
        self._origins = Origins(asked.origins, public_url)
        self._trusted = networks(server.trusted_proxies)
        self._cookie = (
            f"ultraandchat_{server.port}"  # browsers keep one jar for all ports of a host
        )
        self._behind_cloudflare = behind_cloudflare
        self._metrics = metrics
        self._clock = clock
        self._held = 0

    def link(self, url: str) -> str:
        """The address to open. The token stands in its fragment, which browsers send to nobody."""
        return f"{url}/#token={self._secret}" if self.required else url

    def guard(self) -> Middleware:
        """Middleware: a request reaches its route only if it may."""

        @web.middleware
        async def guarded(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            resource = request.match_info.route.resource
            if resource is None or resource.canonical in OPEN:  # None: there is no such route
                return await handler(request)
            refusal = self._of_another_page(request)
            if refusal is None and resource.canonical not in OWN_WORD:
                refusal = self.refusal(request)
            return await (handler(request) if refusal is None else self._refuse(request, refusal))

        return guarded

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/access", self.sign_in),
            web.delete("/access", self.sign_out),
            web.post("/ticket", self.ticket),
        ]

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """The token for a cookie."""
        token = _bearer(request) or await _told(request)
        refusal = self._of_token(request, token) if self.required else self.refusal(request)
        if refusal is not None:
            return await self._refuse(request, refusal)
        response = web.Response(status=204)
        if self.required:
            response.set_cookie(
                self._cookie,
                self._token.cookie(),
                max_age=self._token.lives_s,
                httponly=True,
                samesite="Strict",
                # The browser's own word on how it came: a proxy in between may have taken TLS off.
                secure=request.secure or request.headers.get("Origin", "").startswith("https:"),
            )
        return response

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """The browser forgets its cookie."""
        response = web.Response(status=204)
        response.del_cookie(self._cookie)
        return response

    async def ticket(self, request: web.Request) -> web.StreamResponse:
        """A ticket for `/ws`; null where none is needed."""
        return web.json_response({"ticket": self._tickets.issue() if self.required else None})

    def refusal(self, request: web.Request) -> Refusal | None:
        """Why this request has no access; None: it has. What it shows and is wrong counts as a guess."""
        if not self.required:
            proxied = any(name in request.headers for name in FORWARDING)
            here = is_at_this_machine(request.remote, request.host, proxied=proxied)
            return None if here else Refusal(403, "host", NOT_HERE)
        to_socket = request.path == "/ws"
        if to_socket and (ticket := request.query.get("ticket")):
            return None if self._tickets.spend(ticket) else self._guessed(request, "ticket")
        if token := _bearer(request):
            return self._of_token(request, token)
        if not to_socket and (cookie := request.cookies.get(self._cookie)):
            return None if self._token.knows(cookie) else self._guessed(request, "cookie")
        return Refusal(401, "access", NEEDED)

    def address(self, request: web.Request) -> str:
        """Of the caller, behind the proxies that are trusted."""
        if self._behind_cloudflare:
            said = said_by_cloudflare(request.headers.get("CF-Connecting-IP"))
            if said is not None:
                return said
        forwarded = request.headers.getall("X-Forwarded-For", [])
        return client_address(request.remote, forwarded, self._trusted)

    def _of_another_page(self, request: web.Request) -> Refusal | None:
        allowed = self._origins.allow(request.headers.get("Origin"), request.host)
        return None if allowed else Refusal(403, "origin", ANOTHER_PAGE)

    def _of_token(self, request: web.Request, token: str) -> Refusal | None:
        """While an address is refused its token is not looked at, so it learns nothing by going on."""
        retry_after_s = self._guesses.refused_s(self.address(request), self._clock())
        if retry_after_s:
            return Refusal(429, "guesses", TOO_MANY, retry_after_s=retry_after_s)
        return None if self._token.fits(token) else self._guessed(request, "token")

    def _guessed(self, request: web.Request, what: str) -> Refusal:
        address, now = self.address(request), self._clock()
        retry_after_s = self._guesses.refused_s(address, now)
        if retry_after_s:
            return Refusal(429, "guesses", TOO_MANY, retry_after_s=retry_after_s)
        LOG.info("wrong access", extra=fields(address=address, what=what))
        return Refusal(401, what, WRONG, held_s=self._guesses.wrong(address, now))

    async def _refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        if refusal.held_s and self._held >= MOST_HELD:
            refusal = Refusal(429, "guesses", TOO_MANY, retry_after_s=refusal.held_s)
        self._metrics.refusals.labels(refusal.reason).inc()
        if refusal.held_s:
            self._held += 1
            try:
                await asyncio.sleep(refusal.held_s)
            finally:
                self._held -= 1
        response = web.Response(status=refusal.status, text=refusal.text)
        if refusal.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        if refusal.retry_after_s:
            response.headers["Retry-After"] = str(round(refusal.retry_after_s + 0.5))
        if refusal.reason == "cookie":
            response.del_cookie(self._cookie)  # so that the browser does not show it again
        return response


def _bearer(request: web.Request) -> str:
    """What stands in `Authorization: Bearer …` (RFC 6750 §2.1)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _told(request: web.Request) -> str:
    """The token in the body; its size is bounded by the application, its time here."""
    try:
        async with asyncio.timeout(BODY_S):
            return msgspec.json.decode(await request.read(), type=SignIn).token
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="the token did not come in time\n") from None
    except msgspec.MsgspecError:
        raise web.HTTPBadRequest(text='the body is {"token": "…"}\n') from None
