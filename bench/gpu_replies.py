"""What Ultravox costs: the tables of `bench.gpu` that are about it alone."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

import torch
from rich.console import Console
from rich.table import Table

from bench.gpu_model import made, sizes
from bench.gpu_profile import profile
from bench.gpu_talk import Cost, Talk
from ultraandchat.engines.ultravox.decode import Decoder
from ultraandchat.engines.ultravox.memory import GB, Budget, budget, refusal
from ultraandchat.engines.ultravox.ultravox import Ultravox

TURNS = (0, 5, 20)
CONVERSATIONS = (1, 2, 4, 8)
TARGET_TTFT_MS, TARGET_TOKEN_MS = 40.0, 5.0
"""One H200, 8B in bf16: prefix reused, with graphs."""


class Bench:
    """One model, and what is measured of it."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._seed = 0
        self.checkpoint = sizes(arguments.tiny)
        self.loaded = made(self.checkpoint, arguments.device, arguments.precision)

    def open(self, *, graph: bool) -> Ultravox:
        """The worker's model, warm."""
        return Ultravox(
            self.loaded,
            window=self._arguments.window,
            slots=max(CONVERSATIONS),
            graph=graph,
            progress=lambda *told: None,
        )

    def talk(self, model: Ultravox, turns: int) -> Talk:
        self._seed += 1
        return Talk(model, self.loaded.tokenizer, self._arguments.tokens, self._seed, turns)

    def reused(self, model: Ultravox, turns: int) -> list[Cost]:
        """The history was made ready while the user spoke."""
        talks = [self.talk(model, turns) for _ in range(self._arguments.runs)]
        costs = []
        for talk in talks:
            talk.prepare()
            costs.append(talk.answer())
        return costs

    def cold(self, model: Ultravox, turns: int) -> list[Cost]:
        """Nothing is known."""
        return [self.talk(model, turns).answer() for _ in range(self._arguments.runs)]

    def static_ms(self, prompt: int) -> float:
        """A token's time with fixed shapes and no graph, after so many others; the median.

        It shows what the graphs themselves bring; nobody runs it so on a GPU, so TTFT is not asked for."""
        decoder = Decoder(self.loaded.language, self._arguments.window, fixed=True)
        cache = decoder.new_cache()
        logits = decoder.prefill(cache, 0, decoder.embed([0] * prompt))
        times = []
        for at in range(prompt, prompt + self._arguments.tokens):
            begun = time.perf_counter()
            token = logits.argmax().view(1, 1)
            token.item()
            logits = decoder.step(cache, at, token)
            times.append((time.perf_counter() - begun) * 1000)
        return median(times)

    def together(self, model: Ultravox, count: int) -> tuple[list[Cost], float]:
        """So many at once, five turns into their conversations: their costs, and tokens a second in all."""
        costs: list[Cost] = []
        rates = []
        for _ in range(max(self._arguments.runs // count, 1)):
            talks = [self.talk(model, 5) for _ in range(count)]
            for talk in talks:
                talk.prepare()
            begun = time.perf_counter()
            running = [talk.begin() for talk in talks]
            waiting = list(running)
            while waiting:
                waiting = [each for each in waiting if each.step()]
            rates.append(
                sum(each.usage["new_tokens"] for each in running) / (time.perf_counter() - begun)
            )
            costs += [each.cost() for each in running]
        return costs, median(rates)


def language(arguments: argparse.Namespace, console: Console) -> None:
    """All of it. Exits where the memory does not suffice."""
    if arguments.device.startswith("cuda"):
        free, _ = torch.cuda.mem_get_info()
        if needed(arguments).total > free:
            sys.exit(str(refusal(sizes(arguments.tiny), needed(arguments), free)))
    bench = Bench(arguments)
    model, usual = replies(bench, console)
    crowds(bench, model, console)
    memory(bench, arguments, console)
    missed = is_missed(usual) and not arguments.tiny
    console.print(
        f"Targets, one H200, 8B in bf16: TTFT {TARGET_TTFT_MS:.0f} ms with the prefix reused,"
        f" {TARGET_TOKEN_MS:.0f} ms/token with graphs: {'missed, see below' if missed else 'kept'}"
        if not arguments.tiny
        else "These figures mean nothing: the model is tiny."
    )
    if arguments.profile or missed:
        profiled(bench, model)


def replies(bench: Bench, console: Console) -> tuple[Ultravox, list[Cost]]:
    """The table of single conversations; the model as it runs by default, and its costs after five turns."""
    table = Table(title="One conversation, medians (worst) in ms")
    for heading in (
        "decode", "turns", "prompt", "TTFT reused", "encode", "prefill", "TTFT cold", "ms/token",
    ):  # fmt: skip
        table.add_column(heading, justify="right")
    model = bench.open(graph=False)
    usual = rows(bench, model, "eager", table)
    for turns in TURNS:
        table.add_row(
            "static",
            str(turns),
            str(usual[turns][-1].prompt),
            *["–"] * 4,
            f"{bench.static_ms(usual[turns][-1].prompt):.1f}",
        )
    del model
    if bench.loaded.device.type == "cuda":
        torch.cuda.empty_cache()
    model = bench.open(graph=True)
    if bench.loaded.device.type == "cuda":
        usual = rows(bench, model, "graph", table)
    console.print(table)
    return model, usual[TURNS[1]]


def rows(bench: Bench, model: Ultravox, name: str, table: Table) -> dict[int, list[Cost]]:
    """One for each length of history; the costs with the prefix reused."""
    bench.reused(model, 1)  # the first of everything is slower
    found = {}
    for turns in TURNS:
        found[turns] = warm = bench.reused(model, turns)
        cold = bench.cold(model, turns)
        table.add_row(
            name,
            str(turns),
            str(warm[-1].prompt),
            spread(warm, lambda cost: cost.first_ms),
            spread(warm, lambda cost: cost.encode_ms),
            spread(warm, lambda cost: cost.prefill_ms),
            spread(cold, lambda cost: cost.first_ms),
            spread(warm, lambda cost: cost.token_ms),
        )
    return found


def crowds(bench: Bench, model: Ultravox, console: Console) -> None:
    table = Table(
        title="Conversations at once, five turns each, prefix reused, medians (worst) in ms"
    )
    for heading in ("conversations", "TTFT", "ms/token of each", "tokens/s in all"):
        table.add_column(heading, justify="right")
    for count in CONVERSATIONS:
        costs, rate = bench.together(model, count)
        table.add_row(
            str(count),
            spread(costs, lambda cost: cost.first_ms),
            spread(costs, lambda cost: cost.token_ms),
            f"{rate:.0f}",
        )
    console.print(table)


def spread(costs: Sequence[Cost], of: Callable[[Cost], float]) -> str:
    values = [of(cost) for cost in costs]
    return f"{median(values):.1f} ({max(values):.1f})"


def needed(arguments: argparse.Namespace) -> Budget:
    """Of memory, with as many conversations as are tried at once."""
    return budget(sizes(arguments.tiny), arguments.precision, arguments.window, max(CONVERSATIONS))


def memory(bench: Bench, arguments: argparse.Namespace, console: Console) -> None:
    counted = needed(arguments)
    console.print(f"Memory counted: {counted}")
    if bench.loaded.device.type != "cuda":
        return
    free, total = torch.cuda.mem_get_info(arguments.device)
    console.print(
        f"Memory found: {(total - free) / GB:.1f} GB in use on the card, of which tensors"
        f" {torch.cuda.max_memory_allocated() / GB:.1f} GB at most,"
        f" reserved {torch.cuda.max_memory_reserved() / GB:.1f} GB at most"
    )


def profiled(bench: Bench, model: Ultravox) -> None:
    """Where the time of one reply goes."""
    talk = bench.talk(model, 5)
    talk.prepare()
    profile(talk.answer, cuda=bench.loaded.device.type == "cuda")


def is_missed(costs: Sequence[Cost]) -> bool:
    """One of the targets, after five turns."""
    first, token = median(c.first_ms for c in costs), median(c.token_ms for c in costs)
    return first > TARGET_TTFT_MS or token > TARGET_TOKEN_MS
