"""A model in a process of its own: its jobs, their cancellation, and what its death costs. Real time."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ultraandchat.engines.base import EngineError, EngineOverloaded, EngineUnavailable
from ultraandchat.engines.worker import Worker, WorkerSpec, open_worker

pytestmark = pytest.mark.usefixtures("fakes_can_be_imported")

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
"""For anything that must happen: far more than it takes on a busy machine."""
PATIENT_S = 2.0
"""After which a process is taken to hang or to be stuck: a well one does not stand still for so long, however
busy the machine is."""


def spec(model: str = "open_counting", **changes: Any) -> WorkerSpec:
    return WorkerSpec(
        **{
            "name": "counting",
            "factory": f"tests.support.worker_models:{model}",
            "beat_s": 0.05,
            "first_pause_s": 0.01,
            "wait_s": PATIENCE_S,
            "start_timeout_s": PATIENCE_S,
            **changes,
        }
    )


@asynccontextmanager
async def counting(**changes: Any) -> AsyncIterator[Worker]:
    async with asyncio.timeout(2 * PATIENCE_S), open_worker(spec(**changes)) as worker:
        yield worker


async def until(true: Callable[[], bool]) -> None:
    """Looks again and again; the test's own timeout ends it."""
    while not true():
        await asyncio.sleep(0.005)


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


async def test_a_function_gives_one_answer_and_a_generator_its_items() -> None:
    async with counting() as worker:
        assert await worker.ask("echo", "a word") == "a word"
        async with aclosing(worker.stream("count", 4)) as numbers:
            assert [number async for number in numbers] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "value",
    [
        np.arange(-3, 3, dtype=np.int16),
        np.array([0.5, np.nan, np.inf], np.float32),
        np.zeros(480_000, np.float32),
        np.zeros(0, np.int16),
    ],
)
async def test_sound_travels_unchanged(value: np.ndarray[Any, Any]) -> None:
    async with counting() as worker:
        back = await worker.ask("echo", value)
    assert back.dtype == value.dtype
    np.testing.assert_array_equal(back, value)


async def test_bytes_words_and_structures_travel_unchanged() -> None:
    value = {"sound": b"\x00\xff", "words": ["ä", None, True, 1.5, -7]}
    async with counting() as worker:
        assert await worker.ask("echo", value) == value


async def test_not_a_number_comes_as_it_is() -> None:
    async with counting() as worker:
        assert np.isnan(await worker.ask("not_a_number", 10)).all()


async def test_a_value_that_cannot_travel_fails_its_job_only() -> None:
    async with counting() as worker:
        with pytest.raises(EngineError, match="TypeError"):
            await worker.ask("untransportable")
        with pytest.raises(EngineError, match="cannot be sent"):
            await worker.ask("echo", object())
        with pytest.raises(EngineError, match="cannot be sent"):
            await worker.ask("echo", bytes(65 * 2**20))
        assert await worker.ask("echo", 1) == 1


async def test_the_model_is_at_most_so_many_items_in_front_of_its_reader() -> None:
    async with counting() as worker:
        reading = worker.stream("count", 100, ahead=3)
        await anext(reading)
        await anext(reading)
        await reading.aclose()
        made, closed = await worker.ask("tally")
        assert made <= 2 + 3
        assert closed == 1


@pytest.mark.parametrize("read", range(6))
async def test_closing_a_stream_ends_its_job_within_one_step(read: int) -> None:
    async with counting() as worker:
        reading = worker.stream("count", 5, ahead=1)
        for _ in range(read):
            with contextlib.suppress(StopAsyncIteration):
                await anext(reading)
        await reading.aclose()
        made, closed = await worker.ask("tally")
        assert made <= read + 1
        assert closed == (read > 0)


async def test_a_long_computation_learns_that_it_was_cancelled(tmp_path: Path) -> None:
    file = tmp_path / "state"
    async with counting() as worker, asyncio.TaskGroup() as group:
        asking = group.create_task(worker.ask("until_stopped", str(file)))
        await until(lambda: file.exists() and file.read_text() == "begun")
        asking.cancel()
        assert await worker.ask("echo", 1) == 1
        assert file.read_text() == "stopped"


