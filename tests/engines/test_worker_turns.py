"""Several jobs of one process by turns, jobs in its background, and a model that spoils its process."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.worker_models import TOLD
from ultraandchat.engines.base import EngineError, EngineUnavailable, Progressing
from ultraandchat.engines.worker import Worker, WorkerSpec, open_worker

pytestmark = pytest.mark.usefixtures("fakes_can_be_imported")

PATIENCE_S = 30.0


def spec(model: str = "open_counting", **changes: Any) -> WorkerSpec:
    plain = {"beat_s": 0.05, "first_pause_s": 0.01, "wait_s": PATIENCE_S}
    factory = f"tests.support.worker_models:{model}"
    return WorkerSpec(**{"name": "counting", "factory": factory, **plain, **changes})


@asynccontextmanager
async def counting(model: str = "open_counting", **changes: Any) -> AsyncIterator[Worker]:
    async with asyncio.timeout(2 * PATIENCE_S), open_worker(spec(model, **changes)) as worker:
        yield worker


async def read(worker: Worker, *arguments: Any, **how: Any) -> list[Any]:
    async with aclosing(worker.stream(*arguments, **how)) as items:
        return [item async for item in items]


async def test_two_jobs_make_their_steps_by_turns_and_the_third_waits(tmp_path: Path) -> None:
    log, busy = tmp_path / "steps", tmp_path / "busy"
    async with counting(at_once=2) as worker, asyncio.TaskGroup() as group:
        # One that makes no second step, until all three have come: else the first may be far ahead of the second.
        before = group.create_task(worker.ask("until_stopped", str(busy)))
        while not busy.exists():
            await asyncio.sleep(0.005)
        for name in "abc":
            group.create_task(read(worker, "turns", str(log), name, 1000, 1))
        while sum((worker.status().running, worker.status().waiting)) < 4:
            await asyncio.sleep(0)
        before.cancel()
    steps = log.read_text()
    # The second may come a step after the first, which then ends so many before it.
    together = steps[steps.index("b") : steps.rindex("a") + 1]
    assert len(together) > 1990
    assert "aa" not in together
    assert "bb" not in together
    assert steps.index("c") > steps.rindex("a")


async def test_steps_that_make_nothing_cost_no_credit(tmp_path: Path) -> None:
    async with counting() as worker:
        assert await read(worker, "turns", str(tmp_path / "steps"), "a", 50, 3, ahead=1) == [
            47,
            48,
            49,
        ]


async def test_a_reader_that_pauses_holds_up_nobody_else() -> None:
    async with counting(at_once=2, stall_s=2.0) as worker:
        pausing = worker.stream("count", 5, ahead=1)
        assert await anext(pausing) == 0
        for _ in range(20):
            assert await worker.ask("echo", 1) == 1
        await asyncio.sleep(3.0)  # and is no stall
        assert [item async for item in pausing] == [1, 2, 3, 4]
        assert worker.status().restarts == 0


async def test_what_is_in_the_background_makes_way(tmp_path: Path) -> None:
    log = tmp_path / "steps"
    async with counting(at_once=2) as worker, asyncio.TaskGroup() as group:
        behind = worker.stream("turns", str(log), "b", 10**9, 0, ahead=1, background=True)
        waiting = group.create_task(anext(behind, None))
        while not log.exists():
            await asyncio.sleep(0.005)
        assert len(await read(worker, "turns", str(log), "F", 300, 300, ahead=301)) == 300
        steps = log.read_text()
        waiting.cancel()
        # Its reader gave it credit for all, so nothing of the other lies between.
        assert steps.strip("b") == "F" * 300


async def test_a_job_in_the_background_is_cancelled_while_it_has_no_turn(tmp_path: Path) -> None:
    log = tmp_path / "steps"
    async with counting(at_once=2) as worker, asyncio.TaskGroup() as group:
        behind = worker.stream("count", 5, ahead=1, background=True)
        await anext(behind)
        front = group.create_task(read(worker, "turns", str(log), "F", 10**9, 0))
        while not log.exists():
            await asyncio.sleep(0.005)
        await behind.aclose()
        made, closed = await worker.ask("tally")
        assert (made, closed) == (2, 1) or (made, closed) == (1, 1)
        front.cancel()


@pytest.mark.parametrize("at_once", [1, 3])
async def test_any_mixture_of_readers_gets_its_own_items(at_once: int) -> None:
    """Slow and quick ones, some of which go in the middle, some in the background. (One fixed seed.)"""
    dice = random.Random(5)

    async def caller(worker: Worker, items: int, ahead: int, leaves_at: int, behind: bool) -> None:
        seen = []
        async with aclosing(
            worker.stream("count", items, ahead=ahead, background=behind)
        ) as stream:
            async for item in stream:
                seen.append(item)
                if len(seen) == leaves_at:
                    break
                for _ in range(dice.randrange(3)):
                    await asyncio.sleep(0)
        assert seen == list(range(min(items, leaves_at)))

    async with counting(at_once=at_once, max_jobs=60) as worker:
        async with asyncio.TaskGroup() as group:
            for _ in range(50):
                items, ahead = dice.randrange(1, 12), dice.randrange(1, 4)
                group.create_task(
                    caller(worker, items, ahead, dice.randrange(1, 20), dice.random() < 0.3)
                )
        _, closed = await worker.ask("tally")
        assert closed == 50
        while worker.status().running:
            await asyncio.sleep(0.005)
        assert worker.status().waiting == 0


async def test_a_spoilt_process_costs_its_jobs_and_is_started_anew() -> None:
    async with counting(at_once=2) as worker:
        pid = worker.pid
        other = worker.stream("count", 10**9, ahead=1)
        await anext(other)
        poisoned = worker.stream("poison", "the GPU failed in the middle of an answer")
        assert await anext(poisoned) == 0
        with pytest.raises(EngineError, match="the GPU failed"):
            await anext(poisoned)
        with pytest.raises(EngineError, match="the GPU failed"):
            async for _ in other:
                pass
        assert await worker.ask("echo", 1) == 1
        assert worker.pid != pid
        assert (worker.status().restarts, worker.status().failures) == (1, 0)


async def test_who_asks_a_spoilt_process_waits_for_the_next() -> None:
    """The very moment its first caller knows: the process has not even ended."""
    async with counting(at_once=2) as worker:
        for again in range(5):
            with pytest.raises(EngineError, match="spoilt"):
                await read(worker, "poison", "spoilt")
            assert worker.status().state == "restarting"
            assert await worker.ask("echo", again) == again


async def test_each_stage_of_loading_is_told_while_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each lasts until it has been seen."""
    file = tmp_path / "told"
    monkeypatch.setenv(TOLD, str(file))
    stages = [Progressing("download", 32, 161), Progressing("load", 2, 2)]
    opened: list[Worker] = []

    def tell(words: str) -> None:
        """Never half of it is read."""
        (tmp_path / "next").write_text(words)
        (tmp_path / "next").rename(file)

    async def look() -> None:
        for stage in [*stages, Progressing("warm-up", 0, 0)]:
            tell(f"{stage.stage} {stage.done} {stage.total}")
            while not opened or opened[0].status().progress != stage:
                await asyncio.sleep(0.005)
            assert opened[0].status().state == "loading"
        tell("ready")

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        group.create_task(look())
        async with open_worker(spec("open_as_told"), lambda workers: opened.extend(workers)):
            assert opened[0].status().progress is None


