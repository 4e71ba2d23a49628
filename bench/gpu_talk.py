"""Conversations with the model of `bench.gpu`, and what each reply costs."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.gpu_model import Words
from ultraandchat.engines.ultravox.ultravox import Ultravox

RATE = 16_000
SPOKEN_S = 3.0
"""Of each of the user's turns: 19 tokens."""
REPLY_TOKENS = 30
"""Of each earlier reply: two sentences."""


@dataclass(frozen=True)
class Cost:
    """Of one reply."""

    first_ms: float
    token_ms: float
    encode_ms: float
    prefill_ms: float
    prompt: int
    reused: int


@dataclass
class Running:
    """A reply that is being written."""

    steps: Iterator[Any]
    begun: float
    first: float = 0.0
    last: float = 0.0
    usage: Any = None

    def step(self) -> bool:
        """One step; false at the end."""
        for item in self.steps:
            if isinstance(item, str):
                self.last = time.perf_counter()
                self.first = self.first or self.last
            elif isinstance(item, dict):
                self.usage = item["usage"]
            return True
        return False

    def cost(self) -> Cost:
        usage = self.usage
        return Cost(
            first_ms=(self.first - self.begun) * 1000,
            token_ms=(self.last - self.first) * 1000 / max(usage["new_tokens"] - 1, 1),
            encode_ms=usage["encode_ms"],
            prefill_ms=usage["prefill_ms"],
            prompt=usage["prompt_tokens"],
            reused=usage["reused_tokens"],
        )


class Talk:
    """One conversation, unlike every other."""

    def __init__(self, model: Ultravox, words: Words, tokens: int, seed: int, turns: int) -> None:
        self._model = model
        self._words = words
        self._tokens = tokens
        self._random = np.random.default_rng(seed)
        self._name = words.decode([seed])  # letters, for digits are all one to `Words`
        self._history: list[dict[str, Any]] = []
        for _ in range(turns):
            self._history += [self._heard(), {"role": "assistant", "text": self._reply()}]

    def prepare(self) -> None:
        """What happens while the user speaks."""
        for _ in self._model.prepare(_nobody_stops, self._request(self._history)):
            pass

    def begin(self) -> Running:
        asked = self._request([*self._history, self._heard()])
        return Running(self._model.respond(_nobody_stops, asked), time.perf_counter())

    def answer(self) -> Cost:
        running = self.begin()
        while running.step():
            pass
        return running.cost()

    def _request(self, messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {
            "system": f"{self._name}. You are a voice assistant. Answer in one to three short"
            " spoken sentences, without markdown, lists or emoji.",
            "messages": list(messages),
            "max_tokens": self._tokens,
            "temperature": 0.7,
            "top_p": 0.95,
            "repetition_penalty": 1.0,
        }

    def _heard(self) -> dict[str, Any]:
        pcm = self._random.normal(0, 3000, int(SPOKEN_S * RATE)).astype(np.int16)
        digest = f"{self._name} {self._random.integers(2**60)}"
        return {"role": "user", "audio": digest, "pcm": pcm, "words": ""}

    def _reply(self) -> str:
        return self._words.decode(self._random.integers(0, 256, REPLY_TOKENS).tolist())


def _nobody_stops() -> bool:
    return False
