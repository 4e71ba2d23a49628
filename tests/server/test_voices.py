"""Voices are listed, added and removed over HTTP, with one sentence for everything that goes wrong."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.clips import READING, encoded
from tests.support.collected import engines_with
from tests.support.serving import PATIENCE_S, phone, scripted, serving
from ultraandchat.engines.base import Engines
from ultraandchat.engines.chatterbox.engine import open_chatterbox
from ultraandchat.engines.chatterbox.library import Library
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.weights.settings import HubSettings
from ultraandchat.server import voices
from ultraandchat.server.app import Server
from ultraandchat.transport.wire import Bye, Closing, Error, ReplyDone, Say, Settings

CLIP = encoded(READING)


class Site:
    """The server's `/voices` as a program uses it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder

    async def ask(self, method: str, path: str = "", **given: Any) -> tuple[int, Any]:
        url = f"{self.server.url}/voices{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, **given) as answer,
        ):
            return answer.status, await answer.json()

    async def refused(self, method: str, path: str, **given: Any) -> tuple[int, str]:
        status, told = await self.ask(method, path, **given)
        return status, told["error"]


@asynccontextmanager
async def site_of(folder: Path, *settings: str) -> AsyncIterator[Site]:
    @asynccontextmanager
    async def opened(config: EnginesConfig) -> AsyncIterator[Engines]:
        yield engines_with(Library(folder))

    async with serving(*settings, open_engines=opened) as server:  # type: ignore[arg-type]
        yield Site(server, folder)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_of(tmp_path / "voices") as running:
        yield running


async def test_a_voice_is_added_chosen_by_the_next_caller_and_removed(site: Site) -> None:
    status, added = await site.ask("PUT", "/anna", data=CLIP)
    assert (status, added["name"], added["voices"]) == (201, "anna", ["default", "anna"])
    assert added["seconds"] == pytest.approx(10.85, abs=0.1)
    async with phone(site.server.url) as caller:
        assert (await caller.begins()).voices == ["default", "anna"]
    status, told = await site.ask("GET")
    assert (status, told["voices"]) == (200, ["default", "anna"])
    assert [(file["name"], file["fault"]) for file in told["files"]] == [("anna", "")]
    assert await site.ask("DELETE", "/anna") == (200, {"voices": ["default"]})
    assert list(site.folder.iterdir()) == []


async def test_a_running_conversation_can_choose_it_and_outlives_its_removal(site: Site) -> None:
    async with phone(site.server.url) as caller:
        assert (await caller.begins()).voices == ["default"]
        assert (await site.ask("PUT", "/anna", data=CLIP))[0] == 201
        await caller.tells(Settings(voice="anna"))
        await caller.tells(Say("hello"))
        await caller.until(ReplyDone)
        assert (await site.ask("DELETE", "/anna"))[0] == 200
        await caller.tells(Say("are you still there"))
        done = await caller.until(ReplyDone)
        assert isinstance(done, ReplyDone)
        assert done.heard
        await caller.tells(Bye())
        await caller.until(Closing)
        assert not [one for one in caller.messages if isinstance(one, Error)]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<html>", "This clip cannot be a voice: this is no sound file that can be read; "),
        (b"", "This clip cannot be a voice: this is no sound file that can be read; "),
        (encoded(READING[:3_200]), "This clip cannot be a voice: it is too short: 0.2 s of speech"),
    ],
)
async def test_a_file_that_is_no_voice_is_refused_in_a_sentence(
    site: Site, data: bytes, sentence: str
) -> None:
    status, told = await site.refused("PUT", "/anna", data=data)
    assert status == 422
    assert told.startswith(sentence)
    assert told.endswith(".")
    assert not site.folder.exists()


@pytest.mark.parametrize("name", ["Anna", "a%20b", "..%2fa", "%2e%2e", "default", "a" * 41, "%00"])
async def test_a_name_that_is_none_is_refused(site: Site, name: str) -> None:
    async with aiohttp.ClientSession() as session:
        from yarl import URL

        url = URL(f"{site.server.url}/voices/{name}", encoded=True)
        async with session.put(url, data=CLIP) as answer:
            assert answer.status in (400, 404, 405)
    assert not site.folder.exists()


async def test_a_name_that_is_taken_and_one_that_is_not_there_are_told(site: Site) -> None:
    assert (await site.ask("PUT", "/anna", data=CLIP))[0] == 201
    taken = "There is a voice of this name; remove it first."
    assert await site.refused("PUT", "/anna", data=CLIP) == (409, taken)
    assert await site.refused("DELETE", "/bob") == (404, "There is no voice of this name.")


async def test_a_full_library_is_told(site: Site) -> None:
    site.folder.mkdir()
    for number in range(64):
        (site.folder / f"v{number:02}.wav").touch()
    status, told = await site.refused("PUT", "/anna", data=CLIP)
    assert (status, told[:19]) == (409, "There are 64 voices")


async def test_a_full_disk_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    told = "The server's disk is full, so the voice was not stored."
    assert await site.refused("PUT", "/anna", data=CLIP) == (507, told)


async def test_a_file_that_says_it_is_too_large_is_refused_before_it_comes(site: Site) -> None:
    status, told = await site.refused("PUT", "/anna", data=bytes(20_000_001))
    assert (status, told) == (413, "The file has more than 20 MB.")


