"""Callers who have not said hello, on a virtual clock."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np

from tests.support.clock import run_virtually
from ultraandchat.server.lobby import Lobby
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import Error, Hello, Interrupt, Ping, Pong

Told = Hello | CloseReason


def wait(
    *stories: Callable[[MemoryTransport], Awaitable[None]], most: int = 8, silent_s: float = 60.0
) -> list[tuple[float, Told, MemoryTransport]]:
    """Callers come one after the other at the same instant; when and how each wait ended."""

    async def play() -> list[tuple[float, Told, MemoryTransport]]:
        lobby = Lobby(most, silent_s=silent_s)

        async def come(
            story: Callable[[MemoryTransport], Awaitable[None]],
        ) -> tuple[float, Told, MemoryTransport]:
            line = MemoryTransport()
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(story(line))  # type: ignore[arg-type]
                told = await lobby.hello(line)
                telling.cancel()
            return asyncio.get_running_loop().time(), told, line

        ended = await asyncio.gather(*map(come, stories))
        assert len(lobby) == 0
        return ended

    return run_virtually(play())


async def says_nothing(line: MemoryTransport) -> None:
    """Connected, and that is all."""


async def says_hello_after_a_minute_of_pings(line: MemoryTransport) -> None:
    for number in range(4):
        await asyncio.sleep(30)
        await line.tell(Ping(number))
    await line.tell(Hello(voice="kal"))


def test_hello_is_handed_on() -> None:
    async def story(line: MemoryTransport) -> None:
        await line.tell(Hello(voice="kal"))

    ((_, told, _),) = wait(story)
    assert told == Hello(voice="kal")


def test_who_says_nothing_is_let_go_after_a_minute() -> None:
    ((at, told, _),) = wait(says_nothing)
    assert (at, told) == (60.0, CloseReason.TIMED_OUT)


def test_who_pings_may_stay_and_is_answered() -> None:
    ((at, told, line),) = wait(says_hello_after_a_minute_of_pings)
    assert (at, told) == (120.0, Hello(voice="kal"))
    assert [message for _, message in line.messages] == [Pong(number) for number in range(4)]


def test_who_hangs_up_has_left() -> None:
    async def story(line: MemoryTransport) -> None:
        line.hang_up()

    ((_, told, _),) = wait(story)
    assert told is CloseReason.PEER_LEFT


def test_a_first_message_that_is_not_hello_is_told_so_and_then_taken() -> None:
    async def story(line: MemoryTransport) -> None:
        await line.tell(Interrupt())
        await line.tell(Hello())

    ((_, told, line),) = wait(story)
    assert told == Hello()
    assert [m for _, m in line.messages] == [Error("not_begun", "the first message must be hello")]


def test_a_page_of_another_version_is_told_so() -> None:
    async def story(line: MemoryTransport) -> None:
        await line.tell(Hello(protocol=99))

    ((_, told, line),) = wait(story)
    assert told is CloseReason.TIMED_OUT
    ((_, error),) = line.messages
    assert isinstance(error, Error)
    assert "reload" in error.text


def test_when_too_many_wait_the_one_silent_for_longest_goes() -> None:
    """Three places. The first speaks, so it is the second that a fourth pushes out."""

    async def speaks(line: MemoryTransport) -> None:
        await asyncio.sleep(1)
        await line.tell(Ping(1))

    async def play() -> list[Told | None]:
        lobby = Lobby(3)
        lines = [MemoryTransport() for _ in range(4)]
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(lobby.hello(line)) for line in lines[:3]]
            await speaks(lines[0])
            await asyncio.sleep(1)
            waits.append(group.create_task(lobby.hello(lines[3])))
            await asyncio.sleep(1)
            ended = [one.result() if one.done() else None for one in waits]
            assert len(lobby) == 3
            for line in lines:
                line.hang_up()
        return ended

    assert run_virtually(play()) == [None, CloseReason.FULL, None, None]


def test_sound_before_hello_is_passed_over() -> None:
    async def story(line: MemoryTransport) -> None:
        await line.say(np.zeros(3_200, np.float32))
        await line.tell(Hello())

    ((_, told, line),) = wait(story)
    assert told == Hello()
    assert line.messages == []