async def test_each_stage_of_loading_is_told_with_its_time() -> None:
    loading = spec("open_in_stages", arguments={"steps": 4, "step_s": 0.05})
    async with asyncio.timeout(PATIENCE_S), open_worker(loading) as worker:
        status = worker.status()
    assert [stage.name for stage in status.stages] == ["start", "download", "load", "warm-up"]
    assert all(stage.seconds > 0.1 for stage in status.stages[1:])
    assert status.load_s == pytest.approx(sum(stage.seconds for stage in status.stages))
    assert status.progress is None


async def test_loading_may_take_long_as_long_as_it_goes_on() -> None:
    """Three stages of 2 s, each step well within the patience of 5 s (which the start needs, too)."""
    arguments = {"steps": 10, "step_s": 0.2}
    async with counting("open_in_stages", arguments=arguments, start_timeout_s=5.0) as worker:
        assert (worker.status().load_s or 0) > 5.5


async def test_starts_that_fail_are_made_less_and_less_often(tmp_path: Path) -> None:
    file = tmp_path / "starts"
    pauses = {"first_pause_s": 0.1, "longest_pause_s": 0.4, "wait_s": 0.0}
    async with counting("open_first_only", arguments={"file": str(file)}, **pauses) as worker:
        with pytest.raises(EngineError):
            await worker.ask("exit", 1)
        while worker.status().restarts < 4:
            await asyncio.sleep(0.005)
    starts = [float(line) for line in file.read_text().splitlines()]
    between = [after - before for before, after in pairwise(starts)]
    assert all(gap >= pause for gap, pause in zip(between, (0.1, 0.2, 0.4, 0.4), strict=False)), (
        between
    )


async def test_a_gpu_that_vanishes_is_told_with_its_remedy_and_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "loaded"
    arguments = {"file": str(file)}
    async with counting("open_without_gpu", arguments=arguments, longest_pause_s=0.05) as worker:
        with pytest.raises(EngineError, match="an assert on the GPU"):
            await read(worker, "poison", "an assert on the GPU")
        while worker.status().state != "failed":
            await asyncio.sleep(0.005)
        assert worker.status().reason == "the GPU is gone"
        assert "nvidia-smi" in worker.status().remedy
        with pytest.raises(EngineError, match="the GPU is gone"):
            await worker.ask("echo", 1)
        file.unlink()
        while worker.status().state != "ready":
            await asyncio.sleep(0.005)
        assert await worker.ask("echo", 1) == 1


async def test_without_a_gpu_from_the_beginning_nothing_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "loaded"
    file.write_text("")
    with pytest.raises(EngineUnavailable, match="nvidia-smi"):
        async with counting("open_without_gpu", arguments={"file": str(file)}):
            pytest.fail("it was opened")
