"""One tick for all: on its grid, for everybody, whoever else gives up waiting."""

import asyncio

import pytest

from tests.support.clock import VirtualClockLoop, run_virtually
from ultraandchat.playout.ticker import Ticker


def test_ticks_stand_on_a_grid_of_20_ms() -> None:
    async def story() -> list[float]:
        ticker = Ticker()
        async with asyncio.TaskGroup() as tasks:
            ticking = tasks.create_task(ticker.run())
            times = [await ticker.tick() for _ in range(50)]
            ticking.cancel()
        return times

    times = run_virtually(story())
    assert times == pytest.approx([0.02 * (i + 1) for i in range(50)])


def test_everybody_who_waits_is_woken_by_the_same_tick() -> None:
    async def story() -> set[float]:
        ticker = Ticker()
        async with asyncio.TaskGroup() as tasks:
            ticking = tasks.create_task(ticker.run())
            waiting = [tasks.create_task(ticker.tick()) for _ in range(10)]
            times = {await one for one in waiting}
            ticking.cancel()
        return times

    assert len(run_virtually(story())) == 1


def test_who_gives_up_waiting_takes_the_tick_from_nobody() -> None:
    async def story() -> float:
        ticker = Ticker()
        async with asyncio.TaskGroup() as tasks:
            ticking = tasks.create_task(ticker.run())
            gone, stays = tasks.create_task(ticker.tick()), tasks.create_task(ticker.tick())
            await asyncio.sleep(0.01)
            gone.cancel()
            time = await stays
            ticking.cancel()
        return time

    assert run_virtually(story()) == pytest.approx(0.02)


def test_a_loop_that_was_busy_is_followed_by_the_next_tick_on_the_grid() -> None:
    """One wake-up, not one for each tick that was missed."""

    async def story() -> tuple[float, float]:
        ticker = Ticker()
        async with asyncio.TaskGroup() as tasks:
            ticking = tasks.create_task(ticker.run())
            await ticker.tick()
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualClockLoop)
            loop.stall(0.5)
            late = await ticker.tick()
            after = await ticker.tick()
            ticking.cancel()
        return late, after

    late, after = run_virtually(story())
    assert after - late <= 0.02 + 1e-9
    assert (after / 0.02) == pytest.approx(round(after / 0.02))
