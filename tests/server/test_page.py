"""The page's files: what is served, as what, and what is not."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from ultraandchat.server import page
from ultraandchat.server.page import COMMENT, UNFILLED, Page

Client = TestClient[web.Request, web.Application]

WEB = Path(page.__file__).parent.parent / "web"

OURS = sorted(file for file in WEB.rglob("*.js") if "vendor" not in file.parts)

SCRIPT = "export {};\n" * 100


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    folder = tmp_path / "web"
    (folder / "worklet").mkdir(parents=True)
    (folder / "index.html").write_text(f"<!doctype html>{UNFILLED.decode()}")
    (folder / "main.js").write_text(SCRIPT)
    (folder / "icon.png").write_bytes(b"\x89PNG" + bytes(1000))
    (folder / "worklet" / "capture.js").write_text("export {}")
    (folder / "jsconfig.json").write_text("{}")
    (folder / ".hidden.js").write_text("no")
    (tmp_path / "secret.js").write_text("no")
    served = Page(folder)
    app = web.Application()
    app.add_routes([web.get("/", served.serve), web.get("/{path:.+}", served.serve)])
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/main.js", "text/javascript"),
        ("/page.js", "text/javascript"),
        ("/page.js.map", "application/json"),
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


async def test_the_modules_come_as_one_script_also_after_one_was_edited(
    client: Client, tmp_path: Path
) -> None:
    first = await client.get("/page.js")
    assert (await first.text()).splitlines()[-1] == "//# sourceMappingURL=page.js.map"
    (tmp_path / "web" / "main.js").write_text('import "./worklet/capture.js";\nconst a = 1;\n')
    (tmp_path / "web" / "worklet" / "capture.js").write_text("const b = 2;\n")
    again = await client.get("/page.js", headers={"If-None-Match": first.headers["ETag"]})
    script = await again.text()
    assert script.index("const b = 2;") < script.index("const a = 1;")
    sources = (await (await client.get("/page.js.map")).json())["sources"]
    assert sources == ["worklet/capture.js", "main.js"]


@pytest.mark.parametrize(
    "accepted", ["gzip", "deflate, gzip;q=1.0", "br, *", "GZIP", "x-gzip;q=0.5"]
)
async def test_a_browser_that_takes_gzip_gets_less(client: Client, accepted: str) -> None:
    answer = await client.get("/main.js", headers={"Accept-Encoding": accepted})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) < 100
    assert await answer.text() == SCRIPT


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", "gzip; q=0.000, br", "*;q=0"])
async def test_others_get_the_file_as_it_lies(client: Client, accepted: str) -> None:
    answer = await client.get("/main.js", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(SCRIPT)


async def test_each_coding_has_its_own_tag(client: Client) -> None:
    tags = {
        accepted: (await client.get("/main.js", headers={"Accept-Encoding": accepted})).headers[
            "ETag"
        ]
        for accepted in ("gzip", "identity")
    }
    assert tags["gzip"] != tags["identity"]
    for accepted in tags:
        for known, tag in tags.items():
            headers = {"Accept-Encoding": accepted, "If-None-Match": tag}
            answer = await client.get("/main.js", headers=headers)
            assert answer.status == (304 if accepted == known else 200)
            assert answer.headers["ETag"] == tags[accepted]
            assert answer.headers["Vary"] == "Accept-Encoding"


async def test_a_picture_is_not_packed_twice(client: Client) -> None:
    answer = await client.get("/icon.png", headers={"Accept-Encoding": "gzip"})
    assert (answer.status, answer.content_type) == (200, "image/png")
    assert not {"Content-Encoding", "Vary"} & set(answer.headers)


async def test_a_file_is_packed_once_and_again_where_it_changed(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[bytes] = []
    pack = gzip.compress
    monkeypatch.setattr(
        gzip, "compress", lambda data, **how: packed.append(data) or pack(data, **how)
    )
    for _ in range(3):
        await client.get("/main.js", headers={"Accept-Encoding": "gzip"})
    assert len(packed) == 1
    (tmp_path / "web" / "main.js").write_text(SCRIPT * 2)
    answer = await client.get("/main.js", headers={"Accept-Encoding": "gzip"})
    assert (await answer.text(), len(packed)) == (SCRIPT * 2, 2)


async def test_a_page_is_told_its_version_which_any_file_changes(
    client: Client, tmp_path: Path
) -> None:
    folder = tmp_path / "web"
    version = Page(folder).version
    assert f'<meta name="page" content="{version}">' in await (await client.get("/")).text()
    assert Page(folder).version == version
    (folder / "jsconfig.json").write_text("{ }")
    assert Page(folder).version == version, "not a part of the page"
    (folder / "worklet" / "capture.js").write_text("export { }")
    assert Page(folder).version != version


async def test_comments_stay_at_home_and_lines_where_they_are(
    client: Client, tmp_path: Path
) -> None:
    text = """/**
 * What it is.
 */
/*! @license of somebody else */
/* one */
const a = 1; /* beside code */
/** @type {number} */ (window).b = 2; // and so
  /**
   * Of a method. */
const path = "/*";
const c = `
  text */`;
"""
    (tmp_path / "web" / "main.js").write_text(text * 20)
    sent = await (await client.get("/main.js", headers={"Accept-Encoding": "gzip"})).text()
    assert sent.splitlines()[:12] == [
        "",
        "",
        "",
        "/*! @license of somebody else */",
        "",
        "const a = 1; /* beside code */",
        "/** @type {number} */ (window).b = 2; // and so",
        "",
        "",
        'const path = "/*";',
        "const c = `",
        "  text */`;",
    ]
    assert len(sent.splitlines()) == len((text * 20).splitlines())
    plain = await client.get("/main.js", headers={"Accept-Encoding": "identity"})
    assert await plain.text() == text * 20


@pytest.mark.parametrize("script", OURS, ids=lambda path: path.name)
def test_what_is_taken_for_a_comment_is_one(script: Path) -> None:
    """In a template, text that has the form of one would be lost; the page's own have one form."""
    for found in COMMENT.findall(script.read_bytes()):
        first, *others = found.decode().strip().split("\n")
        assert first.startswith("/**")
        assert all(line.lstrip().startswith("*") for line in others)
