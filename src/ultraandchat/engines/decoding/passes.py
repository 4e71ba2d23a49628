"""Passes of a fixed shape, captured as CUDA graphs.

A pass is launched kernel by kernel ("eager"), or has a fixed shape: then it is captured as a CUDA graph
for each cache and each reach, because on a fast card the launches cost more than the work. Elsewhere
than on CUDA the fixed shapes run without a graph; what they compute is the same.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import torch

from ultraandchat.engines.decoding.cache import KeyValues
from ultraandchat.engines.worker_wire import Progress

log = logging.getLogger("ultraandchat.decoding")

SHORTEST_REACH = 512
"""Tokens. A fixed pass reads a fixed part of its cache: the next of 512, 1024, 2048 … that holds it."""

SHORT = 64
"""Tokens of a fixed stretch, filled up with nothing: six seconds of speech with what the template of
Ultravox adds, or the text of most clauses. The weights are read once in either case, and that is most of
such a pass's time."""

SHORT_PASSES = 2
"""A stretch longer than so many fixed ones is one pass of its own length."""

How: TypeAlias = Literal["eager", "static cache", "CUDA graphs"]

T = TypeVar("T")


class Shape(NamedTuple):
    """Of what a pass is given."""

    tokens: int
    rows: int = 1
    """Sequences side by side."""


class Passes(Generic[T]):
    """The fixed passes of one model. `launch(cache, shape)` makes one, over inputs that stay where they
    are and that its caller filled; it asks the device for nothing, and what it returns is good until the
    next pass. Used by one thread."""

    def __init__(
        self,
        launch: Callable[[KeyValues, Shape], T],
        window: int,
        device: torch.device,
        *,
        fixed: bool,
        needed: Sequence[Shape],
        wished: Sequence[Shape],
    ) -> None:
        """`needed`: without these captured, every pass is eager. `wished`: may be missing."""
        self._launch = launch
        self._window = window
        self._needed, self._wished = list(needed), list(wished)
        self.how: How = "static cache" if fixed else "eager"
        self.why_not = ""
        """Why it is not how it was asked for; empty where it is."""
        self.position = torch.zeros((), dtype=torch.long, device=device)
        """Where the fixed pass begins, on the device."""
        self._graphs: dict[tuple[int, int, Shape], tuple[Any, T]] = {}

    def fixes(self, shape: Shape) -> bool:
        """Whether passes of `shape` are fixed."""
        return self.how != "eager" and (shape in self._needed or shape in self._wished)

    def parts(self, before: int, count: int, rows: int = 1) -> Iterator[tuple[slice, bool]]:
        """How a stretch of `count` tokens is passed after `before` others: which of it in each pass, and
        whether that pass is fixed, filled up to SHORT."""
        short = self.fixes(Shape(SHORT, rows)) and count <= SHORT * SHORT_PASSES
        length = SHORT if short else count
        for begin in range(0, count, length):
            part = slice(begin, min(begin + length, count))
            yield part, short and before + begin + SHORT <= self._window

    def run(self, cache: KeyValues, before: int, shape: Shape) -> T:
        """One fixed pass after `before` tokens."""
        self.position.fill_(before)
        reach = self.reach(before + shape.tokens)
        if (captured := self._graphs.get((id(cache), reach, shape))) is not None:
            graph, made = captured
            graph.replay()
            return made
        return self._launched(cache, reach, shape)

    def reach(self, count: int) -> int:
        """How many places of its cache a pass reads that ends at `count`."""
        reach = SHORTEST_REACH
        while reach < count:
            reach *= 2
        return min(reach, self._window)

    def capture(self, caches: list[KeyValues], progress: Progress) -> None:
        """Where that is wanted, and there is a CUDA device. Every cache must have had a pass."""
        if self.how == "static cache" and self.position.device.type == "cuda":
            self._capture(caches, progress)

    def forget(self) -> None:
        """What was captured is no longer what `launch` does."""
        self._graphs.clear()
        if self.how == "CUDA graphs":
            self.how = "static cache"

    def _capture(self, caches: list[KeyValues], progress: Progress) -> None:
        """First what every token needs, then what may be missing."""
        if reason := self._try(caches, self._needed, progress):
            self.how, self.why_not = "eager", f"no CUDA graphs: {reason}"
            progress("warm-up (eager, CUDA graphs failed)", 0, 0)
            log.warning("%s; tokens are computed kernel by kernel", self.why_not)
            return
        self.how = "CUDA graphs"
        if reason := self._try(caches, self._wished, progress):
            self._wished = []
            self.why_not = f"no CUDA graphs of short stretches: {reason}"
            log.warning("%s; prompts are computed kernel by kernel", self.why_not)

    def _try(self, caches: list[KeyValues], shapes: list[Shape], progress: Progress) -> str:
        """Captures `shapes`, with every cache, at every reach; why it did not work, if it did not. What the
        caches hold is written over."""
        self.position.zero_()  # wherever the last pass stood, a longer one might not fit there
        passes = [
            (cache, reach, shape)
            for shape in shapes
            for cache in caches
            for reach in sorted({self.reach(end) for end in range(shape.tokens, self._window + 1)})
        ]
        try:
            pool = torch.cuda.graph_pool_handle()
            for done, (cache, reach, shape) in enumerate(passes):
                progress(f"capture (CUDA graphs, {shape.tokens} tokens)", done, len(passes))
                self._graphs[id(cache), reach, shape] = self._captured(cache, reach, shape, pool)
        except RuntimeError as error:  # so are out of memory and what is not implemented
            # Quantised layers, for one, may ask the device something in the midst of a pass.
            self._graphs = {key: held for key, held in self._graphs.items() if key[2] not in shapes}
            torch.cuda.empty_cache()
            return str(error).splitlines()[0] if str(error) else type(error).__name__
        return ""

    @torch.inference_mode()
    def _captured(
        self, cache: KeyValues, reach: int, shape: Shape, pool: Any
    ) -> tuple[torch.cuda.CUDAGraph, T]:
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # libraries allocate their workspaces in the first passes
            for _ in range(2):
                self._launched(cache, reach, shape)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            made = self._launched(cache, reach, shape)
        return graph, made

    def _launched(self, cache: KeyValues, reach: int, shape: Shape) -> T:
        cache.fix(self.position, reach)
        return self._launch(cache, shape)
