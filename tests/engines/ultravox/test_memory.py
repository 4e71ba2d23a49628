"""The memory that is counted, against the sizes of the released checkpoints (models.md, A1)."""

import re
from pathlib import Path

import pytest

from tests.engines.ultravox.support import CHECKPOINTS
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox import memory as chatterbox
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.chatterbox.variants import TURBO as VOICE
from ultraandchat.engines.chatterbox.variants import VARIANTS, Variant
from ultraandchat.engines.ultravox.checkpoint import Checkpoint
from ultraandchat.engines.ultravox.memory import (
    GB,
    LLAMA_1B,
    SMALLEST,
    TURBO,
    Known,
    Precision,
    budget,
    cache_bytes_per_token,
    chosen,
    encoder_parameters,
    language_bytes,
    projector_parameters,
)
from ultraandchat.engines.ultravox.settings import UltravoxSettings
from ultraandchat.engines.ultravox.shapes import AudioShape, ProjectorShape, TextShape, text_shape

DOCUMENT = (Path(__file__).parents[3] / "docs/deploy/gpu.md").read_text()
PRECISIONS: tuple[Precision, ...] = ("bf16", "int8")

MEDIUM = AudioShape(mel_bins=80, width=1024, layers=24, heads=16, inner=4096, positions=1500)
LLAMA_8B = TextShape("llama", 128_256, 4096, 32, 32, 8, 128, 14_336, False, 131_072)
LLAMA_70B = TextShape("llama", 128_256, 8192, 80, 64, 8, 128, 28_672, False, 131_072)
GEMMA_27B = TextShape("gemma3_text", 262_208, 5376, 62, 32, 16, 128, 21_504, True, 131_072)
QWEN_32B = TextShape("qwen3", 151_936, 5120, 64, 64, 8, 128, 25_600, False, 40_960)
V06_8B = Known("v0.6", TURBO, ProjectorShape(8, 4096, True), LLAMA_8B)


RELEASES = {
    "fixie-ai/ultravox-v0_5-llama-3_2-1b": SMALLEST,
    "fixie-ai/ultravox-v0_6-llama-3_1-8b": V06_8B,
    "fixie-ai/ultravox-v0_6-gemma-3-27b": Known(
        "", TURBO, ProjectorShape(8, 4096, True), GEMMA_27B
    ),
    "fixie-ai/ultravox-v0_6-qwen-3-32b": Known("", TURBO, ProjectorShape(8, 4096, True), QWEN_32B),
    "fixie-ai/ultravox-v0_6-llama-3_3-70b": Known(
        "", TURBO, ProjectorShape(8, 4096, True), LLAMA_70B
    ),
}


@pytest.mark.parametrize("name", RELEASES)
def test_the_document_says_what_is_counted(name: str) -> None:
    """Weights, all of it, and that with Chatterbox beside it; in both precisions, as the settings are."""
    row = next(line for line in DOCUMENT.splitlines() if line.startswith(f"| `{name}`"))
    release, settings = RELEASES[name], UltravoxSettings()
    assert release.text is not None
    voice = chatterbox.budget(VOICE, "bf16", ChatterboxSettings().slots).total
    counted = []
    for precision in PRECISIONS:
        whole = budget(release, precision, settings.window, settings.slots).total
        counted += [language_bytes(release.text, precision), whole, whole + voice]
    assert re.findall(r"([\d.]+) GB", row) == [f"{count / GB:.1f}" for count in counted]


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_the_document_says_what_is_counted_of_chatterbox(variant: Variant) -> None:
    """Weights in bf16, and all of it in both precisions."""
    row = next(
        line for line in DOCUMENT.splitlines() if re.match(rf"\| `{variant.name}` .* GB", line)
    )
    slots = ChatterboxSettings().slots
    half, whole = (chatterbox.budget(variant, precision, slots) for precision in ("bf16", "fp32"))
    counted = [half.weights, half.total, whole.total]
    assert re.findall(r"([\d.]+) GB", row) == [f"{count / GB:.1f}" for count in counted]


