"""What STUN and TURN servers are asked, and that nobody waits for one that says nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aioice import stun

from ultraandchat.commands.ask_ice import NoAnswer, ask_stun, ask_turn
from ultraandchat.transport.ice_server import IceServer
from ultraandchat.transport.relay_account import RelayAccount

SEEN = ("192.0.2.77", 4567)


class StunServer(asyncio.DatagramProtocol):
    """Says nothing to the first `deaf` requests, then answers with junk and with the truth."""

    def __init__(self, deaf: int) -> None:
        self.deaf = deaf
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.deaf -= 1
        if self.deaf >= 0:
            return
        request = stun.parse_message(data)
        answer = stun.Message(
            stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=request.transaction_id
        )
        answer.attributes["XOR-MAPPED-ADDRESS"] = SEEN
        stranger = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)
        stranger.attributes["XOR-MAPPED-ADDRESS"] = ("192.0.2.1", 1)
        for message in (b"", b"\x01\x01\x00\x30junk", bytes(stranger), bytes(answer)):
            self.transport.sendto(message, addr)


@asynccontextmanager
async def stun_server(deaf: int = 0) -> AsyncIterator[IceServer]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: StunServer(deaf), local_addr=("127.0.0.1", 0)
    )
    try:
        _, port = transport.get_extra_info("sockname")
        yield IceServer("stun", "127.0.0.1", port, "udp")
    finally:
        transport.close()


async def test_a_stun_server_tells_how_we_look_from_outside() -> None:
    async with stun_server() as server:
        assert await ask_stun(server) == SEEN


async def test_a_lost_question_is_asked_again() -> None:
    async with stun_server(deaf=1) as server:
        assert await ask_stun(server, timeout_s=30) == SEEN


async def test_who_says_nothing_is_waited_for_no_longer_than_said() -> None:
    async with stun_server(deaf=1000) as server:
        with pytest.raises(NoAnswer, match=r"no answer within 0\.1 s"):
            await ask_stun(server, timeout_s=0.1)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a..b"])
async def test_a_name_that_nobody_knows_is_a_reason(host: str) -> None:
    with pytest.raises(NoAnswer):
        await ask_stun(IceServer("stun", host, 3478, "udp"), timeout_s=5)


async def test_a_relay_that_is_not_there_is_a_reason() -> None:
    with pytest.raises(NoAnswer):
        await ask_turn(IceServer("turn", "127.0.0.1", 9, "tcp"), RelayAccount("a", "b"))
