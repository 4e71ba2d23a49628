"""What Chatterbox lacks in an interpreter, told with the one command that mends it."""

import tomllib
from pathlib import Path

import pytest

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox.fitness import (
    EXTRA,
    NEEDED,
    NO_DEPS,
    SETUPTOOLS_END,
    WITHOUT_PINS,
    require,
)

ROOT = Path(__file__).parents[3]

WHOLE = dict.fromkeys(NEEDED, "9999.0") | dict(WITHOUT_PINS) | {"setuptools": "80.10.2"}


def test_with_everything_it_is_content() -> None:
    require(WHOLE)


@pytest.mark.parametrize("name", NEEDED)
def test_what_the_extra_lacks_is_named_with_its_command(name: str) -> None:
    for versions in ({**WHOLE, name: "0.0.1"}, {n: v for n, v in WHOLE.items() if n != name}):
        with pytest.raises(EngineUnavailable, match=name) as caught:
            require(versions)
        assert 'pip install "ultraandchat[gpu]"' in caught.value.remedy


@pytest.mark.parametrize("name", WITHOUT_PINS)
def test_the_four_without_pins_are_wanted_in_one_version(name: str) -> None:
    for versions in ({**WHOLE, name: "0.0.1"}, {n: v for n, v in WHOLE.items() if n != name}):
        with pytest.raises(EngineUnavailable, match=name) as caught:
            require(versions)
        assert "pip install --no-deps chatterbox-tts==0.1.7" in caught.value.remedy


def test_two_that_lack_are_both_named() -> None:
    with pytest.raises(EngineUnavailable) as caught:
        require({n: v for n, v in WHOLE.items() if n not in {"torch", "transformers"}})
    assert "torch and transformers are not installed" in caught.value.reason


def test_where_nothing_is_installed_one_command_brings_all_of_it() -> None:
    with pytest.raises(EngineUnavailable) as caught:
        require({"setuptools": "80.9.0"})
    assert "most of what it is made of is not installed" in caught.value.reason
    assert caught.value.remedy == f"{EXTRA} && {NO_DEPS}"


@pytest.mark.parametrize("version", ["81.0.0", "84.1", None])
def test_setuptools_without_pkg_resources_is_refused(version: str | None) -> None:
    versions = {name: found for name, found in WHOLE.items() if name != "setuptools"}
    with pytest.raises(EngineUnavailable, match="setuptools") as caught:
        require(versions if version is None else {**versions, "setuptools": version})
    assert caught.value.remedy == 'pip install "setuptools<81"'


def test_the_project_asks_for_the_same() -> None:
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = " ".join(extra["optional-dependencies"]["gpu"])
    for name, oldest in NEEDED.items():
        assert f"{name}>={'.'.join(map(str, oldest))}" in asked
    assert f"<{SETUPTOOLS_END}" in asked
    lines = (ROOT / "chatterbox-requirements.txt").read_text().splitlines()
    assert NO_DEPS.split()[3:] == [line for line in lines if line and not line.startswith("#")]
