"""Chatterbox's parts without a model: tokens as they are told, and sound that shows which tokens it is of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.support.token_streams import Stream, spoken
from ultraandchat.audio.frame import Samples
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.roles import PreparedVoice, Taste, Token
from ultraandchat.engines.chatterbox.uttering import LEAD
from ultraandchat.engines.chatterbox.variants import SILENCE_TOKEN, SPEECH_TOKENS, STOP_TOKEN

PER_TOKEN = 960
"""Samples."""

Script = Callable[[str, int], Stream]
"""Which stream is written for a text, the how manieth time anything is."""


def healthy(text: str, time: int, *, placed: bool = True) -> Stream:
    """15 letters a second."""
    return spoken(f"{text}{time}", text, max(len(text) / 15, 0.6), placed=placed)


def tokenize(text: str, language: str) -> list[int]:
    """Two characters are a token; the numbers are the text."""
    even = text + " " * (len(text) % 2)
    return [ord(a) * 0x110000 + ord(b) for a, b in zip(even[::2], even[1::2], strict=True)]


def text_of(numbers: Sequence[int]) -> str:
    return "".join(chr(each // 0x110000) + chr(each % 0x110000) for each in numbers).rstrip()


@dataclass
class Writes:
    """A `Writer`."""

    script: Script = healthy
    texts: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    tastes: list[Taste] = field(default_factory=list)
    begun: list[Iterator[Token]] = field(default_factory=list)
    open: int = 0
    """Utterances that hold a place now."""
    passes: int = 0

    def write(
        self, voice: PreparedVoice, text: Sequence[int], taste: Taste, seed: int
    ) -> Iterator[Token]:
        self.texts.append(text_of(text))
        self.seeds.append(seed)
        self.tastes.append(taste)
        # Kept, so that nothing but closing frees it.
        self.begun.append(self._write(self.script(text_of(text), len(self.texts))))
        return self.begun[-1]

    def _write(self, stream: Stream) -> Iterator[Token]:
        self.open += 1
        try:
            for token in stream.tokens():
                self.passes += 1
                yield token
        finally:
            self.open -= 1


class Sounds:
    """A `Sounding`: each token is 960 samples of its own level, in blocks of 10, 25, 25 … with 3 ahead."""

    def __init__(self) -> None:
        self.fed: list[int] = []
        self.made = 0
        self.passes = 0
        self.cut: bool | None = None

    def feed(self, tokens: Sequence[int]) -> None:
        assert self.cut is None, "fed after its end"
        assert all(0 <= token < SPEECH_TOKENS for token in tokens)
        self.fed += tokens

    @property
    def _size(self) -> int:
        return 25 if self.made else 10

    @property
    def ready(self) -> bool:
        return len(self.fed) >= self.made + self._size + 3

    def block(self) -> Samples:
        assert self.ready
        return self._sound(self._size)

    def rest(self, *, cut: bool = False) -> Iterator[Samples]:
        self.cut = cut
        while self.made < len(self.fed):
            yield self._sound(min(25, len(self.fed) - self.made))

    def _sound(self, count: int) -> Samples:
        tokens = self.fed[self.made : self.made + count]
        self.made += count
        self.passes += 1
        return np.repeat(np.array(tokens, np.float32) / 2**14, PER_TOKEN)


@dataclass
class Sounder:
    opened: list[Sounds] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)

    def open(self, voice: PreparedVoice, seed: int, speed: float) -> Sounds:
        self.opened.append(Sounds())
        self.seeds.append(seed)
        self.speeds.append(speed)
        return self.opened[-1]


@dataclass
class Keeps:
    """`Voices`."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def get(self, name: str, clip: str) -> PreparedVoice:
        self.asked.append((name, clip))
        if "bad" in clip:
            raise EngineError("chatterbox", "the clip is too short")
        return PreparedVoice(name, f"digest of {name}", {}, {})


class Mark:
    """`Watermark` and `Marking`: a sample of each block is 1."""

    def __init__(self) -> None:
        self.opened = 0

    def open(self) -> "Mark":
        self.opened += 1
        return self

    def mark(self, block: Samples) -> Samples:
        marked = block.copy()
        marked[0] = 1.0
        return marked


def tokens_in(blocks: Sequence[np.ndarray]) -> list[int]:
    """Of unmarked blocks as they were handed out."""
    if not blocks:
        return []
    sound = np.concatenate(blocks)[::PER_TOKEN].astype(np.float64) / 32767
    return [round(level * 2**14) for level in sound]


def audible(stream: Stream) -> list[int]:
    """Its tokens without the stop, and without most of the silence that it begins with."""
    numbers = [number for number in stream.numbers if number != STOP_TOKEN]
    first = next((at for at, number in enumerate(numbers) if number != SILENCE_TOKEN), 0)
    return numbers[max(0, first - LEAD) :]
