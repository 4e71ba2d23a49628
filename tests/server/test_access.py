"""Who gets in, route by route, on the real server; and what becomes of who tries to."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar, WSServerHandshakeError
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.serving import free_port
from tests.support.serving import PATIENCE_S, phone, serving
from ultraandchat.server.app import Server
from ultraandchat.server.guesses import FREE_MISTAKES

TOKEN = "the-operators-own-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
WRONG = {"Authorization": "Bearer not-the-operators-token"}

ASKED_FOR = [f"access.token={TOKEN}"]


@asynccontextmanager
async def browsing() -> AsyncIterator[ClientSession]:
    """Keeps cookies, those of plain addresses too."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


async def status(server: Server, method: str, path: str, **headers: str) -> int:
    async with (
        ClientSession() as session,
        session.request(method, f"{server.url}{path}", headers=headers) as answer,
    ):
        return answer.status


async def refusals(server: Server) -> dict[str, float]:
    async with ClientSession() as session:
        answer = await session.get(f"{server.url}/metrics", headers=BEARER)
        text = await answer.text()
    found = re.findall(r'ultraandchat_refusals_total{reason="(\w+)"} (\S+)', text)
    return {reason: float(count) for reason, count in found}


async def signed_in(session: ClientSession, server: Server) -> None:
    async with session.post(f"{server.url}/access", json={"token": TOKEN}) as answer:
        assert answer.status == 204


async def a_ticket(session: ClientSession, server: Server, **headers: str) -> str:
    async with session.post(f"{server.url}/ticket", headers=headers) as answer:
        assert answer.status == 200
        return str((await answer.json())["ticket"])


ROUTES = [
    # method, path, without the token, with it
    ("GET", "/", 200, 200),
    ("GET", "/main.js", 200, 200),
    ("GET", "/view/talk.js", 200, 200),
    ("GET", "/nothing.js", 404, 404),
    ("GET", "/health", 200, 200),
    ("GET", "/ready", 200, 200),
    ("GET", "/config.json", 401, 200),
    ("GET", "/logs", 401, 200),
    ("GET", "/logs?file=server", 401, 404),  # no files are kept here
    ("GET", "/metrics", 401, 200),
    ("GET", "/voices", 401, 404),  # nobody here has a library
    ("PUT", "/voices/anna", 401, 404),
    ("DELETE", "/voices/anna", 401, 404),
    ("POST", "/ticket", 401, 200),
    ("POST", "/access", 400, 204),  # nothing was said: a bad request
    ("DELETE", "/access", 204, 204),
    ("GET", "/ws", 401, 400),  # no handshake
    ("POST", "/ws", 405, 405),
    ("PUT", "/config.json", 405, 405),
]


@pytest.mark.parametrize(("method", "path", "without", "having"), ROUTES)
async def test_what_the_token_is_needed_for(
    method: str, path: str, without: int, having: int
) -> None:
    async with serving(*ASKED_FOR) as server:
        assert await status(server, method, path) == without
        assert await status(server, method, path, **BEARER) == having


@pytest.mark.parametrize(("method", "path", "without", "having"), ROUTES)
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "CF-Connecting-IP", "Host"])
async def test_without_a_token_this_machine_alone_gets_in(
    header: str, method: str, path: str, without: int, having: int
) -> None:
    """A proxy in front, or a page whose name was made to point here, is somebody else."""
    foreign = {header: "rebound.example" if header == "Host" else "198.51.100.1"}
    refused = {401: 403, 400: 403}.get(without, without)
    if (method, path) == ("POST", "/access"):
        refused = 400  # before it is asked who it is
    async with serving() as server:
        assert await status(server, method, path, **foreign) == refused
        assert await status(server, method, path) == (without if path == "/access" else having)


def test_every_route_is_in_the_table() -> None:
    """A new one is closed until somebody says otherwise, and is to be tested here."""
    tested = {path.partition("?")[0] for _, path, *_ in ROUTES}
    assert tested >= {"/access", "/config.json", "/health", "/logs", "/metrics", "/ready", "/ws"}


async def test_an_answer_says_what_to_set() -> None:
    async with serving() as server, ClientSession() as session:
        proxied = {"X-Forwarded-For": "198.51.100.1"}
        async with session.get(f"{server.url}/config.json", headers=proxied) as answer:
            assert "access.token" in await answer.text()


