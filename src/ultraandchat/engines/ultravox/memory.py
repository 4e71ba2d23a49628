"""How much memory of the GPU an Ultravox needs, counted from its configuration before anything is loaded.

Weights, keys and values are exact; what a pass needs while it runs follows from its widest layers; what
CUDA and its graphs take is an estimate that was not measured. Pure arithmetic, no torch.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox.shapes import AudioShape, ProjectorShape, TextShape
from ultraandchat.engines.ultravox.tensors import ENGINE

Precision: TypeAlias = Literal["bf16", "int8", "fp32"]

WIDTH = {"bf16": 2, "int8": 2, "fp32": 4}
"""Bytes of one number in everything but int8's linear layers."""

EMBEDDING_TOKENS = 8192
"""Of sounds that are kept for the next turn: 22 minutes."""

PREFILL_TOKENS = 512
"""In one pass at most."""

ENCODER_STEPS = 12_000
"""In one pass at most: eight windows of 30 s."""

CONTEXT = 700 * 2**20
"""Bytes that CUDA and its libraries take before the first tensor. An estimate, not measured."""

ALLOCATOR = 100 * 2**20
"""Bytes that the allocator cannot give back. An estimate, not measured."""

GRAPH = 6 * 2**20
"""Bytes of one recorded pass: some 600 kernels. An estimate, not measured."""

SHORTEST_REACH = 512
"""Tokens. Passes are recorded for the next of 512, 1024, 2048 … and for the window, in two kinds, for each slot."""

GB = 10**9


class Sizes(Protocol):
    """What is counted: a `Checkpoint`, or a `Known` one that is not here."""

    @property
    def audio(self) -> AudioShape | None: ...
    @property
    def projector(self) -> ProjectorShape: ...
    @property
    def text(self) -> TextShape | None: ...


@dataclass(frozen=True, slots=True)
class Known:
    """A released checkpoint by its sizes."""

    name: str
    audio: AudioShape | None
    projector: ProjectorShape
    text: TextShape | None


TURBO = AudioShape(mel_bins=128, width=1280, layers=32, heads=20, inner=5120, positions=1500)
"""whisper-large-v3-turbo's encoder: v0.4.1 to v0.6."""

LLAMA_1B = TextShape(
    "llama", vocabulary=128_256, width=2048, layers=16, heads=32, kv_heads=8, head=64,
    inner=8192, tied=True, positions=131_072,
)  # fmt: skip

SMALLEST = Known(
    "fixie-ai/ultravox-v0_5-llama-3_2-1b", TURBO, ProjectorShape(8, 4096, True), LLAMA_1B
)
"""The smallest of the releases."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes, by what they are for."""

    precision: Precision
    window: int
    slots: int
    language: int
    """The language model's weights."""
    ears: int
    """The encoder's and the projector's."""
    cache: int
    """Keys and values: every slot has a whole window."""
    embeddings: int
    work: int
    """Of a pass, while it runs."""
    overhead: int
    """CUDA itself, and recorded graphs."""

    @property
    def total(self) -> int:
        return self.language + self.ears + self.cache + self.embeddings + self.work + self.overhead

    def __str__(self) -> str:
        return (
            f"{_gb(self.total)}: {_gb(self.language)} for the language model in {self.precision},"
            f" {_gb(self.ears)} for the encoder, {_gb(self.cache)} for {self.slots} windows of"
            f" {self.window} tokens, {_gb(self.embeddings + self.work + self.overhead)} to work in"
        )


def budget(checkpoint: Sizes, precision: Precision, window: int, slots: int) -> Budget:
    """What `checkpoint` needs on a GPU. `ValueError` for one whose parts are not all known."""
    text, audio = checkpoint.text, checkpoint.audio
    if text is None or audio is None:
        raise ValueError("a checkpoint without its language model or encoder cannot be counted")
    width = WIDTH[precision]
    pass_of_text = PREFILL_TOKENS * (4 * text.width + 3 * text.inner) + 4 * text.vocabulary
    pass_of_sound = ENCODER_STEPS * (4 * audio.width + 2 * audio.inner)
    # An int8 layer is unpacked for as long as it is multiplied with.
    unpacked = text.inner * text.width if precision == "int8" else 0
    return Budget(
        precision=precision,
        window=window,
        slots=slots,
        language=language_bytes(text, precision),
        ears=width
        * (encoder_parameters(audio) + projector_parameters(checkpoint.projector, audio, text)),
        cache=cache_bytes_per_token(text, precision) * window * slots,
        embeddings=EMBEDDING_TOKENS * text.width * width,
        work=width * (max(pass_of_text, pass_of_sound) + unpacked),
        overhead=CONTEXT + ALLOCATOR + GRAPH * recorded_passes(window, slots),
    )


