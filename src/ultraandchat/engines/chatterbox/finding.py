"""Looks for heads that align, by speaking two sentences and reading T3's attention to them.

For a release of which no heads are published. It takes some hundred passes of T3, once, while the model loads.
"""

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from ultraandchat.engines.chatterbox.alignment import aligned_heads
from ultraandchat.engines.chatterbox.guard import GO, Guard
from ultraandchat.engines.chatterbox.roles import PreparedVoice, Taste, Token, Tokenizer
from ultraandchat.engines.chatterbox.variants import STOP_TOKEN

log = logging.getLogger("ultraandchat.chatterbox")

SENTENCES = (
    "The quick brown fox jumps over the lazy dog, and nobody in the village seems to mind it.",
    "We left the house at half past seven this morning, because the train would not wait for us.",
)
"""Each some five seconds. A head must align in both: what does so by chance does it once."""

TRIES = 2
"""Of each sentence: the model may err."""


class Telling(Protocol):
    """A `Writer` that also tells where it looked."""

    def write(
        self, voice: PreparedVoice, text: Sequence[int], taste: Taste, seed: int
    ) -> Iterator[Token]: ...

    def attention(
        self, voice: PreparedVoice, text: Sequence[int], tokens: Sequence[int]
    ) -> npt.NDArray[np.float32]:
        """(layers, heads, tokens, text)."""
        ...


def find_heads(
    writer: Telling, tokenizer: Tokenizer, voice: PreparedVoice, taste: Taste
) -> tuple[tuple[int, int], ...]:
    """(layer, head) of those that align in every sentence, the best first; empty where none does."""
    agreed: list[tuple[int, int]] | None = None
    for sentence in SENTENCES:
        found = _heads_of(writer, tokenizer, voice, taste, sentence)
        agreed = list(found) if agreed is None else [head for head in agreed if head in found]
        if not agreed:
            break
    log.info("heads that align with the text: %s", agreed or "none")
    return tuple(agreed or ())


def _heads_of(
    writer: Telling, tokenizer: Tokenizer, voice: PreparedVoice, taste: Taste, sentence: str
) -> tuple[tuple[int, int], ...]:
    text = tokenizer(sentence, "en")
    for seed in range(TRIES):
        spoken = _spoken(writer.write(voice, text, taste, seed), Guard(sentence, len(text)))
        if spoken and (found := aligned_heads(writer.attention(voice, text, spoken))):
            return found
    return ()


def _spoken(writing: Iterator[Token], guard: Guard) -> list[int]:
    """The tokens of a healthy utterance; none of another."""
    spoken: list[int] = []
    # By its contract a generator: closed, it frees its place.
    with closing(cast("Generator[Token, None, None]", writing)):
        for token in writing:
            if guard.saw(token) is not GO:
                break
            if token.number == STOP_TOKEN:
                return spoken
            spoken.append(token.number)
    return []