@pytest.mark.parametrize(
    ("text", "gigabytes"),
    [(LLAMA_8B, 16.1), (LLAMA_1B, 2.5), (GEMMA_27B, 54), (QWEN_32B, 65), (LLAMA_70B, 141)],
    ids=["8B", "1B", "27B", "32B", "70B"],
)
def test_weights_are_as_large_as_published(text: TextShape, gigabytes: float) -> None:
    assert language_bytes(text, "bf16") / GB == pytest.approx(gigabytes, rel=0.012)


def test_eight_bits_halve_the_layers_but_not_the_tables() -> None:
    tables = 2 * 2 * 128_256 * 4096
    layers = language_bytes(LLAMA_8B, "bf16") - tables
    assert language_bytes(LLAMA_8B, "int8") - tables == pytest.approx(layers / 2, rel=0.001)


def test_a_token_of_an_8b_takes_128_kib_of_keys_and_values() -> None:
    assert cache_bytes_per_token(LLAMA_8B, "bf16") == 128 * 1024
    assert budget(V06_8B, "bf16", 4096, 1).cache == 2**29


def test_the_ears_are_as_large_as_published() -> None:
    def size(audio: AudioShape, projector: ProjectorShape) -> float:
        numbers = encoder_parameters(audio) + projector_parameters(projector, audio, LLAMA_8B)
        return 2 * numbers / GB

    assert encoder_parameters(MEDIUM) / 1e6 == pytest.approx(307, rel=0.012)
    assert encoder_parameters(TURBO) / 1e6 == pytest.approx(637, rel=0.012)
    assert size(MEDIUM, ProjectorShape(8, 4096, False)) == pytest.approx(0.7, abs=0.05)
    assert size(TURBO, ProjectorShape(8, 4096, True)) == pytest.approx(1.4, abs=0.05)


@pytest.mark.parametrize("folder", CHECKPOINTS, ids=lambda folder: folder.name)
def test_what_is_counted_is_what_the_files_hold(folder: object) -> None:
    checkpoint = Checkpoint.read(folder)  # type: ignore[arg-type]
    counted = budget(checkpoint, "fp32", 256, 1)
    held = {
        "language": checkpoint.language_tensors,
        "ears": {**checkpoint.encoder_tensors, **checkpoint.projector_tensors},
    }
    for part, tensors in held.items():
        numbers = 0
        for tensor in tensors.values():
            product = 1
            for size in tensor.shape:
                product *= size
            numbers += product
        assert getattr(counted, part) == 4 * numbers


def test_auto_is_bf16_where_it_fits_else_int8() -> None:
    assert chosen(V06_8B, "auto", 4096, 4, 24 * GB).precision == "bf16"
    assert chosen(V06_8B, "auto", 4096, 4, 16 * GB).precision == "int8"


@pytest.mark.parametrize(
    ("precision", "window", "slots", "free", "remedy"),
    [
        ("bf16", 4096, 4, 16, "Set engines.ultravox.precision=int8: that needs"),
        ("int8", 4096, 16, 15, "Set engines.ultravox.slots=1: that needs"),
        (
            "auto", 16_384, 8, 13.5,
            "Set engines.ultravox.slots=1 and engines.ultravox.window=4096: that needs",
        ),
        (
            "auto", 4096, 4, 8,
            "Set engines.ultravox.checkpoint=fixie-ai/ultravox-v0_5-llama-3_2-1b and"
            " engines.ultravox.precision=bf16: that needs",
        ),
        ("auto", 4096, 4, 2, "No released checkpoint fits into 2.0 GB"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_least_change_that_fits(
    precision: str, window: int, slots: int, free: float, remedy: str
) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        chosen(V06_8B, precision, window, slots, int(free * GB))  # type: ignore[arg-type]
    assert f"the GPU has {free:.1f} GB free, and it needs" in caught.value.reason
    assert caught.value.remedy.startswith(remedy)


def test_the_smallest_release_fits_a_small_card() -> None:
    assert budget(SMALLEST, "bf16", 4096, 4).total < 8 * GB


def test_gemma_says_little_of_itself_and_is_counted_all_the_same() -> None:
    """google/gemma-3-27b-it's text_config as it is published: the rest is the class's own."""
    config = {
        "model_type": "gemma3_text", "head_dim": 128, "hidden_size": 5376,
        "intermediate_size": 21_504, "num_attention_heads": 32, "num_hidden_layers": 62,
        "num_key_value_heads": 16,
    }  # fmt: skip
    assert text_shape(config) == GEMMA_27B