def recorded_passes(window: int, slots: int) -> int:
    """CUDA graphs: one token's and a short stretch's, for each slot and reach."""
    reaches = 1
    while SHORTEST_REACH << (reaches - 1) < window:
        reaches += 1
    return 2 * reaches * slots


def language_bytes(text: TextShape, precision: Precision) -> int:
    """Of the language model's weights. int8 leaves the embedding and the output layer in bf16."""
    linear, rows, rest = _language_parameters(text)
    if precision == "int8":
        return linear + 2 * rows + 2 * rest
    return WIDTH[precision] * (linear + rest)


def cache_bytes_per_token(text: TextShape, precision: Precision) -> int:
    """Of keys and values: 128 KiB for Llama 3.1 8B in bf16."""
    return 2 * text.layers * text.kv_heads * text.head * WIDTH[precision]


def encoder_parameters(audio: AudioShape) -> int:
    return sum(math.prod(shape) for shape in audio.tensors().values())


def projector_parameters(projector: ProjectorShape, audio: AudioShape, text: TextShape) -> int:
    return sum(math.prod(shape) for shape in projector.tensors(audio.width, text.width).values())


def chosen(
    checkpoint: Sizes,
    precision: Precision | Literal["auto"],
    window: int,
    slots: int,
    free: int,
    beside: int = 0,
) -> Budget:
    """The budget to load with: "auto" is bf16 where it fits into `free` bytes, else int8. So many of those as
    `beside` says are left for Chatterbox.

    `EngineUnavailable` where that does not fit, with what would.
    """
    asked: tuple[Precision, ...] = ("bf16", "int8") if precision == "auto" else (precision,)
    budgets = [budget(checkpoint, each, window, slots) for each in asked]
    for each in budgets:
        if each.total <= free - beside:
            return each
    raise refusal(checkpoint, budgets[-1], free, beside)


def refusal(checkpoint: Sizes, needed: Budget, free: int, beside: int = 0) -> EngineUnavailable:
    """Why it cannot run in `free` bytes, `beside` of them for Chatterbox, and the least change with which it can."""
    left = max(0, free - beside)
    shared = f" free, of which {_gb(beside)} are for Chatterbox," if beside else " free,"
    return EngineUnavailable(
        ENGINE,
        f"the GPU has {_gb(free)}{shared} and it needs {needed}",
        next(
            (
                f"Set {settings}: that needs {_gb(other.total)}."
                for settings, other in _smaller(checkpoint, needed)
                if other.total <= left
            ),
            f"No released checkpoint fits into {_gb(left)}: free the GPU, or use a larger one.",
        ),
    )


def _smaller(checkpoint: Sizes, needed: Budget) -> Iterator[tuple[str, Budget]]:
    """Ever smaller ways to run it, and at last the smallest checkpoint: settings and budget."""
    precisions: list[Precision] = [needed.precision]
    if needed.precision != "int8":
        precisions.append("int8")
    windows = [needed.window, *(w for w in (4096, 2048, 1024) if w < needed.window)]
    sizes = [(needed.slots, needed.window), *((1, window) for window in windows)]
    for slots, window in sizes:
        for precision in precisions:
            changes = {
                f"engines.ultravox.precision={precision}": precision != needed.precision,
                f"engines.ultravox.slots={slots}": slots != needed.slots,
                f"engines.ultravox.window={window}": window != needed.window,
            }
            if any(changes.values()):
                settings = " and ".join(text for text, changed in changes.items() if changed)
                yield settings, budget(checkpoint, precision, window, slots)
    for slots, window in sizes:
        changes = {
            f"engines.ultravox.checkpoint={SMALLEST.name}": True,
            "engines.ultravox.precision=bf16": needed.precision != "bf16",
            f"engines.ultravox.slots={slots}": slots != needed.slots,
            f"engines.ultravox.window={window}": window != needed.window,
        }
        yield (
            " and ".join(text for text, changed in changes.items() if changed),
            budget(SMALLEST, "bf16", window, slots),
        )


def _language_parameters(text: TextShape) -> tuple[int, int, int]:
    """Numbers in its layers' matrices, rows of those, and numbers in everything else."""
    queries, keys = text.heads * text.head, text.kv_heads * text.head
    linear = text.layers * text.width * (2 * queries + 2 * keys + 3 * text.inner)
    rows = text.layers * (queries + 2 * keys + text.width + 2 * text.inner + text.width)
    norms = {
        "llama": 2 * text.width,
        "qwen3": 2 * text.width + 2 * text.head,
        "gemma3_text": 4 * text.width + 2 * text.head,
    }
    tables = text.vocabulary * text.width * (1 if text.tied else 2)
    return linear, rows, text.layers * norms[text.kind] + text.width + tables


def _gb(count: int) -> str:
    return f"{count / GB:.1f} GB"
