"""Talking with the tiny model: requests as the gateway sends them, and what comes back."""

import copy
import zlib
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from tests.engines.ultravox.support import CHECKPOINTS
from ultraandchat.engines.ultravox.checkpoint import Checkpoint
from ultraandchat.engines.ultravox.load import Loaded, load
from ultraandchat.engines.ultravox.ultravox import Ultravox
from ultraandchat.engines.worker_wire import STEP


class Numbering:
    """The tiny tokenizer, but what it decodes to are the tokens' numbers: equal texts are equal tokens."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def decode(self, tokens: list[int], **options: Any) -> str:
        return "".join(f"{token} " for token in tokens)


class Keen:
    """Ears to which no two sounds are alike: to the tiny ones any noise is much the same."""

    def __init__(self, ears: Any) -> None:
        self._ears = ears

    def tokens(self, samples: int) -> int:
        count: int = self._ears.tokens(samples)
        return count

    def embed(self, sounds: list[Any]) -> list[Any]:
        found = []
        for heard, pcm in zip(self._ears.embed(sounds), sounds, strict=True):
            seed = torch.Generator().manual_seed(zlib.crc32(pcm.tobytes()))
            found.append(torch.randn(heard.shape, generator=seed) * 0.3)
        return found


@cache
def loaded() -> Loaded:
    """The tiny model of v0.6, which writes numbers, with a livelier mind than its own.

    Its own says much the same whatever it was told. With larger weights one token of the history that
    is not as it should be changes all that follows.
    """
    checkpoint = Checkpoint.read(CHECKPOINTS[1])
    found = load(checkpoint, device="cpu", precision="fp32", progress=nobody_asks)
    config = copy.deepcopy(found.language.config)
    config.initializer_range = 0.3
    torch.manual_seed(3)
    language = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    return replace(
        found,
        tokenizer=Numbering(found.tokenizer),
        language=language,
        ears=Keen(found.ears),
    )


def nobody_asks(*told: object) -> None:
    """A `Progress` that nobody reads."""


def go_on() -> bool:
    """A `Stop` that never stops."""
    return False


def tiny(*, window: int = 1024, slots: int = 2, graph: bool = False) -> Ultravox:
    return Ultravox(loaded(), window=window, slots=slots, graph=graph, progress=nobody_asks)


def sound(seed: int, seconds: float = 1.0) -> Any:
    """Noise that nobody said; another for each seed."""
    rng = np.random.default_rng(seed)
    return rng.integers(-9000, 9000, int(seconds * 16_000)).astype(np.int16)


def heard(seed: int, seconds: float = 1.0, *, words: str = "", sent: bool = True) -> dict[str, Any]:
    pcm = sound(seed, seconds) if sent else None
    return {"role": "user", "audio": f"{seed}/{seconds}", "pcm": pcm, "words": words}


def typed(text: str) -> dict[str, Any]:
    return {"role": "user", "text": text}


def said(text: str) -> dict[str, Any]:
    return {"role": "assistant", "text": text}


def request(*messages: dict[str, Any], max_tokens: int = 12, **more: Any) -> dict[str, Any]:
    return {
        "system": "Be brief.",
        "messages": list(messages),
        "max_tokens": max_tokens,
        "temperature": 0.0,
        "top_p": 1.0,
        "repetition_penalty": 1.0,
        **more,
    }


@dataclass
class Reply:
    """What a generator of the model gave, put together."""

    text: str = ""
    deltas: list[str] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    steps: int = 0

    def take(self, item: Any) -> None:
        self.steps += 1
        if isinstance(item, str):
            assert item, "an empty delta"
            assert not self.usage, "text after the usage"
            self.deltas.append(item)
            self.text += item
        elif isinstance(item, dict):
            self.usage = item.get("usage", self.usage)
            self.missing = item.get("missing", self.missing)
        else:
            assert item is STEP


def whole(items: Generator[Any, None, None]) -> Reply:
    reply = Reply()
    for item in items:
        reply.take(item)
    return reply


def fresh(asked: dict[str, Any], **options: Any) -> Reply:
    """The answer of a model that has never been asked anything."""
    return whole(tiny(**options).respond(go_on, asked))
