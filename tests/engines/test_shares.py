"""One GPU for two models: both fit, or one of them is smaller, or gives way, and the words say why."""

import importlib.metadata
from typing import Any

import pytest

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox import memory as chatterbox_memory
from ultraandchat.engines.chatterbox.fitness import NEEDED, WITHOUT_PINS
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.chatterbox.variants import TURBO
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.shares import Shares, for_chatterbox, shares
from ultraandchat.engines.ultravox import memory
from ultraandchat.engines.ultravox.parts import USUAL
from ultraandchat.engines.ultravox.settings import UltravoxSettings

GB = 10**9
BOTH = EnginesConfig(chatterbox=ChatterboxSettings(python="/opt/gpu/bin/python"))
VOICE = chatterbox_memory.budget(TURBO, "bf16", BOTH.chatterbox.slots).total


def of(config: EnginesConfig, free: float | None) -> Shares:
    return shares(config, "ultravox", "chatterbox", None if free is None else int(free * GB))


def ultravox(precision: Any) -> memory.Budget:
    return memory.budget(USUAL, precision, UltravoxSettings().window, UltravoxSettings().slots)


def chooses(config: EnginesConfig, free: float) -> str:
    """The precision of Ultravox with its share."""
    share = of(config, free).ultravox
    beside = int(free * GB) - share if share else 0
    return memory.chosen(USUAL, "auto", 4096, 4, int(free * GB), beside).precision


def test_on_a_large_card_both_have_what_they_need() -> None:
    found = of(BOTH, 80)
    assert found.ultravox == 80 * GB - VOICE
    assert found.chatterbox == 80 * GB - ultravox("bf16").total


def test_ultravox_is_smaller_where_both_fit_only_so() -> None:
    assert chooses(BOTH, 24) == "int8"  # 21.1 GB and 4.0 are more than 24
    assert chooses(BOTH, 26) == "bf16"
    assert of(BOTH, 24).chatterbox >= VOICE


def test_where_not_both_fit_the_voice_gives_way_unless_it_was_asked_for() -> None:
    found = of(BOTH, 16)
    assert found.ultravox == 16 * GB
    with pytest.raises(EngineUnavailable, match=r"of which 14\.2 GB are for Ultravox"):
        chatterbox_memory.chosen(TURBO, "auto", 4, 16 * GB, 16 * GB - found.chatterbox)
    asked = EnginesConfig(chatterbox=BOTH.chatterbox, speech="chatterbox")
    found = of(asked, 16)
    assert found.chatterbox == VOICE
    with pytest.raises(EngineUnavailable, match=r"of which 4\.0 GB are for Chatterbox"):
        memory.chosen(USUAL, "auto", 4096, 4, 16 * GB, 16 * GB - found.ultravox)


@pytest.mark.parametrize(
    ("config", "language", "speech", "free"),
    [
        (BOTH, "skills", "chatterbox", 80 * GB),
        (BOTH, "ultravox", "flite", 80 * GB),
        (BOTH, "ultravox", "chatterbox", None),
        (
            EnginesConfig(chatterbox=ChatterboxSettings(python="p", device="cuda:1")),
            "ultravox", "chatterbox", 80 * GB,
        ),
        (
            EnginesConfig(chatterbox=ChatterboxSettings(python="p", device="cpu")),
            "ultravox", "chatterbox", 80 * GB,
        ),
        (
            EnginesConfig(chatterbox=BOTH.chatterbox, ultravox=UltravoxSettings(device="cpu")),
            "ultravox", "chatterbox", 80 * GB,
        ),
    ],
)  # fmt: skip
def test_who_is_alone_on_its_device_has_all_of_it(
    config: EnginesConfig, language: str, speech: str, free: int | None
) -> None:
    assert shares(config, language, speech, free) == Shares()


def test_the_first_gpu_has_three_names() -> None:
    for device in ("auto", "cuda", "cuda:0"):
        config = EnginesConfig(chatterbox=ChatterboxSettings(python="p", device=device))
        assert for_chatterbox(config, "chatterbox") == VOICE


def test_nothing_is_kept_for_a_voice_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = dict.fromkeys(NEEDED, "9999") | dict(WITHOUT_PINS) | {"setuptools": "80"}
    monkeypatch.setattr(importlib.metadata, "version", lambda name: versions[name])
    assert for_chatterbox(EnginesConfig(), "chatterbox") == VOICE
    versions["setuptools"] = "84"
    assert for_chatterbox(EnginesConfig(), "chatterbox") == 0