async def test_a_server_for_the_network_makes_a_token_and_gives_it_away_in_its_link_only() -> None:
    async with serving("server.host=0.0.0.0") as server:
        page, _, token = server.link.partition("#token=")
        assert page == f"{server.url}/"
        assert len(token) == 32
        assert await status(server, "GET", "/config.json") == 401
        assert await status(server, "GET", "/config.json", Authorization=f"Bearer {token}") == 200
    async with serving("server.host=0.0.0.0") as server:
        assert server.link.partition("#token=")[2] != token


async def test_on_loopback_there_is_no_token() -> None:
    async with serving() as server:
        assert server.link == server.url


async def test_outsiders_learn_from_health_that_it_lives_and_nothing_else() -> None:
    pod = {"RUNPOD_POD_ID": "pod1", "RUNPOD_PUBLIC_IP": "203.0.113.9"}
    async with serving(*ASKED_FOR, environ=pod) as server, ClientSession() as session:
        async with session.get(f"{server.url}/health") as answer:
            told = await answer.json()
        assert told == {
            "status": "healthy",
            "runpod": dict.fromkeys(told["runpod"]),
            "models": {"ultravox": False, "tts": True},
            "gpu": dict.fromkeys(told["gpu"]) | {"available": told["gpu"]["available"]},
        }
        async with session.get(f"{server.url}/health", headers=BEARER) as answer:
            told = await answer.json()
        assert told["runpod"]["pod_id"] == "pod1"
        assert told["runpod"].keys() >= {"pod_id", "public_ip", "tcp_port"}
        assert told["engines"]


async def test_a_page_signs_in_once_and_connects_with_tickets() -> None:
    async with serving(*ASKED_FOR) as server, browsing() as page:
        assert (await page.get(f"{server.url}/config.json")).status == 401
        await signed_in(page, server)
        assert (await page.get(f"{server.url}/config.json")).status == 200
        ticket = await a_ticket(page, server)
        async with phone(server.url, path=f"/ws?ticket={ticket}") as caller:
            await caller.begins()
        assert (await page.delete(f"{server.url}/access")).status == 204
        assert (await page.get(f"{server.url}/config.json")).status == 401


@pytest.mark.parametrize(
    ("origin", "secure"), [("http://HOST", False), ("https://HOST", True), (None, False)]
)
async def test_a_cookie_is_the_browsers_secret(origin: str | None, secure: bool) -> None:
    """The server stands behind a proxy that took TLS off where the page's origin is https."""
    async with serving(*ASKED_FOR) as server, ClientSession() as session:
        host = server.url.removeprefix("http://")
        headers = {"Origin": origin.replace("HOST", host)} if origin else {}
        async with session.post(
            f"{server.url}/access", json={"token": TOKEN}, headers=headers
        ) as answer:
            (cookie,) = answer.cookies.values()
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert bool(cookie["secure"]) is secure
    assert int(cookie["max-age"]) == 30 * 86_400
    assert TOKEN not in cookie.value


async def test_a_cookie_outlives_a_restart_with_the_same_token() -> None:
    async with browsing() as page:
        async with serving(*ASKED_FOR) as server:
            await signed_in(page, server)
        async with serving(*ASKED_FOR) as server:
            assert (await page.get(f"{server.url}/config.json")).status == 200
        async with serving("access.token=another-token-of-the-operator") as server:
            assert (await page.get(f"{server.url}/config.json")).status == 401
            assert not page.cookie_jar.filter_cookies(server.url)  # type: ignore[arg-type]


async def test_a_program_connects_with_the_token_itself() -> None:
    async with serving(*ASKED_FOR) as server, phone(server.url, headers=BEARER) as caller:
        await caller.begins()


async def test_a_cookie_alone_does_not_connect() -> None:
    async with serving(*ASKED_FOR) as server, browsing() as page:
        await signed_in(page, server)
        with pytest.raises(WSServerHandshakeError) as refused:
            await page.ws_connect(f"{server.url}/ws")
        assert refused.value.status == 401


