"""Which profile "auto" is on this machine: the GPU's where Ultravox can run, else the demo's, and why.

Nothing is loaded to find out: the driver (NVML) says what memory is free, arithmetic what is needed, and the
disk which weights are there, or will not come.
"""

import importlib.util
from dataclasses import dataclass, replace

import pynvml

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.shares import for_chatterbox
from ultraandchat.engines.ultravox import memory
from ultraandchat.engines.ultravox.parts import USUAL, Parts, obstacle


@dataclass(frozen=True, slots=True)
class Settled:
    """A configuration whose profile is a set of engines."""

    engines: EnginesConfig
    why: str
    """One sentence where it was decided here; empty where the operator did."""


def settle(config: EnginesConfig) -> Settled:
    """The configuration with "auto" made into a profile. Asks the driver, which may take a second."""
    if config.profile != "auto":
        return Settled(config, "")
    reason = _missing(config)
    if reason:
        return Settled(replace(config, profile="demo"), f"No Ultravox here: {reason}.")
    why = f"Ultravox ({config.ultravox.shown}) runs on this machine's GPU."
    return Settled(replace(config, profile="gpu"), why)


def _missing(config: EnginesConfig) -> str:
    """Why it cannot run unasked; empty where it can. A Chatterbox that was asked for must fit beside it."""
    ultravox, hub = config.ultravox, config.hub
    if ultravox.device == "cpu":
        return "engines.ultravox.device is cpu, which is used with --profile gpu only"
    free = free_memory(ultravox.device)
    if free is None:
        return "this machine has no NVIDIA GPU that its driver tells of"
    if not ultravox.python and importlib.util.find_spec("torch") is None:
        return 'torch is not installed: pip install "ultraandchat[gpu]"'
    parts = Parts.of(ultravox, hub)
    try:
        # What a checkpoint of unknown size needs is known when it is here, and counted again before it is loaded.
        memory.chosen(
            parts.sizes or USUAL,
            ultravox.precision,
            ultravox.window,
            ultravox.slots,
            free,
            for_chatterbox(config, config.speech),
        )
        if (error := obstacle(parts, hub)) is not None:
            raise error
    except EngineUnavailable as error:
        return f"{error.reason}. {error.remedy}".rstrip(".")
    return ""


def free_memory(device: str) -> int | None:
    """Bytes free on the GPU of this name ("auto" and "cuda" are the first); None where there is none."""
    index = int(device.partition(":")[2] or 0)
    try:
        pynvml.nvmlInit()
        return int(pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(index)).free)
    except pynvml.NVMLError:
        return None
