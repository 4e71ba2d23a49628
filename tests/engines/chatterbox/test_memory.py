"""The memory that Chatterbox is counted to need, and what is said where it does not fit."""

import pytest

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox.memory import GB, budget, chosen
from ultraandchat.engines.chatterbox.variants import MULTILINGUAL, ORIGINAL, TURBO, VARIANTS


def test_turbo_fits_beside_an_8b_in_24_gb() -> None:
    assert 3 * GB < budget(TURBO, "bf16", 1).total < budget(TURBO, "bf16", 4).total < 4.5 * GB


def test_a_clause_of_the_guided_takes_two_rows() -> None:
    one = budget(ORIGINAL, "bf16", 2).cache - budget(ORIGINAL, "bf16", 1).cache
    assert one == 2 * 1536 * 2 * 30 * 1024 * 2
    assert (
        budget(TURBO, "bf16", 2).cache - budget(TURBO, "bf16", 1).cache == 1536 * 2 * 24 * 1024 * 2
    )


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=lambda variant: variant.name)
def test_fp32_doubles_what_writes_and_leaves_what_sounds(variant: object) -> None:
    half, whole = (budget(variant, precision, 4) for precision in ("bf16", "fp32"))  # type: ignore[arg-type]
    assert whole.cache == 2 * half.cache
    assert half.weights < whole.weights < 2 * half.weights
    assert (whole.work, whole.overhead) == (half.work, half.overhead)


def test_auto_is_bf16() -> None:
    assert chosen(TURBO, "auto", 4, 8 * GB) == "bf16"
    assert chosen(TURBO, "fp32", 4, 8 * GB) == "fp32"


@pytest.mark.parametrize(
    ("variant", "precision", "slots", "free", "beside", "remedy"),
    [
        (TURBO, "auto", 8, 4.5, 0, "Set engines.chatterbox.slots=2: that needs"),
        (TURBO, "fp32", 4, 4.3, 0, "Set engines.chatterbox.precision=bf16: that needs"),
        (ORIGINAL, "auto", 8, 4.6, 0, "Set engines.chatterbox.slots=2: that needs"),
        (MULTILINGUAL, "auto", 1, 3.6, 0, "Set engines.chatterbox.variant=turbo: that needs"),
        (TURBO, "auto", 4, 2, 0, "No Chatterbox fits into 2.0 GB: free the GPU, or set"),
        (TURBO, "auto", 4, 16, 14, "No Chatterbox fits into 2.0 GB: free the GPU, or set"),
    ],
)
def test_a_refusal_names_the_least_change_that_fits(
    variant: object, precision: str, slots: int, free: float, beside: float, remedy: str
) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        chosen(variant, precision, slots, int(free * GB), int(beside * GB))  # type: ignore[arg-type]
    assert caught.value.engine == "chatterbox"
    assert f"the GPU has {free:.1f} GB free," in caught.value.reason
    assert ("for Ultravox" in caught.value.reason) == (beside > 0)
    assert caught.value.remedy.startswith(remedy)
