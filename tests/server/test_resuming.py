"""Coming back to a conversation over `/ws` on the real server, and tokens that do not."""

import asyncio

import pytest

from tests.server.test_connect import asks, metric
from tests.support.serving import Phone, phone, serving
from ultraandchat.transport.wire import (
    AgentCaption,
    Bye,
    Closing,
    Hello,
    Ping,
    Pong,
    ReplyDone,
    Say,
    UserCaption,
    Welcome,
)


async def comes_back(caller: Phone, token: str, **hello: int) -> Welcome:
    await caller.tells(Hello(resume=token, **hello))
    welcome = await caller.until(Welcome)
    assert isinstance(welcome, Welcome)
    return welcome


async def test_who_was_cut_off_goes_on_with_the_same_conversation() -> None:
    async with serving() as server:
        async with phone(server.url) as first:
            begun = await first.begins()
            said = await asks(first, "hello")
        async with phone(server.url) as second:
            welcome = await comes_back(second, begun.resume)
            assert welcome.resumed
            assert welcome.session == begun.session
            shown = [await second.until(UserCaption), await second.until(ReplyDone)]
            assert isinstance(shown[0], UserCaption)
            assert (shown[0].text, shown[1]) == ("hello", said)
            assert (await asks(second, "and again")).turn == said.turn + 1
        assert await metric(server, 'ultraandchat_resumptions_total{outcome="resumed"}') == 1
        assert await metric(server, "ultraandchat_conversations ") == 1


async def test_a_reply_goes_on_where_she_had_heard_it_to() -> None:
    """Its 400 ms: she hears a part, is cut off, and hears the rest."""
    async with serving("engines.profile=scripted") as server:
        async with phone(server.url) as first:
            begun = await first.begins()
            await first.tells(Say("hello"))
            await first.until(AgentCaption)
            while len(first.sound) < 0.1 * first.rate:
                await first.until_sound()
        heard = first.frames[-1].end
        async with phone(server.url) as second:
            assert (await comes_back(second, begun.resume, heard=2 * heard)).resumed
            done = await second.until(ReplyDone)
            assert isinstance(done, ReplyDone)
            assert done.heard
            assert not done.cut
            both = len(first.sound) + len(second.sound)
            assert both == pytest.approx(0.4 * first.rate, abs=0.03 * first.rate)


async def test_the_connection_before_is_closed_when_another_one_goes_on() -> None:
    async with serving() as server, phone(server.url) as first, phone(server.url) as second:
        begun = await first.begins()
        assert (await comes_back(second, begun.resume)).resumed
        assert await first.until_closed() == 1000
        closing = first.messages[-1]
        assert isinstance(closing, Closing)
        assert closing.reason == "replaced"
        assert (await asks(second)).heard


async def test_a_token_is_good_once() -> None:
    async with (
        serving() as server,
        phone(server.url) as first,
        phone(server.url) as second,
        phone(server.url) as third,
    ):
        begun = await first.begins()
        went_on = await comes_back(second, begun.resume)
        await second.tells(Ping(1))  # she has the welcome, and the token in it
        await second.until(Pong)
        other = await comes_back(third, begun.resume)
        assert not other.resumed
        assert other.session != begun.session
        assert (await asks(second)).heard
        assert went_on.session == begun.session
        assert await metric(server, 'ultraandchat_resumptions_total{outcome="spent"}') == 1


async def test_a_token_whose_answer_was_lost_is_good_again() -> None:
    async with serving() as server:
        async with phone(server.url) as first:
            begun = await first.begins()
        async with phone(server.url) as second:
            await second.tells(Hello(resume=begun.resume))  # and does not hear the answer
        async with phone(server.url) as third:
            assert (await comes_back(third, begun.resume)).session == begun.session


@pytest.mark.parametrize("token", ["no token", "x" * 5_000, "ab12cd34.1.AAAA.AAAA"])
async def test_a_forged_token_begins_a_new_conversation(token: str) -> None:
    async with serving() as server, phone(server.url) as well, phone(server.url) as caller:
        await well.begins()
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(asks(well))
            assert not (await comes_back(caller, token)).resumed
        assert not asking.result().cut
        assert await metric(server, 'ultraandchat_resumptions_total{outcome="forged"}') == 1


async def test_after_a_goodbye_there_is_nothing_to_come_back_to() -> None:
    async with serving() as server:
        async with phone(server.url) as first:
            begun = await first.begins()
            await first.tells(Bye())
            await first.until_closed()
        async with phone(server.url) as second:
            assert not (await comes_back(second, begun.resume)).resumed
        assert await metric(server, 'ultraandchat_resumptions_total{outcome="over"}') == 1


async def test_who_comes_back_too_late_begins_anew() -> None:
    async with serving("session.resume_s=0.01") as server:
        async with phone(server.url) as first:
            begun = await first.begins()
        while await metric(server, "ultraandchat_conversations "):
            await asyncio.sleep(0.005)
        async with phone(server.url) as second:
            assert not (await comes_back(second, begun.resume)).resumed


async def test_a_full_server_still_takes_back_its_own() -> None:
    async with serving("server.max_conversations=1") as server:
        async with phone(server.url) as first:
            begun = await first.begins()
        async with phone(server.url) as second:
            assert (await comes_back(second, begun.resume)).resumed