async def test_a_file_that_does_not_say_how_large_it_is_is_cut_off(site: Site) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 200_000_000:
            sent += 1_000_000
            yield bytes(1_000_000)

    try:
        status, told = await site.refused("PUT", "/anna", data=endless())
        assert (status, told) == (413, "The file has more than 20 MB.")
    except aiohttp.ClientError:
        pass  # it hung up before the answer was read
    assert sent < 100_000_000


async def test_a_small_file_that_unpacks_without_end_is_cut_off(site: Site) -> None:
    import zlib

    packed = zlib.compress(bytes(300_000_000), 9)
    assert len(packed) < 300_000
    status, _ = await site.refused(
        "PUT", "/anna", data=packed, headers={"Content-Encoding": "deflate"}
    )
    assert status in (400, 413)


async def test_a_file_that_comes_too_slowly_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voices, "BODY_S", 0.1)

    async def slow() -> AsyncIterator[bytes]:
        yield CLIP[:1000]
        await asyncio.sleep(PATIENCE_S)
        yield CLIP[1000:]

    status, _ = await site.refused("PUT", "/anna", data=slow())
    assert status == 408


async def test_who_leaves_in_the_middle_leaves_nothing_behind(site: Site) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", int(site.server.url.split(":")[-1]))
    writer.write(b"PUT /voices/anna HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n")
    writer.write(CLIP[:1000])
    await writer.drain()
    writer.close()
    async with asyncio.timeout(PATIENCE_S):
        while (await site.ask("PUT", "/bob", data=CLIP))[0] == 429:
            await asyncio.sleep(0.01)
    _, told = await site.ask("GET")
    assert told["voices"] == ["default", "bob"]


async def test_one_voice_is_added_at_a_time(site: Site) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        yield CLIP[:1000]
        begun.set()
        await go.wait()
        yield CLIP[1000:]

    async with asyncio.TaskGroup() as group:
        first = group.create_task(site.ask("PUT", "/anna", data=waiting()))
        await begun.wait()
        status = 0
        async with asyncio.timeout(PATIENCE_S):
            while status != 429:  # the first one's head may still be on its way
                status, told = await site.ask("PUT", "/Bad", data=CLIP)
        assert told == {"error": voices.BUSY}
        go.set()
    assert first.result()[0] == 201


async def test_a_page_of_another_server_can_add_nothing(site: Site) -> None:
    headers = {"Origin": "https://evil.example"}
    for method, path in (("PUT", "/anna"), ("DELETE", "/anna"), ("GET", "")):
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, f"{site.server.url}/voices{path}", data=CLIP, headers=headers
            ) as answer,
        ):
            assert answer.status == 403
    assert not site.folder.exists()


async def test_without_the_token_nothing_is_taken(tmp_path: Path) -> None:
    async with site_of(tmp_path / "voices", "access.token=the-operators-own-token") as site:
        async with (
            aiohttp.ClientSession() as session,
            session.put(f"{site.server.url}/voices/anna", data=CLIP) as answer,
        ):
            assert answer.status == 401
        bearer = {"Authorization": "Bearer the-operators-own-token"}
        assert (await site.ask("PUT", "/anna", data=CLIP, headers=bearer))[0] == 201


async def test_a_voice_without_a_library_says_so() -> None:
    async with serving() as server:
        site = Site(server, Path())
        told = (404, {"error": "The voice of this server cannot be changed."})
        assert await site.ask("GET") == told
        assert await site.ask("PUT", "/anna", data=CLIP) == told
        assert await site.ask("DELETE", "/anna") == told


async def test_the_page_is_told_whether_there_is_a_library(site: Site) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{site.server.url}/config.json") as answer:
            assert (await answer.json())["library"] is True
        async with serving() as server, session.get(f"{server.url}/config.json") as answer:
            assert (await answer.json())["library"] is False


@pytest.mark.usefixtures("fakes_can_be_imported")
async def test_chatterbox_speaks_with_a_voice_as_soon_as_it_was_added(tmp_path: Path) -> None:
    """flite stands for the model: another of its voices for every clip."""
    settings = ChatterboxSettings(voices=str(tmp_path / "voices"))

    @asynccontextmanager
    async def opened(config: EnginesConfig) -> AsyncIterator[Engines]:
        factory = "tests.support.flite_chatterbox:open_model"
        async with open_chatterbox(settings, HubSettings(), factory=factory) as speech:
            yield replace(scripted(), speech=speech)

    async with (
        serving(open_engines=opened) as server,  # type: ignore[arg-type]
        phone(server.url) as caller,
    ):
        site = Site(server, tmp_path / "voices")
        assert (await caller.begins()).voices == ["default"]
        _, added = await site.ask("PUT", "/anna", data=CLIP)
        assert added["voices"] == ["default", "anna"]
        await caller.tells(Settings(voice="anna"))
        await caller.tells(Say("hello"))
        done = await caller.until(ReplyDone)
        assert isinstance(done, ReplyDone)
        assert done.heard
        assert [path.name for path in site.folder.iterdir()].count("anna.wav") == 1
        await site.ask("DELETE", "/anna")
        left = [file.read_text() for file in site.folder.rglob("*") if file.is_file()]
        assert "anna" not in left  # what stands for the prepared voice holds its name
        assert not (site.folder / "anna.wav").exists()
        await caller.tells(Say("and now"))
        done = await caller.until(ReplyDone)
        assert isinstance(done, ReplyDone)
        assert done.heard
