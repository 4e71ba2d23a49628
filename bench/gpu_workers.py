"""What the models' processes open for `bench.gpu`: full size and random numbers, or tiny ones.

The arguments are those that the server's own factories get; `checkpoint` is `FULL` or `TINY`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from bench import gpu_voice
from bench.gpu_model import Words, made, sizes
from ultraandchat.engines.chatterbox.speaking import Chatterbox
from ultraandchat.engines.ultravox.ultravox import Ultravox
from ultraandchat.engines.worker_wire import Progress, Stop

FULL, TINY = "random numbers", "tiny random numbers"
SENTENCE = 8
"""Words of each sentence, one a token: what is said first is as long as people's first clauses are."""


class Spaced(Words):
    """Tokens are words of four letters with a space before; marks between them are none of it."""

    def encode(self, text: str, add_special_tokens: bool = False) -> list[int]:
        return [self._number(word.rstrip(".")) for word in text.split()]

    def _word(self, token: int) -> str:
        return f" {super()._word(token)}"


class Sentences:
    """Ultravox, which of random numbers writes no marks: here every eighth word ends a sentence."""

    def __init__(self, model: Ultravox) -> None:
        self._model = model

    def prepare(self, stop: Stop, request: dict[str, Any]) -> Iterator[Any]:
        return self._model.prepare(stop, request)

    def respond(self, stop: Stop, request: dict[str, Any]) -> Iterator[Any]:
        words = 0
        for item in self._model.respond(stop, request):
            if isinstance(item, str):
                words += item.count(" ")
                yield f"{item}." if words and words % SENTENCE == 0 else item
            else:
                yield item


def open_ultravox(
    progress: Progress,
    *,
    checkpoint: str,
    device: str,
    precision: Any,
    window: int,
    slots: int,
    graph: bool,
    **of_the_hub: Any,
) -> Sentences:
    """Ultravox, warm."""
    _on(device, checkpoint)
    loaded = made(sizes(checkpoint == TINY), device, precision)
    loaded = replace(loaded, tokenizer=Spaced(loaded.language.config.vocab_size))
    model = Ultravox(loaded, window=window, slots=slots, graph=graph, progress=progress)
    return Sentences(model)


def open_chatterbox(
    progress: Progress,
    *,
    checkpoint: str,
    device: str,
    precision: str,
    slots: int,
    graph: bool,
    **of_the_hub: Any,
) -> Chatterbox:
    """Chatterbox Turbo, warm."""
    _on(device, checkpoint)
    tiny = checkpoint == TINY
    t3, s3gen = gpu_voice.made(device, precision, tiny=tiny)
    voice = gpu_voice.voice(device, tiny=tiny)
    mark = gpu_voice.marking(device, tiny=tiny)
    return gpu_voice.opened(t3, s3gen, voice, mark, slots=slots, graph=graph, progress=progress)


def _on(device: str, checkpoint: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.set_device(torch.device(device))
    if checkpoint == TINY:
        torch.set_num_threads(1)
