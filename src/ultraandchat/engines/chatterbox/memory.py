"""How much memory of the GPU a Chatterbox needs, counted before anything is loaded.

Weights are exact (tests/models/chatterbox/test_memory_sizes.py counts the package's modules), and so are keys and
values. What a pass needs while it runs, what CUDA and what its graphs take are estimates that were not measured.
Pure arithmetic, no torch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox.variants import (
    ENGINE,
    TURBO,
    VARIANTS,
    WINDOW,
    Variant,
    VariantName,
)

Precision: TypeAlias = Literal["bf16", "fp32"]

WIDTH = {"bf16": 2, "fp32": 4}
"""Bytes of one number of T3."""

WRITES: dict[VariantName, int] = {
    "turbo": 427_380_131,
    "original": 532_405_248,
    "multilingual": 535_989_248,
}
"""Parameters of T3; Turbo's without the word embedding that it does not use."""

SOUNDS: dict[VariantName, int] = {
    "turbo": 135_467_807,
    "original": 133_370_655,
    "multilingual": 133_370_655,
}
"""Of S3Gen's flow and vocoder, in float32."""

HEARS = 131_986_730
"""Of what prepares a voice, in float32, on the GPU for that second only: tokenizer and two speaker encoders."""

MARKS = 9_346_694
"""Of Perth's watermark, in float32."""

LAYERS: dict[VariantName, int] = {"turbo": 24, "original": 30, "multilingual": 30}

HIDDEN = 1024
"""Numbers of a key, and of a value, in each layer."""

VOICES: dict[VariantName, int] = {"turbo": 376, "original": 34, "multilingual": 34}
"""Positions of a voice's prefix."""

VOICES_KEPT = 8
"""Prefixes that are kept (`prefix.py`)."""

SOUNDING = 400 * 2**20
"""Bytes that the widest pass of S3Gen takes while it runs: 700 frames, guided in two rows. An estimate."""

PREPARING = 150 * 2**20
"""Bytes that preparing a voice takes beside its weights: 15 s of sound. An estimate."""

CONTEXT = 700 * 2**20
"""Bytes that CUDA and its libraries take before the first tensor. An estimate, as for Ultravox."""

ALLOCATOR = 100 * 2**20
"""Bytes that the allocator cannot give back. An estimate."""

GRAPH: dict[VariantName, int] = {
    "turbo": 6 * 2**20,
    "original": 15 * 2**20,
    "multilingual": 15 * 2**20,
}
"""Bytes of one recorded pass: some 600 kernels of Turbo, 1500 of the others. An estimate."""

REACHES = 3
"""Passes are recorded for the next of 512, 1024 and 1536 positions, in two kinds, for each slot and each number of
rows."""

GB = 10**9


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes, by what they are for."""

    variant: VariantName
    precision: Precision
    slots: int
    weights: int
    cache: int
    """Keys and values: every slot has a whole window, and the last voices their prefixes."""
    work: int
    """Of the widest pass, or of preparing a voice: one thread does both."""
    overhead: int
    """CUDA itself, and recorded graphs."""

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.work + self.overhead

    def __str__(self) -> str:
        return (
            f"{_gb(self.total)}: {_gb(self.weights)} for Chatterbox {self.variant} in {self.precision},"
            f" {_gb(self.cache)} for {self.slots} {'clause' if self.slots == 1 else 'clauses'} at once,"
            f" {_gb(self.work + self.overhead)} to work in"
        )


def budget(variant: Variant, precision: Precision, slots: int) -> Budget:
    """What it needs on a GPU, graphs and watermark among it."""
    name, rows = variant.name, 2 if variant.guided else 1
    position = 2 * LAYERS[name] * HIDDEN * WIDTH[precision]
    return Budget(
        variant=name,
        precision=precision,
        slots=slots,
        weights=WIDTH[precision] * WRITES[name] + 4 * (SOUNDS[name] + MARKS),
        cache=position * (WINDOW * rows * slots + VOICES[name] * VOICES_KEPT),
        work=max(SOUNDING, 4 * HEARS + PREPARING),
        overhead=CONTEXT + ALLOCATOR + GRAPH[name] * 2 * REACHES * rows * slots,
    )


def chosen(
    variant: Variant, wish: Precision | Literal["auto"], slots: int, free: int, beside: int = 0
) -> Precision:
    """The precision to load T3 with on a GPU; "auto" is bf16. `EngineUnavailable` where that does not fit into
    `free` bytes less those `beside` it, which are Ultravox's, with what would."""
    precision: Precision = "bf16" if wish == "auto" else wish
    needed = budget(variant, precision, slots)
    if needed.total > free - beside:
        raise refusal(needed, free, beside)
    return precision


def refusal(needed: Budget, free: int, beside: int = 0) -> EngineUnavailable:
    """Why it cannot run in `free` bytes, `beside` of them Ultravox's, and the least change with which it can."""
    left = max(0, free - beside)
    shared = f" free, of which {_gb(beside)} are for Ultravox," if beside else " free,"
    return EngineUnavailable(
        ENGINE,
        f"the GPU has {_gb(free)}{shared} and it needs {needed}",
        next(
            (
                f"Set {settings}: that needs {_gb(other.total)}."
                for settings, other in _smaller(needed)
                if other.total <= left
            ),
            f"No Chatterbox fits into {_gb(left)}: free the GPU, or set engines.speech=flite.",
        ),
    )


def _smaller(needed: Budget) -> Iterator[tuple[str, Budget]]:
    """Ever smaller ways to run it: settings and budget."""
    for name in dict.fromkeys((needed.variant, TURBO.name)):
        for precision in dict.fromkeys((needed.precision, "bf16")):
            for slots in dict.fromkeys((needed.slots, 2, 1)):
                changes = {
                    f"engines.chatterbox.variant={name}": name != needed.variant,
                    f"engines.chatterbox.precision={precision}": precision != needed.precision,
                    f"engines.chatterbox.slots={slots}": slots < needed.slots,
                }
                settings = " and ".join(text for text, changed in changes.items() if changed)
                if settings and slots <= needed.slots:
                    yield settings, budget(VARIANTS[name], precision, slots)


def _gb(count: int) -> str:
    return f"{count / GB:.1f} GB"
