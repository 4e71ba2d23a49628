"""The process: what answers while models load, what cannot start and why, how it ends."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.serving import (
    phone,
    quiet_config,
    scripted,
    scripted_engines,
    serving,
)
from ultraandchat.config import ConfigError
from ultraandchat.engines.base import Engines, EngineUnavailable
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.server.app import Server
from ultraandchat.session import Session
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.wire import Closing, Hello


async def status_of(server: Server, path: str) -> tuple[int, str]:
    async with ClientSession() as session, session.get(f"{server.url}{path}") as answer:
        return answer.status, (await answer.json())["status"]


async def test_health_answers_and_callers_are_put_off_while_the_models_load() -> None:
    loaded = asyncio.Event()

    @asynccontextmanager
    async def slowly(config: EnginesConfig) -> AsyncGenerator[Engines, None]:
        await loaded.wait()
        yield scripted()

    async with serving(open_engines=slowly, until="The models are loading") as server:
        assert await status_of(server, "/health") == (200, "loading")
        assert await status_of(server, "/ready") == (503, "loading")
        async with phone(server.url) as early:
            await early.tells(Hello())
            assert await early.until_closed() == 1013
            (closing,) = early.messages
            assert isinstance(closing, Closing)
            assert (closing.reason, closing.retry_after_s) == ("engines", 2.0)
        loaded.set()
        while (await status_of(server, "/ready"))[0] != 200:
            await asyncio.sleep(0.005)
        async with phone(server.url) as caller:
            await caller.begins()


async def test_it_can_be_stopped_while_the_models_load() -> None:
    @asynccontextmanager
    async def never(config: EnginesConfig) -> AsyncGenerator[Engines, None]:
        await asyncio.Event().wait()
        yield scripted()

    async with serving(open_engines=never, until="The models are loading"):
        pass


async def test_stopping_says_goodbye_to_everybody() -> None:
    async with serving() as server, phone(server.url) as one, phone(server.url) as other:
        await one.begins()
        await other.begins()
        server.stop()
        for caller in (one, other):
            assert await caller.until_closed() == 1001
            assert caller.messages[-1] == Closing("server_stopping", "the server is stopping")


class Stubborn(Session):
    """Does not hear that the server stops."""

    def stop(self, reason: CloseReason) -> None:
        if reason is not CloseReason.SERVER_STOPPING:
            super().stop(reason)


async def test_who_does_not_end_in_time_is_ended() -> None:
    async with (
        serving("server.stop_grace_s=0.1", make_session=Stubborn) as server,
        phone(server.url) as caller,
    ):
        await caller.begins()
        server.stop()
        assert await caller.until_closed() == 1001


async def test_a_port_in_use_is_one_readable_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = Server(quiet_config(f"server.port={port}"), open_engines=scripted_engines)
        with pytest.raises(ConfigError, match=rf"{port} on 127.0.0.1 is in use.*--set server.port"):
            await server.run()


async def test_a_port_for_webrtc_in_use_is_one_readable_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = Server(quiet_config(f"webrtc.tcp_port={port}"), open_engines=scripted_engines)
        with pytest.raises(ConfigError, match=rf"webrtc.tcp_port: {port} on .* is in use"):
            await server.run()


@pytest.mark.parametrize("host", ["203.0.113.77", "no.such.host.invalid"])
async def test_an_address_that_is_not_ours_is_one_readable_line(host: str) -> None:
    server = Server(quiet_config(f"server.host={host}"), open_engines=scripted_engines)
    with pytest.raises(ConfigError, match=f"server.host: cannot listen on {host}"):
        await server.run()


async def test_an_unwritable_log_folder_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = quiet_config(f"logs.directory={tmp_path}/file/logs")
    with pytest.raises(ConfigError, match=r"logs.directory: cannot write"):
        await Server(config, open_engines=scripted_engines).run()


async def test_an_engine_that_cannot_run_here_ends_the_server() -> None:
    @asynccontextmanager
    async def broken(config: EnginesConfig) -> AsyncGenerator[Engines, None]:
        raise EngineUnavailable("flite", "it is not installed", "Run apt install flite")
        yield scripted()

    with pytest.raises(EngineUnavailable, match="Run apt install flite"):
        await Server(quiet_config(), open_engines=broken).run()
