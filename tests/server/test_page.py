"""The page's files: what is served, as what, and what is not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from ultraandchat.server.page import Page

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    folder = tmp_path / "web"
    (folder / "worklet").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "main.js").write_text("export {}")
    (folder / "worklet" / "capture.js").write_text("export {}")
    (folder / "jsconfig.json").write_text("{}")
    (folder / ".hidden.js").write_text("no")
    (tmp_path / "secret.js").write_text("no")
    page = Page(folder)
    app = web.Application()
    app.add_routes([web.get("/", page.serve), web.get("/{path:.+}", page.serve)])
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/main.js", "text/javascript"),
        ("/worklet/capture.js", "text/javascript"),
    ],
)
async def test_a_file_comes_as_what_it_is(client: Client, path: str, kind: str) -> None:
    answer = await client.get(path)
    assert (answer.status, answer.content_type) == (200, kind)
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.js",
        "/jsconfig.json",
        "/worklet",
        "/worklet/",
        "/.hidden.js",
        "/../secret.js",
        "/%2e%2e/secret.js",
        "/..%2fsecret.js",
        "/worklet/../../secret.js",
        "//secret.js",
        "/main.js/x.js",
        "/main.js%00.js",
    ],
)
async def test_nothing_else_can_be_asked_for(client: Client, path: str) -> None:
    raw = URL(str(client.make_url("/")).rstrip("/") + path, encoded=True)
    async with ClientSession() as session, session.get(raw) as answer:
        assert answer.status == 404


async def test_a_browser_that_has_the_file_is_told_so(client: Client) -> None:
    tag = (await client.get("/main.js")).headers["ETag"]
    again = await client.get("/main.js", headers={"If-None-Match": f'"other", W/{tag}'})
    assert again.status == 304
    assert await again.read() == b""


async def test_an_edited_file_is_served_anew(client: Client, tmp_path: Path) -> None:
    tag = (await client.get("/main.js")).headers["ETag"]
    (tmp_path / "web" / "main.js").write_text("export const a = 1")
    again = await client.get("/main.js", headers={"If-None-Match": tag})
    assert (again.status, await again.text()) == (200, "export const a = 1")