@pytest.mark.parametrize("spoiled", ["replayed", "forged", "cookie", "empty", "long", "bytes"])
async def test_a_ticket_that_is_not_good_connects_nobody(spoiled: str) -> None:
    async with serving(*ASKED_FOR) as server, browsing() as page:
        ticket = await a_ticket(page, server, **BEARER)
        given = {
            "replayed": ticket,
            "forged": ticket[:-6] + ticket[:6],
            "cookie": "aW4.abc.def",
            "empty": "",
            "long": "x" * 7_000,
            "bytes": "%ff%00%0d%0a",
        }[spoiled]
        if spoiled == "replayed":
            async with phone(server.url, path=f"/ws?ticket={ticket}") as caller:
                await caller.begins()
        with pytest.raises(WSServerHandshakeError) as refused:
            async with phone(server.url, path=f"/ws?ticket={given}"):
                pass
        assert refused.value.status == 401
        assert await refusals(server) == {"access" if spoiled == "empty" else "ticket": 1}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/ws"), ("POST", "/access"), ("POST", "/ticket")]
)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost"])
async def test_another_servers_page_gets_in_nowhere(method: str, path: str, origin: str) -> None:
    async with serving(*ASKED_FOR) as server:
        assert await status(server, method, path, Origin=origin, **BEARER) == 403
        assert await refusals(server) == {"origin": 1}


async def test_pages_on_the_list_may_call() -> None:
    async with serving("access.origins=https://friend.example", *ASKED_FOR) as server:
        friend = {"Origin": "https://friend.example", **BEARER}
        assert await status(server, "POST", "/ticket", **friend) == 200


async def test_a_token_tried_a_thousand_times_is_slowed_then_refused() -> None:
    async with serving(*ASKED_FOR, "server.trusted_proxies=127.0.0.0/8") as server:
        guesser = {"X-Forwarded-For": "198.51.100.1"}
        loop = asyncio.get_running_loop()
        waited: list[float] = []
        first = loop.time()

        async def guess(session: ClientSession, number: int) -> tuple[int, int, float]:
            begun = loop.time()
            guessed = {"Authorization": f"Bearer guess-number-{number:07}"}
            async with session.get(f"{server.url}/metrics", headers=guesser | guessed) as answer:
                if answer.status == 401:
                    waited.append(loop.time() - begun)
                again = int(answer.headers.get("Retry-After", "0"))
                return answer.status, again, loop.time() - first

        async with ClientSession() as session, asyncio.TaskGroup() as group:
            tries = [group.create_task(guess(session, number)) for number in range(1_000)]
        answers = [one.result() for one in tries]
        assert [answer for answer, _, _ in answers].count(401) == FREE_MISTAKES
        assert {answer for answer, _, _ in answers} == {401, 429}
        # A minute from the last wrong one on; a thousand of them may take a machine a part of it.
        assert all(60 - at <= again <= 61 for answer, again, at in answers if answer == 429)
        assert max(waited) >= 3.2
        assert sum(waited) >= 6.3
        assert await status(server, "GET", "/metrics", **guesser, **BEARER) == 429
        elsewhere = {"X-Forwarded-For": "198.51.100.2"}
        assert await status(server, "GET", "/metrics", **elsewhere, **BEARER) == 200
        assert await refusals(server) == {"token": FREE_MISTAKES, "guesses": 995}


async def test_what_was_given_for_the_token_is_good_while_its_address_is_refused() -> None:
    """All callers behind one proxy have one address, and one of them guesses."""
    async with serving(*ASKED_FOR) as server, browsing() as page:
        await signed_in(page, server)
        async with ClientSession() as session, asyncio.TaskGroup() as group:
            for _ in range(FREE_MISTAKES + 1):
                group.create_task(session.post(f"{server.url}/access", headers=WRONG))
        assert await status(server, "POST", "/access", **BEARER) == 429
        ticket = await a_ticket(page, server)
        async with phone(server.url, path=f"/ws?ticket={ticket}") as caller:
            await caller.begins()


async def guessed_from(server: Server, address: str, times: int) -> None:
    guesser = {"CF-Connecting-IP": address, **WRONG}
    async with ClientSession() as session, asyncio.TaskGroup() as group:
        for _ in range(times):
            group.create_task(session.post(f"{server.url}/access", headers=guesser))


