"""T3's passes as CUDA graphs, as far as that can be told without a GPU: they ask the device for nothing, and
what is repeated over inputs and outputs that stay where they are is what would have been computed anew."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.models.chatterbox.test_writer_heads import HEADS
from tests.models.chatterbox.tiny_t3 import TEXT, first, ready, taste, tiny, voice, writer_of
from tests.models.test_same_kernels import Listening
from ultraandchat.engines.chatterbox.t3 import T3
from ultraandchat.engines.chatterbox.variants import VARIANTS, VariantName
from ultraandchat.engines.chatterbox.writer import T3Writer
from ultraandchat.engines.decoding.passes import SHORT, Passes, Shape

LONG = [(number * 37) % 250 for number in range(100)]


@pytest.mark.parametrize("guidance", [0.0, 0.5])
@pytest.mark.parametrize("name", ["turbo", "original"])
def test_a_pass_that_will_be_captured_asks_nothing_and_is_always_the_same(
    name: VariantName, guidance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # transformers asks this, and while it is true asks the device for nothing.
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    model = T3(tiny(name), 512, guided=name == "original", fixed=True, heads=HEADS)
    cache = model.new_cache()
    clause = model.clause(cache, 0, TEXT, guidance)
    model.prefill(clause, TEXT)
    token, steps, stretches = torch.tensor([[4]]), [], []
    for at in (0, 1, 7, 40):
        with Listening() as listening:
            model.step(clause, at, token)
        assert listening.forbidden() == []
        steps.append(listening.heard)
    for before in (0, 3, 90):
        with Listening() as listening, torch.inference_mode():
            model.passes.run(cache, before, Shape(SHORT, clause.rows))
        assert listening.forbidden() == []
        stretches.append(listening.heard)
    assert all(each == steps[0] for each in steps)
    assert all(each == stretches[0] for each in stretches)


class Repeated:
    """A CUDA graph, as far as its reader can tell: its outputs are always the same tensors."""

    def __init__(self, launch: Callable[[], tuple[torch.Tensor, ...]]) -> None:
        self._launch = launch
        self.made = launch()
        self.times = 0

    def replay(self) -> None:
        self.times += 1
        for kept, new in zip(self.made, self._launch(), strict=True):
            kept.copy_(new)


@pytest.fixture
def capturing(monkeypatch: pytest.MonkeyPatch) -> Callable[[T3Writer], list[Repeated]]:
    """What `Passes.capture` does on a GPU, with graphs of ours."""
    graphs: list[Repeated] = []

    @torch.inference_mode()
    def captured(passes: Any, cache: Any, reach: int, shape: Shape, pool: object) -> Any:
        graph = Repeated(lambda: passes._launched(cache, reach, shape))
        graphs.append(graph)
        return graph, graph.made

    def capture(writer: T3Writer) -> list[Repeated]:
        graphs.clear()
        writer._model.passes._capture(writer._places, lambda *told: None)
        return list(graphs)

    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: None)
    monkeypatch.setattr(Passes, "_captured", captured)
    return capture


@pytest.mark.parametrize(("name", "window"), [("turbo", 700), ("original", 512)])
def test_graphs_of_several_clauses_by_turns_write_the_same(
    name: VariantName, window: int, capturing: Callable[[T3Writer], list[Repeated]]
) -> None:
    wishes = [taste(VARIANTS[name]), taste(VARIANTS[name], guidance=0.0)]
    asked = [(voice(name, seed), LONG[seed:], wishes[seed], seed) for seed in (0, 1)]
    expected = [first(ready(name).write(*one), 6) for one in asked]
    writer = writer_of(name, window=window)
    graphs = capturing(writer)
    # Two places; a token or a stretch; and two reaches in the one window, one row or two in the other.
    assert len(graphs) == 2 * 2 * 2
    assert writer.how == "CUDA graphs"
    running = [writer.write(*one) for one in asked]
    found = list(zip(*[[next(one) for one in running] for _ in range(6)], strict=True))
    assert [list(one) for one in found] == expected
    assert sum(graph.times for graph in graphs) == 2 * (2 + 6)  # two stretches, and one pass ahead


def test_other_heads_are_captured_anew(
    capturing: Callable[[T3Writer], list[Repeated]], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = writer_of("turbo", window=700)
    before = capturing(writer)
    # The last pass stood where no stretch of 64 has room, and chose from a text longer than that.
    assert first(writer.write(voice("turbo"), [7] * 640, taste(VARIANTS["turbo"]), 5), 6)
    used = sum(graph.times for graph in before)
    monkeypatch.setattr(Passes, "capture", Passes._capture)
    writer.align(HEADS, lambda *told: None)
    assert writer.how == "CUDA graphs"
    written = first(writer.write(voice("turbo"), TEXT, taste(VARIANTS["turbo"]), 5), 6)
    assert None not in [token.position for token in written]
    assert sum(graph.times for graph in before) == used


def test_a_clause_goes_on_where_a_longer_reach_begins(
    capturing: Callable[[T3Writer], list[Repeated]],
) -> None:
    asked = voice("turbo"), (LONG * 5)[:465], taste(VARIANTS["turbo"]), 3
    eager = first(writer_of("turbo", window=700, graph=False).write(*asked), 12)
    writer = writer_of("turbo", window=700)
    expected = first(writer.write(*asked), 12)
    assert [token.number for token in expected] == [token.number for token in eager]
    graphs = capturing(writer)
    assert first(writer.write(*asked), 12) == expected
    assert sorted(graph.times for graph in graphs)[-2:] == [5, 7]  # to position 512, and from there
