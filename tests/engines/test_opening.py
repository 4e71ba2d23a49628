"""Engines open side by side, each told while it loads. In virtual time, with engines that only wait."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.support.clock import run_virtually
from ultraandchat.engines.base import EngineError, EngineStatus, EngineUnavailable
from ultraandchat.engines.opening import Live, Opening, Statuses
from ultraandchat.engines.worker import Begun, one_error

Make = Callable[[Begun], AbstractAsyncContextManager[Live[str]]]


def engine(name: str, after_s: float, error: Exception | None = None) -> Make:
    """There after so long, or not."""

    @asynccontextmanager
    async def make(begun: Begun) -> AsyncIterator[Live[str]]:
        await asyncio.sleep(after_s)
        if error:
            raise error
        yield Live(name, lambda: (EngineStatus("language", name, "ready"),))

    return make


def opened(*engines: tuple[str, Make]) -> tuple[list[str], float, dict[str, list[str]]]:
    """What is there, after how long, and the states that were seen of each kind."""
    seen: dict[str, list[str]] = {}

    def watch(kind: str, status: Statuses) -> None:
        seen.setdefault(kind, []).append(status()[0].state)

    async def story() -> tuple[list[str], float, dict[str, list[str]]]:
        begun = asyncio.get_running_loop().time()
        with one_error():
            return await within(begun)

    async def within(begun: float) -> tuple[list[str], float, dict[str, list[str]]]:
        async with asyncio.TaskGroup() as group:
            opening = Opening(group, watch)
            try:
                futures = [opening.open(kind, kind, make) for kind, make in engines]
                await opening.all_open()
                names = [future.result().engine for future in futures]
                return names, asyncio.get_running_loop().time() - begun, seen
            finally:
                opening.release()

    return run_virtually(story())


def test_all_load_at_once_and_are_told_as_they_come() -> None:
    names, took_s, seen = opened(("one", engine("a", 3.0)), ("two", engine("b", 5.0)))
    assert (names, took_s) == (["a", "b"], 5.0)
    assert seen == {"one": ["loading", "ready"], "two": ["loading", "ready"]}


def test_a_trouble_is_told_at_once_and_not_when_the_others_have_loaded() -> None:
    broken = EngineUnavailable("two", "it is not installed", "Install it.")
    with pytest.raises(EngineUnavailable) as raised:
        opened(("one", engine("a", 50.0)), ("two", engine("b", 1.0, broken)))
    assert raised.value is broken


def test_the_first_of_several_troubles_at_once_is_told() -> None:
    one, two = (EngineError(name, "it broke") for name in ("one", "two"))
    with pytest.raises(EngineUnavailable, match="one: it broke"):
        opened(("one", engine("a", 1.0, one)), ("two", engine("b", 1.0, two)))


def test_an_engine_that_shows_no_progress_is_given_up() -> None:
    with pytest.raises(EngineUnavailable, match=r"no progress in loading for 60 s \(two\)"):
        opened(("one", engine("a", 3.0)), ("two", engine("b", 1e9)))


def test_one_after_the_other_may_take_its_time() -> None:
    """Each within the patience of what came before it."""
    _, took_s, _ = opened(*((f"{n}", engine("a", 50.0 * n)) for n in range(1, 5)))
    assert took_s == 200.0
