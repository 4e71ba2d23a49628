"""The caller's line to a running server: let in by the token, told why not without."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.serving import serving
from ultraandchat.access_config import TlsConfig
from ultraandchat.commands.address import ServerAddress
from ultraandchat.commands.caller import Caller
from ultraandchat.commands.lines import LineError, dial
from ultraandchat.server.tls import opened
from ultraandchat.transport.wire import Bye, Hello

TOKEN = "the-operators-own-token"


@asynccontextmanager
async def called(address: ServerAddress) -> AsyncIterator[Caller]:
    caller = Caller(24_000, lambda who, text: None)
    async with dial(address, caller, Hello()) as line:
        await caller.answered.wait()
        yield caller
        await line.tell(Bye())


async def test_the_address_that_was_printed_is_all_it_takes() -> None:
    async with (
        serving(f"access.token={TOKEN}") as server,
        called(ServerAddress.read(server.link)) as caller,
    ):
        assert caller.closed is None


@pytest.mark.parametrize(("fragment", "said"), [("", "asks for its token"), ("#token=x", "token")])
async def test_without_the_token_it_says_what_to_give(fragment: str, said: str) -> None:
    async with serving(f"access.token={TOKEN}") as server:
        with pytest.raises(LineError, match=said) as refused:
            async with called(ServerAddress.read(f"{server.url}{fragment}")):
                pass
    assert TOKEN not in str(refused.value)


async def test_a_certificate_of_its_own_is_believed_by_its_fingerprint_only(
    tmp_path: Path,
) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path)}
    tls = opened(TlsConfig(self_signed=True), "127.0.0.1", state)
    assert tls is not None
    async with serving("tls.self_signed=true", environ=state) as server:
        async with called(ServerAddress.read(server.link, tls.fingerprint)) as caller:
            assert caller.closed is None
        for other in (None, "AB:" * 31 + "CD"):
            with pytest.raises(LineError, match="--fingerprint"):
                async with called(ServerAddress.read(server.link, other)):
                    pass
