"""Whether an interpreter has what Chatterbox is made of, judged by the versions of installed packages.

chatterbox-tts pins torch 2.6, transformers 5.2 and numpy 1, and its code runs with newer ones, so it and three
packages like it are installed without their dependencies, and the extra `gpu` lists those that it really
imports (decision 36). Nothing is imported here: the server and its worker judge alike.
"""

import importlib.metadata
import platform
import re
from collections.abc import Mapping

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox.variants import ENGINE

WITHOUT_PINS: Mapping[str, str] = {
    "chatterbox-tts": "0.1.7",
    "resemble-perth": "1.0.1",
    "s3tokenizer": "0.3.0",
    "conformer": "0.3.2",
}
"""Exactly these: what is done with their classes was read in these versions."""

NEEDED: Mapping[str, tuple[int, ...]] = {
    "torch": (2, 9),
    "torchaudio": (2, 9),
    "transformers": (5, 18),
    "tokenizers": (0, 23, 1),
    "safetensors": (0, 8),
    "diffusers": (0, 35),
    "librosa": (0, 11),
    "omegaconf": (2, 3),
    "pyloudnorm": (0, 1, 1),
    "scipy": (1, 11),
    "einops": (0, 6, 1),
    "onnx": (1, 16),
    "PyYAML": (6,),
    "tqdm": (4, 66),
}
"""The oldest that will do, as the extra `gpu` asks for them."""

SETUPTOOLS_END = 81
"""From this version on it has no pkg_resources, without which resemble-perth's watermarker is silently None."""

EXTRA = 'pip install "ultraandchat[gpu]" -c constraints-gpu.txt'
NO_DEPS = "pip install --no-deps " + " ".join(f"{name}=={v}" for name, v in WITHOUT_PINS.items())
SETUPTOOLS = f'pip install "setuptools<{SETUPTOOLS_END}"'

MOST_NAMED = 3
"""Packages that are named where they lack."""

PACKAGES = (*WITHOUT_PINS, *NEEDED, "setuptools")
"""All whose versions are asked for."""


def installed() -> dict[str, str]:
    """The versions of `PACKAGES` in this interpreter, of those that are there. Imports nothing."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def require(versions: Mapping[str, str]) -> None:
    """`EngineUnavailable` unless these packages can make Chatterbox speak."""
    absent = [name for name in NEEDED if name not in versions]
    if absent:
        python = platform.python_version()
        named = (
            f"{', '.join(absent[:-1])} and {absent[-1]} are" if absent[1:] else f"{absent[0]} is"
        )
        what = named if len(absent) <= MOST_NAMED else "most of what it is made of is"
        remedy = EXTRA if WITHOUT_PINS.keys() <= versions.keys() else f"{EXTRA} && {NO_DEPS}"
        raise unfit(f"{what} not installed for Python {python}", remedy)
    for name, oldest in NEEDED.items():
        if _numbers(versions[name]) < oldest:
            at_least = ".".join(map(str, oldest))
            raise unfit(f"{name} {versions[name]} is older than {at_least}", EXTRA)
    for name, only in WITHOUT_PINS.items():
        if name not in versions:
            raise unfit(f"{name} is not installed", f"make run PROFILE=gpu, or {NO_DEPS}")
        if versions[name] != only:
            raise unfit(f"{name} is {versions[name]}, and {only} is needed", NO_DEPS)
    if "setuptools" not in versions:
        raise unfit("resemble-perth needs setuptools, which is not installed", SETUPTOOLS)
    if _numbers(versions["setuptools"]) >= (SETUPTOOLS_END,):
        found = versions["setuptools"]
        raise unfit(
            f"resemble-perth needs pkg_resources, which setuptools {found} lacks", SETUPTOOLS
        )


def unfit(reason: str, remedy: str) -> EngineUnavailable:
    return EngineUnavailable(ENGINE, reason, remedy)


def _numbers(version: str) -> tuple[int, ...]:
    """Of "2.13.0+cu130": (2, 13, 0)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
