"""A `Chatterbox` of parts without a model, and what it said."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.support.chatterbox_roles import (
    Keeps,
    Mark,
    Script,
    Sounder,
    Writes,
    healthy,
    tokenize,
    tokens_in,
)
from tests.support.token_streams import TEXT, Stream, read
from ultraandchat.engines.chatterbox.speaking import Chatterbox, Steps
from ultraandchat.engines.chatterbox.variants import TURBO, Variant

SHORT = "It is half past three in the afternoon."


@dataclass
class Bench:
    """A `Chatterbox` and the parts that it is made of."""

    script: Script = healthy
    variant: Variant = TURBO
    watermark: Mark | None = None
    explained: Callable[[Steps], Steps] = lambda steps: steps
    writer: Writes = field(init=False)
    sounder: Sounder = field(default_factory=Sounder)
    voices: Keeps = field(default_factory=Keeps)

    def __post_init__(self) -> None:
        self.writer = Writes(self.script)
        self.model = Chatterbox(
            self.writer,
            self.sounder,
            tokenize,
            self.voices,
            self.watermark,
            self.variant,
            explained=self.explained,
        )

    def begin(
        self, text: str = TEXT, stop: Callable[[], bool] = lambda: False, **more: Any
    ) -> Steps:
        return self.model.synthesize(stop, {"text": text, "seed": 7, **more})

    def say(self, text: str = TEXT, **more: Any) -> "Said":
        return Said(list(self.begin(text, **more)))


@dataclass
class Said:
    items: list[Any]

    @property
    def blocks(self) -> list[np.ndarray]:
        return [item for item in self.items if isinstance(item, np.ndarray)]

    @property
    def tokens(self) -> list[int]:
        return tokens_in(self.blocks)

    @property
    def verdicts(self) -> list[str]:
        return [
            item["verdict"] for item in self.items if isinstance(item, dict) and "verdict" in item
        ]

    @property
    def account(self) -> dict[str, Any]:
        account: dict[str, Any] = self.items[-1]["account"]
        return account


def first_bad(name: str, times: int = 1) -> Script:
    """A stored fault the first `times`, then healthy speech of what is asked for."""
    return lambda text, time: read(name) if time <= times else healthy(text, time)


def open_model(progress: object, **arguments: Any) -> Chatterbox:
    """The factory of a worker: a "tail" is what follows the first of the texts that ask for one."""
    asked = 0

    def script(text: str, time: int) -> Stream:
        nonlocal asked
        asked += text == TEXT
        return read("tail") if asked == 1 and text == TEXT else healthy(text, time)

    return Bench(script, watermark=Mark()).model
