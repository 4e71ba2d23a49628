"""The worker's class over parts without a model: what is handed out and when, and what is freed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.support.chatterbox_bench import SHORT, Bench, Said, first_bad
from tests.support.chatterbox_roles import audible, healthy
from tests.support.token_streams import TEXT, Stream, read
from ultraandchat.engines.chatterbox.variants import (
    RATE,
    SILENCE_TOKEN,
)
from ultraandchat.engines.worker_wire import STEP


def test_a_clause_is_spoken_whole_in_int16() -> None:
    said = Bench().say()
    assert said.verdicts == []
    assert all(block.dtype == np.int16 and block.ndim == 1 and len(block) for block in said.blocks)
    assert said.tokens == audible(healthy(TEXT, 1))


def test_the_first_block_comes_as_soon_as_its_tokens_are_there() -> None:
    bench = Bench()
    steps = bench.begin()
    while not isinstance(next(steps), np.ndarray):
        pass
    assert (
        bench.writer.passes == 16
    )  # ten tokens and three ahead; of five of silence three are left out


def test_silence_before_the_first_word_is_not_waited_through() -> None:
    def late(text: str, time: int) -> Stream:
        stream = healthy(text, time, placed=False)
        stream.numbers[:0] = [SILENCE_TOKEN] * 9
        stream.entropies[:0] = [0.3] * 9
        return stream

    said = Bench(late).say()
    assert said.tokens[:3] == [SILENCE_TOKEN, SILENCE_TOKEN, late(TEXT, 1).numbers[14]]


def test_a_seed_makes_the_same_reply_whatever_was_said_before() -> None:
    bench = Bench(
        lambda text, time: read("runaway_unplaced") if time % 9 == 0 else healthy(text, 1)
    )
    first = Bench(lambda text, time: read("runaway_unplaced")).say(seed=3)
    for _ in range(8):
        bench.say(seed=None)
    assert np.array_equal(np.concatenate(bench.say(seed=3).blocks), np.concatenate(first.blocks))


def test_each_pass_is_one_step() -> None:
    bench = Bench()
    passes = 0
    for item in bench.begin():
        assert bench.writer.passes - passes <= 1
        passes = bench.writer.passes
        assert item is STEP or isinstance(item, np.ndarray | dict)


def test_the_account_tells_what_it_took() -> None:
    said = Bench().say()
    account = said.account
    assert account["tokens"] == len(healthy(TEXT, 1).numbers) - 1
    assert account["seconds"] == pytest.approx(sum(map(len, said.blocks)) / RATE)
    assert account["attempts"] == 1
    assert 0 < account["first_block_ms"] < 10_000
    assert account["writing_ms"] > 0
    assert account["sounding_ms"] > 0


@pytest.mark.parametrize("name", ["", "dropped_the_middle", "tail", "gibberish_hi_unplaced"])
def test_cancelled_at_any_step_nothing_is_held(name: str) -> None:
    script = first_bad(name) if name else healthy
    text = read(name).text if name else TEXT
    steps = len(list(Bench(script).begin(text)))
    for count in range(steps):
        bench = Bench(script)
        making = bench.begin(text)
        for _ in range(count):
            next(making)
        making.close()
        assert bench.writer.open == 0


@pytest.mark.parametrize("name", ["", "dropped_the_middle", "tail", "gibberish_hi_unplaced"])
def test_whenever_it_is_told_to_stop_it_makes_no_pass_more(name: str) -> None:
    script = first_bad(name) if name else healthy
    text = read(name).text if name else TEXT
    for count in range(0, 180, 3):
        asked = 0
        passes_then = 0
        bench = Bench(script)

        def passes(bench: Bench = bench) -> int:
            """Of T3 and of the sounder."""
            return bench.writer.passes + sum(opened.passes for opened in bench.sounder.opened)

        def stop(count: int = count, passes: Callable[[], int] = passes) -> bool:
            nonlocal asked, passes_then
            asked += 1
            if asked <= count + 1:
                passes_then = passes()
            return asked > count

        items = list(bench.begin(text, stop=stop))
        assert bench.writer.open == 0
        if asked > count:
            assert passes() == passes_then
            assert not any(isinstance(item, dict) and "account" in item for item in items)


def test_nothing_is_made_once_nobody_wants_it() -> None:
    blocks = len(Bench().say().blocks)
    for count in range(1, blocks + 1):
        wanted, seen = True, 0
        bench = Bench()
        making = bench.begin(stop=lambda: not wanted)  # noqa: B023
        while seen < count:
            seen += isinstance(next(making), np.ndarray)
        passes, wanted = bench.writer.passes, False
        assert list(making) == []
        assert bench.writer.passes == passes
        assert sum(opened.passes for opened in bench.sounder.opened) == count


def test_two_clauses_by_turns_are_as_each_alone() -> None:
    bench = Bench()
    one, two = bench.begin(TEXT), bench.begin(SHORT)
    items: dict[int, list[Any]] = {0: [], 1: []}
    for _ in range(2000):
        for which, making in enumerate((one, two)):
            item = next(making, None)
            if item is not None:
                items[which].append(item)
    assert Said(items[0]).tokens == audible(healthy(TEXT, 1))
    assert Said(items[1]).tokens == audible(healthy(SHORT, 2))


def test_a_given_seed_makes_the_whole_reply_again() -> None:
    def seeds(**more: Any) -> tuple[list[int], list[int]]:
        bench = Bench(first_bad("gibberish_hi_unplaced", 2))
        bench.say("Hi!", **more)
        return bench.writer.seeds, bench.sounder.seeds

    assert seeds(seed=7) == seeds(seed=7)
    assert seeds(seed=7) != seeds(seed=8)
    assert seeds(seed=None) != seeds(seed=None)
    assert len(set(seeds(seed=-1)[0])) == 3
