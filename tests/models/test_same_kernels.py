"""What a CUDA graph repeats, listened to without a GPU: the same kernels at every position, and nothing brought
from the host. test_capture.py looks at the same passes on the meta device."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.models.backbones import CONFIGS, WINDOW, backbone
from ultraandchat.engines.ultravox.decode import Decoder
from ultraandchat.engines.ultravox.int8 import Int8Linear, with_int8

WAITS = (
    "aten.item", "aten._local_scalar_dense", "aten.is_nonzero", "aten.nonzero", "aten.masked_select",
    "aten.unique", "aten.equal", "aten.allclose",
)  # fmt: skip
"""They answer with a number, or with a shape that depends on numbers: the host waits for the device."""

BRINGS = ("aten.lift_fresh",)
"""`torch.tensor([...])`: a copy from the host's memory."""


class Listening(TorchDispatchMode):
    """Notes every operation, with the shapes of what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, tuple[Any, ...]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        shapes = tuple(tuple(a.shape) if isinstance(a, torch.Tensor) else None for a in args)
        self.heard.append((str(func), shapes))
        return func(*args, **(kwargs or {}))

    def forbidden(self) -> list[str]:
        return [name for name, _ in self.heard if name.startswith(WAITS + BRINGS)]


def smaller(kind: str) -> Any:
    """With weights in 8 bits."""
    model = deepcopy(backbone(kind))
    weights = {n: m.weight for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    with_int8(model)
    for name, module in model.named_modules():
        if isinstance(module, Int8Linear):
            module.take(weights[name].detach())
    return model


@pytest.mark.parametrize("int8", [False, True], ids=["full", "int8"])
@pytest.mark.parametrize("kind", CONFIGS)
def test_a_pass_that_will_be_captured_asks_nothing_and_is_always_the_same(
    kind: str, int8: bool
) -> None:
    decoder = Decoder(smaller(kind) if int8 else backbone(kind), WINDOW, fixed=True)
    cache = decoder.new_cache()
    decoder.prefill(cache, 0, decoder.embed([1, 2, 3]))
    token = torch.tensor([[4]])
    passes = []
    for at in range(3, 40):
        with Listening() as listening:
            decoder.step(cache, at, token)
        assert listening.heard
        assert listening.forbidden() == []
        passes.append(listening.heard)
    assert all(each == passes[0] for each in passes)


@pytest.mark.parametrize("inference", [False, True])
def test_what_a_graph_cannot_hold_would_be_heard(inference: bool) -> None:
    with torch.inference_mode(inference), Listening() as listening:
        torch.tensor([1.0])
        torch.ones(1).item()
        bool(torch.ones(1).all())
        torch.ones(3).nonzero()
    assert len(listening.forbidden()) == 4
