"""The server's loop rests between looks at its sockets, and is late for nothing that has a time."""

import asyncio
import socket
import time

import pytest

from ultraandchat.server.loop import REST_S, RestingSelector, loop_factory


class Counting(RestingSelector):
    """Keeps when each look was, as itself has it: asked behind it, the machine may have been elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[float] = []

    def select(self, timeout: float | None = None):  # type: ignore[no-untyped-def]
        ready = super().select(timeout)
        if timeout is None or timeout > 0:
            self.looks.append(self._rested - self._rest_s)
        return ready


def test_it_looks_no_more_often_than_it_says() -> None:
    """A socket that is always ready would wake it thousands of times."""
    selector = Counting()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"never read")
        selector.register(ours, 1)
        for _ in range(20):
            assert selector.select(1.0)
    apart = [b - a for a, b in zip(selector.looks, selector.looks[1:], strict=False)]
    assert min(apart) >= 0.9 * REST_S
    selector.close()


def test_work_that_waits_is_not_kept_waiting() -> None:
    selector = RestingSelector(rest_s=30.0)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"x")
        selector.register(ours, 1)
        assert selector.select(1.0)  # the first look rests nothing
        before = time.monotonic()
        assert selector.select(0)
        assert selector.select(-1)
        assert time.monotonic() - before < 5
    selector.close()


def test_a_rest_ends_where_the_timeout_does() -> None:
    selector = RestingSelector(rest_s=30.0)
    selector.select(0.001)
    before = time.monotonic()
    selector.select(0.05)
    assert 0.04 < time.monotonic() - before < 5
    selector.close()


def test_what_comes_in_a_while_is_not_kept_waiting() -> None:
    """After a rest that is over, it wakes with the socket."""
    selector = RestingSelector(rest_s=0.0)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        selector.register(ours, 1)
        selector.select(0.001)
        theirs.send(b"x")
        assert selector.select(30.0)
    selector.close()


def test_a_loop_of_it_keeps_its_timers_and_its_sockets() -> None:
    factory = loop_factory()
    if factory is None:
        pytest.skip("this platform's loop has no selector")

    async def story() -> bytes:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            loop = asyncio.get_running_loop()
            loop.call_later(0.01, theirs.send, b"hello")
            async with asyncio.timeout(20):
                return await loop.sock_recv(ours, 16)

    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(story()) == b"hello"
