"""A chat server behind a URL, with every way in which one misbehaves; the server is real and local."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.support.chat_server import (
    DONE,
    Behaviour,
    ChatServer,
    answers,
    chat_server,
    event,
    hangs,
    nobody_there,
    streams,
)
from ultraandchat.dialogue.history import Conversation, Exchange
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.chat import Chat
from ultraandchat.engines.chat_connection import LONGEST_ANSWER
from ultraandchat.engines.settings import ChatSettings
from ultraandchat.turn.events import TurnId, TypedText

SETTINGS = ChatSettings(model="tiny", api_key="sk-secret", first_token_timeout_s=5.0)


@asynccontextmanager
async def chat_with(
    behaviour: Behaviour, settings: ChatSettings = SETTINGS
) -> AsyncIterator[tuple[Chat, ChatServer]]:
    async with (
        chat_server(behaviour) as server,
        Chat(replace(settings, base_url=server.base_url)) as chat,
    ):
        yield chat, server


async def said(behaviour: Behaviour, settings: ChatSettings = SETTINGS) -> str:
    async with chat_with(behaviour, settings) as (chat, _):
        return "".join([str(part) async for part in chat.answer("hello", Conversation())])


async def test_words_come_as_they_are_written() -> None:
    async with chat_with(streams(event("Hello"), event(" there."), DONE)) as (chat, server):
        parts = [part async for part in chat.answer("hi", Conversation())]
    assert "".join(map(str, parts)) == "Hello there."
    assert server.keys == ["Bearer sk-secret"]
    assert server.asked[0]["stream"] is True
    assert server.asked[0]["model"] == "tiny"
    assert server.asked[0]["messages"][-1] == {"role": "user", "content": "hi"}


async def test_the_first_word_does_not_wait_for_the_last() -> None:
    async with chat_with(streams(event("Hello"), then="hang")) as (chat, _):
        answer = chat.answer("hi", Conversation())
        assert await anext(answer) == "Hello"
        await answer.aclose()


async def test_closing_the_answer_closes_the_connection() -> None:
    async with chat_with(streams(event("Hello"), then="hang")) as (chat, server):
        answer = chat.answer("hi", Conversation())
        await anext(answer)
        await answer.aclose()
        async with asyncio.timeout(10):
            await server.gone.wait()


async def test_cancelling_before_the_first_word_closes_the_connection() -> None:
    async with chat_with(hangs) as (chat, server):

        async def ask() -> None:
            async for _ in chat.answer("hi", Conversation()):
                pass

        async with asyncio.TaskGroup() as group:
            asking = group.create_task(ask())
            while not server.asked:
                await asyncio.sleep(0.01)
            asking.cancel()
        async with asyncio.timeout(10):
            await server.gone.wait()


WHOLE = event("Héllo, ") + b": keep-alive\n\n" + event(None) + event("wörld 😀.") + DONE


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_events_may_be_cut_anywhere(size: int) -> None:
    pieces = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)]
    assert await said(streams(*pieces)) == "Héllo, wörld 😀."


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r", b"\n"])
async def test_lines_may_end_in_any_way(line_end: bytes) -> None:
    assert await said(streams(WHOLE.replace(b"\n", line_end))) == "Héllo, wörld 😀."


async def test_a_server_that_does_not_stream_is_understood() -> None:
    whole = json.dumps({"choices": [{"message": {"content": "<think>hm</think>Hello."}}]})
    assert await said(answers(200, whole)) == "Hello."


async def test_an_end_without_done_is_an_end() -> None:
    assert await said(streams(event("Hello."))) == "Hello."


async def test_nothing_after_done_is_read() -> None:
    assert await said(streams(event("Hello."), DONE, event("More."), then="hang")) == "Hello."


async def test_thoughts_are_not_spoken() -> None:
    pieces = ["<th", "ink>I should ", "greet.</thi", "nk>\n\nHel", "lo < you."]
    assert await said(streams(*map(event, pieces), DONE)) == "Hello < you."


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (400, "did not accept"),
        (401, "refused the key"),
        (403, "refused the key"),
        (404, "no such model or address"),
        (429, "too much to do"),
        (500, "an error of its own"),
        (503, "an error of its own"),
        (302, "no such model or address"),
    ],
)
async def test_a_refusal_is_said_in_plain_words(status: int, hint: str) -> None:
    assert hint in await said(answers(status, '{"error": {"code": "some_code"}}'))


async def test_a_log_names_the_error_and_neither_the_key_nor_the_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = '{"error": {"code": "invalid_api_key", "message": "bad key sk-secret for hello"}}'
    with caplog.at_level(logging.DEBUG):
        await said(answers(401, body))
    told = " ".join(str(record.__dict__) for record in caplog.records if "chat" in record.message)
    assert "invalid_api_key" in told
    assert "sk-secret" not in caplog.text + told
    assert "hello" not in caplog.text + told


async def test_a_server_that_is_not_there_is_said_to_be_missing() -> None:
    with nobody_there() as gone:
        async with Chat(replace(SETTINGS, base_url=f"{gone}/v1")) as chat:
            (told,) = [part async for part in chat.answer("hello", Conversation())]
            assert "cannot be reached" in str(told)
            assert "no connection" in chat.status().detail


async def test_a_server_that_says_nothing_is_given_up() -> None:
    impatient = replace(SETTINGS, first_token_timeout_s=0.05)
    assert "not begun to answer" in await said(hangs, impatient)


async def test_keep_alives_are_no_first_word() -> None:
    impatient = replace(SETTINGS, first_token_timeout_s=0.3)
    assert "not begun to answer" in await said(streams(b": hold on\n\n", then="hang"), impatient)


async def test_an_answer_that_never_ends_is_an_engine_error() -> None:
    impatient = replace(SETTINGS, total_timeout_s=3.0)  # its first word comes within them
    with pytest.raises(EngineError, match="took too long"):
        await said(streams(event("Hello"), then="hang"), impatient)


@pytest.mark.parametrize(
    "pieces",
    [[DONE], [], [event(""), DONE], [event("<think>hm</think>\n"), DONE], [event("<think>h")]],
)
async def test_an_empty_answer_is_said_to_be_empty(pieces: list[bytes]) -> None:
    assert "empty answer" in await said(streams(*pieces))


JUNK = [
    b"data: {\n\n",
    b"data: 7\n\n",
    b'data: {"choices": "no"}\n\n',
    b'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
    b"data: \xff\xfe\n\n",
    b'data: {"error": {"message": "out of memory"}}\n\n',
    b'data: {"error": "out of memory"}\n\n',
    b"data: " + b"x" * 200_000,
    event("lost")[:20],
]


@pytest.mark.parametrize("junk", JUNK)
async def test_junk_before_the_first_word_is_said_to_be_no_answer(junk: bytes) -> None:
    assert "y language model's server" in await said(streams(junk))


@pytest.mark.parametrize("junk", JUNK)
async def test_junk_after_the_first_word_is_an_engine_error(junk: bytes) -> None:
    with pytest.raises(EngineError):
        await said(streams(event("Hello"), junk))


async def test_a_connection_lost_in_the_middle_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match="broke off"):
        await said(streams(event("Hello"), then="break"))


async def test_a_connection_lost_before_the_first_word_is_said() -> None:
    assert "broke off" in await said(streams(then="break"))


async def test_an_answer_of_ten_megabytes_is_cut() -> None:
    flood = event("word " * 2000)
    assert len(await said(streams(*[flood] * 1000))) == LONGEST_ANSWER


async def test_ten_megabytes_in_one_piece_are_not_read() -> None:
    whole = json.dumps({"choices": [{"message": {"content": "a" * 10_000_000}}]})
    assert "no answer" in await said(answers(200, whole))


async def test_a_page_of_html_is_no_answer() -> None:
    assert "no answer" in await said(answers(200, "<html>Hello</html>", "text/html"))


async def test_two_questions_at_once_are_both_answered() -> None:
    async with chat_with(streams(event("Hello."), DONE)) as (chat, _):
        first, second = chat.answer("a", Conversation()), chat.answer("b", Conversation())
        assert [await anext(first), await anext(second)] == ["Hello.", "Hello."]
        await first.aclose()
        await second.aclose()


async def test_the_history_is_sent_as_heard() -> None:
    typed = TypedText(TurnId(1), "tell me all", 0.0)
    exchanges = (
        Exchange(TurnId(0), None, "", "Welcome."),
        Exchange(TurnId(1), typed, "tell me all", "There was a", cut_short=True),
    )
    async with chat_with(streams(event("Hi."), DONE)) as (chat, server):
        async for _ in chat.answer("go on", Conversation(exchanges)):
            pass
    system, *rest = server.asked[0]["messages"]
    assert "voice assistant" in system["content"]
    assert [message["content"] for message in rest] == ["tell me all", "There was a …", "go on"]


@pytest.mark.parametrize("url", ["localhost:11434", "ftp://x/v1", "http://", "://", "not a url"])
def test_a_wrong_address_is_the_operators_to_mend(url: str) -> None:
    with pytest.raises(EngineUnavailable, match="base_url"):
        Chat(ChatSettings(base_url=url))


def test_a_key_with_a_line_break_is_the_operators_to_mend() -> None:
    with pytest.raises(EngineUnavailable, match="api_key") as raised:
        Chat(ChatSettings(base_url="http://localhost/v1", api_key="sk-secret\n"))
    assert "sk-secret" not in str(raised.value)


async def test_a_status_names_the_model_and_never_the_key() -> None:
    async with chat_with(answers(500)) as (chat, _):
        assert "tiny at 127.0.0.1" in chat.status().detail
        async for _ in chat.answer("hello", Conversation()):
            pass
        assert "HTTP 500" in chat.status().detail
        assert "sk-secret" not in str(chat.status())