async def test_on_a_pod_callers_are_told_apart_by_what_cloudflare_says_of_them() -> None:
    """They all come through its proxy. Where the port is reached past it too, anybody may write that."""
    pod = {"RUNPOD_POD_ID": "pod1", "RUNPOD_PUBLIC_IP": "203.0.114.9"}
    honest = {"CF-Connecting-IP": "198.51.100.2", **BEARER}
    async with serving(*ASKED_FOR, environ=pod) as server:
        await guessed_from(server, "198.51.100.1", FREE_MISTAKES)
        assert await status(server, "POST", "/access", **honest) == 204
    port = free_port()
    bare = pod | {f"RUNPOD_TCP_PORT_{port}": "40123"}
    async with serving(*ASKED_FOR, f"server.port={port}", environ=bare) as server:
        await guessed_from(server, "198.51.100.1", FREE_MISTAKES)
        assert await status(server, "POST", "/access", **honest) == 429


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"token": 7}', b'{"token": null}', b"\xff\xfe", b'{"token": "'],
)
async def test_a_sign_in_that_is_none_is_a_bad_request(body: bytes) -> None:
    async with serving(*ASKED_FOR) as server, ClientSession() as session:
        async with session.post(f"{server.url}/access", data=body) as answer:
            assert answer.status == 400
        async with session.post(f"{server.url}/access", data=b"x" * 5_000) as answer:
            assert answer.status == 413


async def test_a_sign_in_that_never_says_its_token_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ultraandchat.server.access.BODY_S", 0.05)
    async with serving(*ASKED_FOR) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /access HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        async with asyncio.timeout(PATIENCE_S):
            assert b"408" in await reader.readline()
        writer.close()


@pytest.mark.parametrize(
    "header",
    ["X: " + "x" * 9_000, "Cookie: " + "x" * 9_000, "Authorization: Bearer " + "x" * 9_000],
)
async def test_a_head_that_is_too_long_is_a_bad_request(header: str) -> None:
    async with serving(*ASKED_FOR) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /config.json HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
        async with asyncio.timeout(PATIENCE_S):
            assert b"400" in await reader.readline()
        writer.close()


JUNK = st.binary(max_size=60).map(lambda junk: junk.translate(None, b"\r\n\0"))


@pytest.mark.parametrize("required", [True, False])
async def test_no_header_gets_in_or_breaks_it(required: bool) -> None:
    """What callers are judged by holds any bytes; most are a bad request, none is an error of ours."""
    heads: list[tuple[str, bytes]] = []
    collect = given(
        st.sampled_from(
            ["Authorization", "Cookie", "Origin", "Host", "X-Forwarded-For", "Forwarded"]
        ),
        st.sampled_from(
            [b"", b"Bearer ", b"ultraandchat_0=", b"https://", b'for="[', b"localhost:"]
        ),
        JUNK,
    )(lambda name, start, junk: heads.append((name, start + junk)))
    believing = "server.trusted_proxies=127.0.0.0/8"
    elsewhere = {"X-Forwarded-For": "198.51.100.99"} if required else {}
    settings(max_examples=80, database=None)(collect)()
    async with serving(*(ASKED_FOR if required else ()), believing) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        for path in ("/config.json", "/ws", "/health"):
            for name, value in heads[:: 1 if required else 4]:
                reader, writer = await asyncio.open_connection(host, int(port))
                named = b"" if name == "Host" else b"Host: localhost\r\n"
                head = f"GET {path} HTTP/1.1\r\n".encode() + named
                writer.write(head + name.encode() + b": " + value + b"\r\n\r\n")
                async with asyncio.timeout(PATIENCE_S):
                    status_line = await reader.readline()
                code = int(status_line.split()[1])
                open_to_it = path == "/health" or not required
                assert code in ((200, 400, 403) if open_to_it else (400, 401, 403, 429)), value
                writer.close()
        async with ClientSession() as session:
            answer = await session.get(f"{server.url}/metrics", headers=BEARER | elsewhere)
            text = await answer.text()
    assert "ultraandchat_http_faults_total 0.0" in text


async def test_no_secret_reaches_a_log(tmp_path: Path) -> None:
    logged = (f"logs.directory={tmp_path}", "logs.level=debug")
    async with serving(*ASKED_FOR, *logged) as server, browsing() as page:
        await signed_in(page, server)
        ticket = await a_ticket(page, server)
        async with phone(server.url, path=f"/ws?ticket={ticket}") as caller:
            await caller.begins()
        await page.post(f"{server.url}/access", json={"token": TOKEN[:-1]})
        async with page.get(f"{server.url}/logs?file=server") as answer:
            shown = await answer.text()
        host, _, port = server.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\x01\r\n\r\n"
        writer.write(head.encode())
        assert b"400" in await reader.readline()
        writer.close()
    logs = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "wrong access" in logs
    for text in (logs, shown):
        assert TOKEN[:-1] not in text
        assert ticket not in text
