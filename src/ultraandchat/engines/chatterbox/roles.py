"""What the parts of the worker's model promise each other. No torch: tests put other parts in their places.

Text → `Writer` (T3) → speech tokens → `Guard` → `Sounder` (S3Gen, HiFT) → sound → watermark. All of it is stepped
by one thread, in turns with other conversations: each `next` is one pass of a model and nothing more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ultraandchat.audio.frame import Samples


@dataclass(frozen=True, slots=True)
class Taste:
    """How freely a clause is spoken; `Variant` has each release's own numbers."""

    temperature: float
    top_k: int
    """0: all."""
    top_p: float
    min_p: float
    repetition_penalty: float
    guidance: float
    """Of variants that are guided; 0: none."""
    exaggeration: float
    """Of variants that are emotional."""


@dataclass(frozen=True, slots=True)
class PreparedVoice:
    """A reference clip as the models know it; made once. The tensors' shapes are those of chatterbox-tts 0.1.7."""

    name: str
    digest: str
    """Of clip, variant and way of preparing: the same digest is the same voice, bit for bit."""
    writer: dict[str, Any]
    """`T3Cond`'s tensors, on the device: speaker_emb (1, 256), cond_prompt_speech_tokens (1, 150 or up to 375)."""
    sounder: dict[str, Any]
    """`S3Gen.inference`'s `ref_dict`, on the device."""


class Token(NamedTuple):
    """One speech token as it is written: 40 ms."""

    number: int
    """Below `SPEECH_TOKENS`, or `STOP_TOKEN`, which is the last."""
    entropy: float
    """Nats, of the (guided) distribution at temperature 1, before any truncation."""
    position: float | None
    """Which of the text's tokens it speaks, from 0, as the aligned heads attend; none where none are known."""


class Writer(Protocol):
    """T3: text into speech tokens."""

    def write(
        self, voice: PreparedVoice, text: Sequence[int], taste: Taste, seed: int
    ) -> Iterator[Token]:
        """The clause's tokens, to `STOP_TOKEN` or the end of the window; one pass for each, the prefill among
        the first's. `text` are the tokenizer's numbers, without start and stop. Closing it frees its place."""
        ...


class Sounding(Protocol):
    """One clause's sound in the making."""

    def feed(self, tokens: Sequence[int]) -> None:
        """More speech tokens, all below `SPEECH_TOKENS`. Computes nothing."""
        ...

    @property
    def ready(self) -> bool:
        """Whether enough tokens are there for the next block."""
        ...

    def block(self) -> Samples:
        """The next block, at `RATE`. Only when `ready`."""
        ...

    def rest(self, *, cut: bool = False) -> Iterator[Samples]:
        """No token comes any more: what is left. `cut`: the clause was cut short, so it ends in a short fade."""
        ...


class Sounder(Protocol):
    """S3Gen and its vocoder: speech tokens into sound."""

    def open(self, voice: PreparedVoice, seed: int, speed: float) -> Sounding: ...


class Tokenizer(Protocol):
    """Text into the numbers that T3 reads."""

    def __call__(self, text: str, language: str) -> list[int]: ...


class Voices(Protocol):
    """Reference clips, prepared once and kept."""

    def get(self, name: str, clip: str) -> PreparedVoice:
        """The voice of the file `clip`; of an empty one the checkpoint's own. `EngineError` where it cannot serve."""
        ...


class Marking(Protocol):
    """One reply's watermark in the making."""

    def mark(self, block: Samples) -> Samples:
        """The same block, marked; as long as it was, and without a jump to the one before."""
        ...


class Watermark(Protocol):
    """What says of sound that a machine made it."""

    def open(self) -> Marking: ...
