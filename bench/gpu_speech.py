"""What Chatterbox Turbo costs: the tables of `bench.gpu` that are about it alone."""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from bench.gpu_profile import profile
from bench.gpu_voice import made, marking, numbers_of, opened, voice
from ultraandchat.engines.chatterbox.memory import budget
from ultraandchat.engines.chatterbox.roles import Taste
from ultraandchat.engines.chatterbox.speaking import Chatterbox
from ultraandchat.engines.chatterbox.variants import RATE, TURBO, WINDOW
from ultraandchat.engines.chatterbox.writer import T3Writer
from ultraandchat.engines.ultravox.memory import GB

STREAMS = (1, 2, 4, 8)
CLAUSE = "There is a small shop at the corner, and it is open until late in the evening."
"""78 characters: 5.5 s."""
SHORT_CLAUSE = "There is a small shop."
"""For the processor."""
TARGET_FIRST_MS, TARGET_FACTOR = 100.0, 0.3
"""One H200, one stream."""
USUAL = Taste(
    TURBO.temperature, TURBO.top_k, TURBO.top_p, TURBO.min_p, TURBO.repetition_penalty, 0.0, 0.0
)


@dataclass
class Spoken:
    """One clause, as it was made."""

    steps: Iterator[Any]
    begun: float
    first: float = 0.0
    last: float = 0.0
    samples: int = 0
    verdicts: int = 0
    account: Any = None

    def step(self) -> bool:
        """One step; false at the end."""
        item = next(self.steps, None)
        if isinstance(item, np.ndarray):
            self.last = time.perf_counter()
            self.first = self.first or self.last
            self.samples += len(item)
        elif isinstance(item, dict):
            self.verdicts += "verdict" in item
            self.account = item.get("account")
        return item is not None

    @property
    def first_ms(self) -> float:
        return (self.first - self.begun) * 1000

    @property
    def factor(self) -> float:
        """Real time; what others did in between is in it."""
        return (self.last - self.begun) * RATE / self.samples


def clause(arguments: argparse.Namespace) -> str:
    return SHORT_CLAUSE if arguments.tiny else CLAUSE


def speech(arguments: argparse.Namespace, console: Console) -> None:
    """All of it."""
    cuda = arguments.device.startswith("cuda")
    t3, s3gen = made(arguments.device, arguments.voice_precision, tiny=arguments.tiny)
    console.print(written(t3, arguments))
    slots = max(STREAMS)
    mark = marking(arguments.device, tiny=arguments.tiny)
    model = opened(
        t3,
        s3gen,
        voice(arguments.device, tiny=arguments.tiny),
        mark,
        slots=slots,
        graph=True,
        progress=lambda *told: None,
    )
    alone = streams(model, console, arguments)
    if mark is not None:
        spared = ", so it is left as it is" if mark.spares_the_first else ""
        console.print(f"The watermark of a first block takes {mark.cost_ms:.1f} ms{spared}")
    console.print(f"Memory counted: {budget(TURBO, arguments.voice_precision, slots)}")
    if cuda:
        most = torch.cuda.max_memory_reserved() / GB
        console.print(f"Memory found: reserved {most:.1f} GB at most")
    if arguments.tiny:
        console.print("These figures mean nothing: the models are tiny.")
    else:
        first, factor = median(s.first_ms for s in alone), median(s.factor for s in alone)
        missed = first > TARGET_FIRST_MS or factor > TARGET_FACTOR
        console.print(
            f"Targets, one H200, one stream: first sound {TARGET_FIRST_MS:.0f} ms, real-time factor"
            f" {TARGET_FACTOR}: {'missed, see below' if missed else 'kept'}"
        )
        if missed or arguments.profile:
            profile(lambda: say(model, 1, CLAUSE), cuda=cuda)


def written(t3: Any, arguments: argparse.Namespace) -> Table:
    """T3 alone."""
    table = Table(title="T3 of one clause, medians (worst) in ms")
    for heading in ("passes", "first token", "ms/token"):
        table.add_column(heading, justify="right")
    graphs = ["graph"] if arguments.device.startswith("cuda") else []
    for how in ["eager", "static", *graphs]:
        firsts, each = timed(t3, how, arguments)
        table.add_row(how, spread(firsts), spread(each))
    return table


def timed(t3: Any, how: str, arguments: argparse.Namespace) -> tuple[list[float], list[float]]:
    """ms to the first token of each run, and of each token then."""
    writer = T3Writer(
        t3, TURBO, window=WINDOW, slots=1, graph=how != "eager", progress=lambda *told: None
    )
    if how == "static":  # nobody runs it so; it shows what the graphs themselves bring
        writer._model.passes.forget()
    who = voice(arguments.device, tiny=arguments.tiny)
    text = numbers_of(clause(arguments), "en")
    firsts, each = [], []
    for seed in range(arguments.runs + 1):
        begun = time.perf_counter()
        tokens = writer.write(who, text, USUAL, seed)
        times = [
            time.perf_counter() for _, _token in zip(range(arguments.tokens), tokens, strict=False)
        ]
        tokens.close()  # type: ignore[attr-defined]  # a generator, told as an Iterator
        if seed:  # the first computes the voice's prefix, which is then kept
            firsts.append((times[0] - begun) * 1000)
            each.append((times[-1] - times[0]) * 1000 / (len(times) - 1))
    return firsts, each


def streams(model: Chatterbox, console: Console, arguments: argparse.Namespace) -> list[Spoken]:
    """The table of so many clauses at once; those that were spoken alone."""
    table = Table(title="Turbo, clauses at once, medians (worst)")
    for heading in (
        "streams", "first sound, ms", "real-time factor of each", "seconds made a second",
        "T3, ms", "S3Gen and HiFT, ms", "guard",
    ):  # fmt: skip
        table.add_column(heading, justify="right")
    text = clause(arguments)
    say(model, 1, text)  # the first of everything is slower
    alone: list[Spoken] = []
    for count in STREAMS:
        spoken, rates = [], []
        for _ in range(max(arguments.runs // count, 1)):
            begun = time.perf_counter()
            together = say(model, count, text)
            took = time.perf_counter() - begun
            rates.append(sum(each.samples for each in together) / RATE / took)
            spoken += together
        alone = alone or spoken
        table.add_row(
            str(count),
            spread([each.first_ms for each in spoken]),
            spread([each.factor for each in spoken], 2),
            f"{median(rates):.1f}",
            spread([each.account["writing_ms"] for each in spoken]),
            spread([each.account["sounding_ms"] for each in spoken]),
            str(sum(each.verdicts for each in spoken)),
        )
    console.print(table)
    return alone


def say(model: Chatterbox, count: int, text: str) -> list[Spoken]:
    """So many clauses by turns, as the worker makes them."""
    begun = time.perf_counter()
    all_of_them = [
        Spoken(model.synthesize(_nobody_stops, {"text": text, "seed": seed}), begun)
        for seed in range(count)
    ]
    waiting = list(all_of_them)
    while waiting:
        waiting = [each for each in waiting if each.step()]
    return all_of_them


def spread(values: list[float], places: int = 1) -> str:
    return f"{median(values):.{places}f} ({max(values):.{places}f})"


def _nobody_stops() -> bool:
    return False
