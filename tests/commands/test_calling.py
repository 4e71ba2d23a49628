"""`check --network ADDRESS`: every way to a real server is tried alone, and each that does not work says why."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.coturn import coturn
from tests.support.serving import serving
from ultraandchat.commands.address import ServerAddress
from ultraandchat.commands.calling import as_caller
from ultraandchat.commands.network import CALLED, _report
from ultraandchat.commands.report import Row, console


async def found(link: str) -> dict[str, Row]:
    """The rows by name."""
    return {row.name: row for row in await as_caller(ServerAddress.read(link), lambda what: None)}


async def test_each_way_carries_sound_by_itself() -> None:
    async with serving() as server:
        rows = await found(server.link)
    assert rows["server"].ok
    assert "round trip" in rows["sound over WebSocket"].detail
    for way in ("UDP", "ICE-TCP"):
        assert "carries sound after" in rows[f"sound over {way}"].detail
    assert rows["sound over TURN"].ok is None
    assert "webrtc.turn names no server" in rows["sound over TURN"].detail


async def test_the_same_over_ipv6() -> None:
    async with serving("server.host=::1") as server:
        rows = await found(server.link)
    for way in ("UDP", "ICE-TCP"):
        assert "carries sound after" in rows[f"sound over {way}"].detail


async def test_a_way_that_is_not_offered_says_why_and_is_not_tried() -> None:
    async with serving("webrtc.udp=off", "webrtc.tcp=off") as server:
        rows = await found(server.link)
    assert rows["sound over WebSocket"].ok
    assert rows["sound over UDP"] == Row(
        "sound over UDP", None, "not offered: webrtc.udp is off; auto offers it where there is UDP"
    )
    assert rows["sound over ICE-TCP"].ok is None
    assert "webrtc.tcp is off" in rows["sound over ICE-TCP"].detail


async def test_a_port_that_leads_nowhere_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with serving(f"webrtc.tcp_announce=127.0.0.1:{port}") as server:
        row = (await found(server.link))["sound over ICE-TCP"]
    assert row.ok is False
    assert f"127.0.0.1:{port}: Connect" in row.detail
    assert "It changes when a pod is reset" in row.remedy


async def test_a_port_where_something_else_answers_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ultraandchat.commands.attempt.MEDIA_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with serving(f"webrtc.tcp_announce=127.0.0.1:{port}") as server:
            row = (await found(server.link))["sound over ICE-TCP"]
    assert (row.ok, row.detail) == (False, "no packet came through within 1 s")
    assert f"something else answers at 127.0.0.1:{port}" in row.remedy


async def test_with_a_token_all_is_tried_and_without_it_nothing() -> None:
    async with serving("access.token=open-sesame-0123456789") as server:
        rows = await found(server.link)
        assert rows["sound over ICE-TCP"].ok
        (refused,) = (await found(server.url)).values()
        assert "give the whole address that it printed, with #token=" in refused.detail
        (wrong,) = (await found(f"{server.url}#token=walnut-walnut-walnut")).values()
        assert "it refuses this token" in wrong.detail
        assert "walnut" not in wrong.detail


async def test_where_nobody_answers_there_is_one_row() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (row,) = (await found(f"http://127.0.0.1:{port}")).values()
    assert row.ok is False
    assert f"nobody answers at 127.0.0.1:{port}" in row.detail


@asynccontextmanager
async def other_site(answer: web.Response) -> AsyncIterator[str]:
    """Some other server."""
    app = web.Application()

    async def serve(request: web.Request) -> web.Response:
        return answer

    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("<html>", 200, "is no UltraAndChat server"),
        ("[1]", 200, "of another version"),
        ('{"rungs": 1}', 200, "of another version"),
        ("", 502, "answers 502; is the server running?"),
        ("no", 403, "give the whole address"),
    ],
)
async def test_another_server_is_told_from_ours(text: str, status: int, said: str) -> None:
    async with other_site(web.Response(text=text, status=status)) as url:
        (row,) = (await found(url)).values()
    assert row.ok is False
    assert said in row.detail


async def test_a_server_that_says_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ultraandchat.commands.calling.ASK_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        async with asyncio.timeout(30):
            (row,) = (await found(f"http://127.0.0.1:{deaf.getsockname()[1]}")).values()
    assert "no answer within" in row.detail


@pytest.mark.skipif(
    shutil.which("turnserver") is None and "CI" not in os.environ, reason="apt install coturn"
)
async def test_a_relay_is_tried_with_the_account_that_pages_get(tmp_path: Path) -> None:
    with coturn(tmp_path, "north") as port:
        relay = f"webrtc.turn=turn:127.0.0.1:{port}?transport=tcp"
        async with serving(relay, "webrtc.turn_secret=north") as server:
            rows = await found(server.link)
        assert "carries sound" in rows[f"sound over turn:127.0.0.1:{port}?transport=tcp"].detail
        # Without UDP the server has itself relayed, too.
        alone = ("webrtc.udp=off", "webrtc.tcp=off")
        async with serving(relay, "webrtc.turn_secret=north", *alone) as server:
            rows = await found(server.link)
        assert rows["sound over UDP"].ok is None
        assert "carries sound" in rows[f"sound over turn:127.0.0.1:{port}?transport=tcp"].detail
        async with serving(relay, "webrtc.turn_secret=south") as server:
            rows = await found(server.link)
        row = rows[f"sound over turn:127.0.0.1:{port}?transport=tcp"]
        assert row.ok is False
        assert "it refused our account: 401" in row.detail


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([Row("server", False, "gone")], 1),
        ([Row("server", True, ""), Row("sound over WebSocket", False, "")], 1),
        ([Row("sound over WebSocket", False, ""), Row("sound over UDP", True, "")], 0),
        ([Row("sound over WebSocket", True, ""), Row("sound over UDP", False, "")], 0),
    ],
)
def test_one_way_is_enough(rows: list[Row], status: int) -> None:
    assert _report(console(), rows, CALLED) == status
