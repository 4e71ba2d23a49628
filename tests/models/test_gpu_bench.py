"""`bench.gpu` on the processor, tiny: that it runs and fills its tables. What it finds means nothing here."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.gpu import parsed
from bench.gpu_model import Words
from bench.gpu_replies import Bench
from bench.gpu_workers import Spaced
from tests.models.backbones import backbone
from ultraandchat.engines.decoding import passes
from ultraandchat.engines.ultravox import decode, embedding, hearing, memory, ultravox

pytestmark = pytest.mark.timeout(900)
"""All of it several times over, on a machine that has other things to do."""

ROOT = Path(__file__).parents[2]
TINY = ["--tiny", "--device", "cpu", "--precision", "fp32", "--voice-precision", "fp32"]
TINY += ["--runs", "2", "--tokens", "4"]


def run(*options: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "bench.gpu", *TINY, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=800,
    ).stdout


def test_the_tables_of_the_language_model_are_filled() -> None:
    found = run("--only", "language")
    rows = re.findall(r"^│ +(eager|static) │ +(\d+) │ +\d+ │.+│ +([\d.]+)", found, re.MULTILINE)
    assert [(name, int(turns)) for name, turns, _ in rows] == [
        (name, turns) for name in ("eager", "static") for turns in (0, 5, 20)
    ]
    assert re.findall(r"^│ +(\d+) │ +[\d.]+ \(", found, re.MULTILINE) == ["1", "2", "4", "8"]
    assert "torch" in found
    assert "figures mean nothing" in found


def test_the_tables_of_the_voice_are_filled_and_the_guard_has_nothing_to_say() -> None:
    found = run("--only", "speech")
    assert re.findall(r"^│ +(eager|static) │ +[\d.]+ \(", found, re.MULTILINE) == [
        "eager",
        "static",
    ]
    rows = re.findall(r"^│ +(\d) │ +[\d.]+ \(.+│ +(\d+) │$", found, re.MULTILINE)
    assert rows == [("1", "0"), ("2", "0"), ("4", "0"), ("8", "0")]
    assert "figures mean nothing" in found


def test_the_tables_of_both_and_of_voice_to_voice_are_filled() -> None:
    found = run("--only", "whole", "--conversations", "1", "2", "--rounds", "1", "--window", "1024")
    assert re.findall(r"^│ +(idle|busy) │ +[\d.]+ \(", found, re.MULTILINE) == ["idle", "busy"]
    number = r"(?:[\d.]+)"
    rows = re.findall(
        rf"^│ +(\d+) │ +(yes|no) │ +(\d) of (\d) │ +{number} / {number} │", found, re.MULTILINE
    )
    assert [(int(count), early) for count, early, *_ in rows] == [
        (count, early) for count in (1, 2) for early in ("yes", "no")
    ]
    assert [int(answered) for _, _, answered, _ in rows] == [1, 1, 2, 2]
    assert "figures mean nothing" in found


@given(st.lists(st.integers(0, 128_255), max_size=20))
def test_its_sentences_are_recognised_when_they_come_back(tokens: list[int]) -> None:
    words = Spaced(128_256)
    text = words.decode(tokens)
    assert words.encode(text) == words.encode(text.replace(" ", ". ").strip(". ")) == tokens


def test_a_prepared_history_is_reused_and_a_new_one_is_not() -> None:
    bench = Bench(parsed(TINY))
    model = bench.open(graph=True)
    for cost in bench.reused(model, 5):
        assert cost.reused > 0.8 * cost.prompt
    for cost in bench.cold(model, 5):
        assert cost.reused < 0.1 * cost.prompt
    costs, rate = bench.together(model, 2)
    assert len(costs) == 2
    assert rate > 0


@given(st.lists(st.integers(0, 128_255), max_size=20))
def test_its_words_are_recognised_when_they_come_back(tokens: list[int]) -> None:
    words = Words(128_256)
    assert words.encode(words.decode(tokens)) == tokens


def test_what_is_counted_is_what_the_worker_keeps() -> None:
    assert memory.EMBEDDING_TOKENS == hearing.KEPT
    assert memory.PREFILL_TOKENS == ultravox.STRETCH
    assert memory.ENCODER_STEPS == embedding.WINDOWS_AT_ONCE * 1500
    assert memory.SHORTEST_REACH == passes.SHORTEST_REACH
    reaches = {
        decode.Decoder(backbone("llama"), 4096, fixed=True).passes.reach(at)
        for at in range(1, 4097)
    }
    assert memory.recorded_passes(4096, 3) == 2 * len(reaches) * 3
    assert memory.recorded_passes(400, 1) == 2
