"""That passes can be captured as CUDA graphs, as far as that can be told without a GPU.

A capture fails when a pass asks the device for a value. On torch's "meta" device, where tensors have
shapes but no values, whatever asks for one raises, and so does most of what mixes two devices.
"""

import copy
from typing import Any

import pytest
import torch

from tests.engines.ultravox.support import CHECKPOINTS
from tests.models.backbones import CONFIGS, backbone, fresh_logits
from tests.models.talk import nobody_asks
from ultraandchat.engines.decoding.cache import KeyValues
from ultraandchat.engines.decoding.passes import SHORT, Passes, Shape
from ultraandchat.engines.decoding.sampling import Sampler, Taste
from ultraandchat.engines.ultravox.checkpoint import Checkpoint
from ultraandchat.engines.ultravox.decode import Decoder
from ultraandchat.engines.ultravox.load import load

META = torch.device("meta")


@pytest.fixture(params=[*CONFIGS, "int8"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A language model without values, as if it were being captured."""
    # transformers asks this, and while it is true asks the device for nothing.
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    if request.param != "int8":
        return copy.deepcopy(backbone(request.param)).to(META)
    checkpoint = Checkpoint.read(CHECKPOINTS[1])
    return load(checkpoint, device="cpu", precision="int8", progress=nobody_asks).language.to(META)


def one_token(decoder: Decoder, cache: KeyValues, before: int) -> torch.Tensor:
    return decoder.step(cache, before, torch.zeros((1, 1), dtype=torch.long, device=META))


def short_stretch(decoder: Decoder, cache: KeyValues, before: int) -> torch.Tensor:
    return decoder.prefill(cache, before, decoder.embed([1] * (SHORT + 5)))


@pytest.mark.parametrize("pass_of", [one_token, short_stretch])
def test_a_fixed_pass_never_asks_the_device(language: Any, pass_of: Any) -> None:
    decoder = Decoder(language, 2048, fixed=True)
    for before in (0, 3, 600):
        logits = pass_of(decoder, decoder.new_cache(), before)
        assert (logits.device, logits.shape) == (META, (300,))


class Valueless(Sampler):
    """A sampler on the meta device, which has no generators."""

    def __init__(self, taste: Taste) -> None:
        super().__init__(taste, 300, torch.device("cpu"), seed=0)
        if self._seen is not None:
            self._seen = self._seen.to(META)
        self._generator = None


@pytest.mark.parametrize("taste", [Taste(), Taste(0.7), Taste(0.7, 0.95), Taste(0.7, 0.95, 1.1)])
def test_a_choice_asks_the_device_only_for_the_token(taste: Taste) -> None:
    sampler = Valueless(taste)
    sampler.saw([1, 2, 3])
    token = sampler.choose(torch.empty(300, device=META))
    assert token.shape == (1, 1)
    with pytest.raises(RuntimeError, match="item"):
        int(token)


def refuse(*rest: object) -> None:
    raise RuntimeError("operation not permitted when stream is capturing\nCompile with …")


def test_where_capture_fails_it_says_why_and_goes_on_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", refuse)
    told: list[str] = []
    decoder = Decoder(backbone("llama"), 512, fixed=True)
    cache = decoder.new_cache()
    decoder.passes._capture([cache], lambda stage, done, total: told.append(stage))
    assert decoder.how == "eager"
    assert decoder.why_not == "no CUDA graphs: operation not permitted when stream is capturing"
    assert told == ["warm-up (eager, CUDA graphs failed)"]
    assert "operation not permitted" in caplog.text
    logits = decoder.prefill(cache, 0, decoder.embed([4, 5]))
    torch.testing.assert_close(logits, fresh_logits("llama", [4, 5]), atol=1e-4, rtol=0)


def test_where_only_short_stretches_cannot_be_captured_tokens_still_are(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def captured(passes: Any, cache: KeyValues, reach: int, shape: Shape, pool: object) -> Any:
        if shape.tokens != 1:
            refuse()
        return Replayed(), torch.full((300,), 7.0)

    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: None)
    monkeypatch.setattr(Passes, "_captured", captured)
    decoder = Decoder(backbone("llama"), 1024, fixed=True)
    cache = decoder.new_cache()
    told: list[tuple[str, int, int]] = []
    decoder.passes._capture([cache], lambda *progress: told.append(progress))
    assert told == [
        ("capture (CUDA graphs, 1 tokens)", 0, 2),
        ("capture (CUDA graphs, 1 tokens)", 1, 2),
        (f"capture (CUDA graphs, {SHORT} tokens)", 0, 2),
    ]
    assert decoder.how == "CUDA graphs"
    assert "no CUDA graphs of short stretches" in caplog.text
    logits = decoder.prefill(cache, 0, decoder.embed([4, 5]))
    torch.testing.assert_close(logits, fresh_logits("llama", [4, 5]), atol=1e-4, rtol=0)
    assert decoder.step(cache, 2, torch.tensor([[6]]))[0] == 7, "replayed"


class Replayed:
    """A CUDA graph, as far as it is asked for anything."""

    def replay(self) -> None:
        pass
