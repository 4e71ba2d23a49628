"""Perth's detector confirms replies that were marked block by block, and nothing is heard of the joints."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.support.clips import at
from tests.support.speech import clip
from ultraandchat.audio.frame import Samples
from ultraandchat.engines.chatterbox.variants import RATE
from ultraandchat.engines.chatterbox.watermark import FADE, MOST_MS, PerthMarking, PerthWatermark

pytestmark = pytest.mark.timeout(300)
"""Gigabytes of weights, on a machine that may have other things to do."""


READINGS = ("jfk", "libri_1272", "lj001_0001", "lj001_0002")
"""Of four speakers, 2 to 11 s long."""

SURE = 0.9
"""Of the detector, whose answer is between 0 and 1 and rounded by the package."""


@cache
def watermark() -> PerthWatermark:
    return PerthWatermark("cpu")


@cache
def reading(name: str) -> Samples:
    return at(RATE, clip(name))


def blocks(samples: Samples, seconds: float) -> Iterator[Samples]:
    size = round(seconds * RATE)
    for begin in range(0, len(samples), size):
        yield samples[begin : begin + size]


def detected(samples: Samples) -> float:
    found: Any = watermark()._perth.get_watermark(samples, sample_rate=RATE, round=False)
    return float(found)


def by_blocks(samples: Samples, seconds: float, *, spares_first: bool = False) -> Samples:
    marking = PerthMarking(watermark(), spares_first=spares_first)
    return np.concatenate([marking.mark(block) for block in blocks(samples, seconds)])


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("seconds", [0.4, 1.0, 2.0])
def test_the_detector_confirms_a_reply_that_was_marked_by_blocks(name: str, seconds: float) -> None:
    clear = reading(name)
    marked = by_blocks(clear, seconds)
    assert len(marked) == len(clear)
    assert detected(clear) < 0.5 < SURE < detected(marked)


@pytest.mark.parametrize("name", READINGS)
def test_it_does_so_where_the_first_block_was_spared(name: str) -> None:
    assert detected(by_blocks(reading(name), 0.4, spares_first=True)) > 0.5


def test_at_the_joints_nothing_changes_and_elsewhere_little() -> None:
    clear = reading("jfk")
    marked = by_blocks(clear, 0.4)
    size = round(0.4 * RATE)
    steps, before = np.abs(np.diff(marked)), np.abs(np.diff(clear))
    joints = np.arange(size, len(clear), size) - 1
    assert np.allclose(steps[joints], before[joints], atol=1e-4)
    change = marked - clear
    assert float(np.sqrt(np.mean(change**2) / np.mean(clear**2))) < 0.3
    faded = np.abs(change[size : size + FADE // 8]).max()
    assert faded <= 0.1 * np.abs(change).max()


def test_blocks_of_any_length_keep_it_and_short_or_silent_ones_are_left() -> None:
    marking = watermark().open()
    for length in (0, 1, 960, 2400, 2401, 9600, 12_345):
        assert len(marking.mark(reading("jfk")[:length])) == length
    short = reading("jfk")[9000:9960]
    assert marking.mark(short) is short
    silence = np.zeros(RATE, np.float32)
    assert not marking.mark(silence).any()


def test_a_reply_says_for_itself_whether_its_first_block_is_spared() -> None:
    slow = PerthWatermark("cpu")
    slow.cost_ms = MOST_MS + 1
    block = reading("jfk")[: RATE // 2]
    marking = slow.open()
    assert marking.mark(block) is block
    assert not np.array_equal(marking.mark(block), block)
    slow.cost_ms = MOST_MS
    assert not np.array_equal(slow.open().mark(block), block)


def test_warming_measures_what_a_block_costs() -> None:
    watermark().warm()
    assert 0 < watermark().cost_ms < 60_000