async def test_a_job_cancelled_before_its_turn_is_never_begun(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with counting() as worker, asyncio.TaskGroup() as group:
        running = group.create_task(worker.ask("until_stopped", str(first)))
        await until(first.exists)
        queued = group.create_task(worker.ask("until_stopped", str(second)))
        await asyncio.sleep(0)
        queued.cancel()
        running.cancel()
        assert await worker.ask("echo", 1) == 1
        assert not second.exists()


async def test_one_job_too_many_is_refused_and_the_others_are_served(tmp_path: Path) -> None:
    file = tmp_path / "state"
    async with counting(max_jobs=2) as worker, asyncio.TaskGroup() as group:
        running = group.create_task(worker.ask("until_stopped", str(file)))
        await until(file.exists)
        queued = group.create_task(worker.ask("echo", 1))
        await asyncio.sleep(0)
        with pytest.raises(EngineOverloaded):
            await worker.ask("echo", 2)
        running.cancel()
        assert await queued == 1


async def test_an_exception_in_the_model_ends_its_job_only_and_tells_no_words() -> None:
    async with counting() as worker:
        pid = worker.pid
        with pytest.raises(EngineError) as caught:
            await worker.ask("fail", "what the user said")
        assert caught.value.reason == "the model failed (ValueError)"
        with pytest.raises(EngineError, match="too long a sentence"):
            await worker.ask("refuse", "too long a sentence")
        with pytest.raises(EngineError, match="AttributeError"):
            await worker.ask("no_such_method")
        assert worker.pid == pid
        assert worker.status().failures == 3


async def test_items_made_before_an_exception_arrive() -> None:
    async with counting() as worker:
        reading = worker.stream("fail_after", 2)
        assert [await anext(reading), await anext(reading)] == [0, 1]
        with pytest.raises(EngineError):
            await anext(reading)


async def test_a_kill_in_the_middle_of_a_stream_costs_that_stream_only() -> None:
    async with counting() as worker:
        pid = worker.pid
        assert pid is not None
        reading = worker.stream("count", 10**9)
        await anext(reading)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(EngineError, match="SIGKILL"):
            async for _ in reading:
                pass
        assert await worker.ask("echo", "still there") == "still there"
        assert worker.pid != pid
        assert (worker.status().state, worker.status().restarts) == ("ready", 1)


async def test_queued_jobs_are_lost_with_the_process() -> None:
    async with counting() as worker:
        asked = [worker.ask("exit", 3), worker.ask("echo", 1)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [str(answer) for answer in answers] == [
            "counting: its process ended by itself (exit code 3)"
        ] * 2


@pytest.mark.parametrize(
    ("method", "argument", "changes", "reason"),
    [
        ("hold_the_interpreter", 60, {"hang_s": PATIENT_S}, "hangs"),
        ("sleep", 60.0, {"stall_s": PATIENT_S}, "stuck"),
    ],
)
async def test_a_hang_is_found_and_the_next_job_is_served(
    method: str, argument: float, changes: dict[str, Any], reason: str
) -> None:
    async with counting(**changes) as worker:
        with pytest.raises(EngineError, match=reason):
            await worker.ask(method, argument)
        assert await worker.ask("echo", 1) == 1


async def test_a_stopped_process_counts_as_hanging() -> None:
    async with counting(hang_s=0.3) as worker:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        with pytest.raises(EngineError, match="hangs"):
            await worker.ask("echo", 1)


async def test_a_reader_that_takes_its_time_is_no_stall() -> None:
    async with counting(stall_s=PATIENT_S) as worker:
        reading = worker.stream("count", 10)
        await anext(reading)
        await asyncio.sleep(1.5 * PATIENT_S)
        assert [number async for number in reading] == list(range(1, 10))


async def test_a_model_that_asks_whether_to_stop_is_no_stall(tmp_path: Path) -> None:
    async with counting(stall_s=PATIENT_S) as worker:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5 * PATIENT_S):
                await worker.ask("until_stopped", str(tmp_path / "state"))
        assert worker.status().restarts == 0


async def test_what_the_model_prints_corrupts_nothing_and_goes_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", "ultraandchat.model")
    async with counting() as worker:
        assert [line async for line in worker.stream("shout", 500)] == list(range(500))
    assert "counting: out 499" in caplog.messages


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
async def test_what_our_own_code_logs_in_there_comes_at_its_level(
    caplog: pytest.LogCaptureFixture, level: str
) -> None:
    caplog.set_level("INFO", "ultraandchat")
    async with counting() as worker:
        text = f"the disk is full {'x' * 2000}"
        await worker.ask("remark", logging.getLevelName(level), text)
        await worker.ask("echo", 1)
    told = [one for one in caplog.records if "disk is full" in one.getMessage()]
    assert [one.levelname for one in told] == ([] if level == "DEBUG" else [level])
    assert all(len(one.getMessage()) < 1100 for one in told)


@pytest.mark.parametrize("data", [b"\xff" * 8, b"\x00\x00\x00\x01\xc1", b"\x00\x00\x00\x01\x80"])
async def test_garbage_from_the_child_ends_it(data: bytes) -> None:
    async with counting() as worker:
        with pytest.raises(EngineError, match="unreadable"):
            await worker.ask("babble", data)
        assert await worker.ask("echo", 1) == 1


async def test_calls_made_while_it_cannot_restart_end_after_their_wait(tmp_path: Path) -> None:
    model = {"factory": "tests.support.worker_models:open_once"}
    arguments = {"file": str(tmp_path / "loaded")}
    async with counting(**model, arguments=arguments, wait_s=0.2, longest_pause_s=0.02) as worker:
        with contextlib.suppress(EngineError):
            await worker.ask("exit", 1)
        with pytest.raises(EngineError, match="restarted"):
            await worker.ask("echo", 1)
        await until(lambda: worker.status().state == "failed")
        assert "damaged" in worker.status().reason
        tried = worker.status().restarts
        (tmp_path / "loaded").unlink()
        await until(lambda: worker.status().state == "ready")
        assert worker.status().restarts > tried
        assert await worker.ask("echo", 1) == 1


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"model": "open_not"}, EngineUnavailable, "Install the model."),
        ({"model": "open_broken"}, EngineError, "damaged"),
        ({"model": "nowhere"}, EngineError, "nowhere"),
        ({"python": "/no/such/python"}, EngineError, "cannot be started"),
        (
            # Its interpreter must have started by then.
            {"model": "open_slowly", "arguments": {"seconds": 60}, "start_timeout_s": 6.0},
            EngineError,
            r"no progress in loading for 6 seconds \(start\)",
        ),
    ],
)
async def test_a_model_that_cannot_be_loaded_is_told_at_once(
    changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        async with counting(**changes):
            pytest.fail("it was opened")


async def test_the_blocks_own_exception_comes_out_as_it_was_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        async with counting():
            raise ZeroDivisionError


async def test_the_process_ends_with_the_block_even_when_it_is_busy(tmp_path: Path) -> None:
    file = tmp_path / "state"
    async with counting() as worker, asyncio.TaskGroup() as group:
        pid = worker.pid
        asking = group.create_task(worker.ask("until_stopped", str(file)))
        await until(file.exists)
        asking.cancel()
    assert pid is not None
    assert not alive(pid)


async def test_the_process_ignores_the_terminals_interrupt() -> None:
    async with counting() as worker:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGINT)
        assert await worker.ask("echo", 1) == 1
        assert worker.status().restarts == 0


async def test_no_child_outlives_its_parent() -> None:
    """Not even one that holds the interpreter lock when its parent is killed."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.worker_parent",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        child = int(await parent.stdout.readline())
        assert alive(child)
        parent.kill()
        await parent.wait()
        await until(lambda: not alive(child))
