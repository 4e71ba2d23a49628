"""`/ws` on the real server: who is let in, and that one caller's trouble is nobody else's."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from tests.support.serving import Phone, eventually, phone, serving
from ultraandchat.server.app import Server
from ultraandchat.session import Session
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.wire import (
    HEADER,
    AgentCaption,
    Bye,
    Closing,
    Error,
    Hello,
    ReplyDone,
    Say,
    Welcome,
)


async def asks(caller: Phone, text: str = "hello") -> ReplyDone:
    """One typed turn, to the end of its reply."""
    await caller.tells(Say(text))
    done = await caller.until(ReplyDone)
    assert isinstance(done, ReplyDone)
    return done


async def metric(server: Server, name: str) -> float:
    async with ClientSession() as session, session.get(f"{server.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


async def open_conversations(server: Server) -> int:
    async with ClientSession() as session, session.get(f"{server.url}/health") as answer:
        return int((await answer.json())["conversations"])


async def test_a_typed_turn_is_answered_aloud() -> None:
    async with serving() as server, phone(server.url) as caller:
        welcome = await caller.begins()
        assert welcome.transport == "websocket"
        done = await asks(caller)
        assert done.heard
        assert not done.cut
        assert any(isinstance(message, AgentCaption) for message in caller.messages)
        assert len(caller.sound) == pytest.approx(0.4 * 24_000, rel=0.05)
        assert np.max(np.abs(caller.sound)) > 0.1


async def test_who_hangs_up_is_let_go() -> None:
    async with serving() as server, phone(server.url) as caller:
        await caller.begins()
        await caller.tells(Bye())
        assert await caller.until_closed() == 1000
        assert caller.messages[-1] == Closing("peer_left", CloseReason.PEER_LEFT.value)


async def test_one_caller_too_many_is_told_why_and_when_to_come_back() -> None:
    async with serving("server.max_conversations=1", "server.retry_after_s=7") as server:
        async with phone(server.url) as first:
            await first.begins()
            async with phone(server.url) as second:
                await second.tells(Hello())
                assert await second.until_closed() == 1013
                (closing,) = second.messages
                assert isinstance(closing, Closing)
                assert (closing.reason, closing.retry_after_s) == ("full", 7.0)
                assert closing.text.endswith("somebody has it")
            async with phone(server.url) as third:
                await third.tells(Hello())
                assert await third.until_closed() == 1013
                (closing,) = third.messages
                assert isinstance(closing, Closing)
                assert closing.text.endswith("somebody has it, and another one waits")
            await asks(first)
            await first.tells(Bye())
            await first.until_closed()
        async with phone(server.url) as fourth:
            await fourth.begins()
        assert await metric(server, 'ultraandchat_refusals_total{reason="full"}') == 2


async def test_who_is_here_comes_before_who_left() -> None:
    async with serving("server.max_conversations=1") as server:
        async with phone(server.url) as first:
            await first.begins()

        async def comes() -> bool:
            async with phone(server.url) as second:
                await second.tells(Hello())
                return isinstance(await second.until(Welcome, Closing), Welcome)

        while not await comes():  # the server has yet to see that the first one left
            await asyncio.sleep(0.005)
        assert await metric(server, "ultraandchat_conversations ") == 1


class Faulty(Session):
    """Its conversation ends with an error of ours."""

    async def run(self) -> CloseReason:
        raise ZeroDivisionError("a fault")


async def test_an_error_of_ours_ends_one_conversation_only() -> None:
    kinds = iter((Session, Faulty))

    def make_session(*given: Any, **options: Any) -> Session:
        return next(kinds)(*given, **options)

    async with serving(make_session=make_session) as server, phone(server.url) as well:
        await well.begins()
        async with phone(server.url) as unwell:
            await unwell.tells(Hello())
            assert await unwell.until_closed() == 1011
            assert unwell.messages == [Closing("fault", CloseReason.FAULT.value)]
        await asks(well)
        assert await metric(server, "ultraandchat_session_faults_total") == 1


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost"])
async def test_another_servers_page_may_not_connect(origin: str) -> None:
    async with serving() as server:
        with pytest.raises(WSServerHandshakeError) as refused:
            async with phone(server.url, origin=origin):
                pass
        assert refused.value.status == 403


async def test_the_own_page_may_connect() -> None:
    async with serving() as server, phone(server.url, origin=server.url) as caller:
        await caller.begins()


async def test_a_plain_request_is_told_that_it_is_none() -> None:
    async with serving() as server:
        async with ClientSession() as session, session.get(f"{server.url}/ws") as answer:
            assert answer.status == 400
        assert await open_conversations(server) == 0


async def test_nothing_happens_before_hello() -> None:
    async with serving() as server, phone(server.url) as caller:
        await caller.tells(Say("hello"))
        assert await caller.until(Error) == Error("not_begun", "the first message must be hello")


SOUND = HEADER.pack(1, 1, 0, 0) + b"\0" * 640
A_SECOND = HEADER.pack(1, 1, 0, 0) + b"\0" * 32_000
BAD: dict[str, list[str | bytes]] = {
    "junk": [b"\xfe" * 500] * 5,
    "odd sound": [SOUND + b"\0"] * 5,
    "not json": ["{"] * 5,
    "unknown type": ['{"type":"dance"}'] * 5,
    "wrong field": ['{"type":"say","text":5}'] * 5,
    "deep json": ["[" * 16_000] * 3,
    "oversize sound": [SOUND + b"\0" * 40_000],
    "oversize text": ['"' + "x" * 40_000 + '"'],
    "far oversize": [b"\0" * 2_000_000],
    "flood of sound": [A_SECOND] * 300,  # however slowly this machine sends it
    "flood of messages": ['{"type":"interrupt"}'] * 1_500,
    "flood of junk": [b"x"] * 1_500,
}
CLOSED = {
    "oversize sound": 1009,
    "oversize text": 1009,
    "far oversize": 1009,
    "flood of sound": 1008,
    "flood of messages": 1008,
    "flood of junk": 1008,
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_has_an_answer_and_no_effect_on_another_conversation(name: str) -> None:
    async with (
        serving() as server,
        phone(server.url) as well,
        phone(server.url) as unwell,
    ):
        await well.begins()
        await unwell.begins()
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(asks(well))
            with suppress(ConnectionError):
                for item in BAD[name]:
                    if isinstance(item, str):
                        await unwell.socket.send_str(item)
                    else:
                        await unwell.socket.send_bytes(item)
            if name in CLOSED:
                assert await unwell.until_closed() == CLOSED[name]
            else:
                assert isinstance(await unwell.until(Error), Error)
                await asks(unwell)
        done = asking.result()
        assert done.heard
        assert not done.cut
        assert len(well.sound) == pytest.approx(0.4 * 24_000, rel=0.05)


async def test_200_callers_leave_nothing_behind() -> None:
    async with serving("server.max_conversations=20") as server:

        async def call() -> None:
            async with phone(server.url) as caller:
                await caller.begins()
                await caller.tells(Bye())
                await caller.until_closed()

        await call()
        while await open_conversations(server):
            await asyncio.sleep(0.005)
        before = {task.get_name() for task in asyncio.all_tasks()}
        for _ in range(20):
            async with asyncio.TaskGroup() as group:
                for _ in range(10):
                    group.create_task(call())
        while await open_conversations(server):
            await asyncio.sleep(0.005)
        await eventually(lambda: len(asyncio.all_tasks()) <= len(before))
        assert await metric(server, "ultraandchat_conversations_opened_total") == 201
        assert await metric(server, "ultraandchat_conversations ") == 0


async def test_many_callers_at_once_are_each_answered() -> None:
    async with serving() as server, AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(phone(server.url)) for _ in range(8)]
        for caller in callers:
            await caller.begins()
        async with asyncio.TaskGroup() as group:
            for caller in callers:
                group.create_task(asks(caller))
        names = {m.session for c in callers for m in c.messages if isinstance(m, Welcome)}
        assert len(names) == 8
