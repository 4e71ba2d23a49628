"""One GPU for Ultravox and Chatterbox: how much of it each may take, counted before either is loaded.

Their workers load beside each other and each sees what is free at that moment, so neither could tell what the
other will still want, nor what it has already taken. The server counts for both, once.
"""

from dataclasses import dataclass

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox import fitness
from ultraandchat.engines.chatterbox.memory import budget
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.ultravox import memory
from ultraandchat.engines.ultravox.parts import USUAL, Parts


@dataclass(frozen=True, slots=True)
class Shares:
    """Bytes that each may take; 0: whatever is free."""

    ultravox: int = 0
    chatterbox: int = 0


def shares(config: EnginesConfig, language: str, speech: str, free: int | None) -> Shares:
    """Of a GPU with `free` bytes; `language` and `speech` are the engines that were chosen.

    Where not both fit, a Chatterbox that only the profile chose gives way: a small voice speaks instead.
    """
    if language != "ultravox" or free is None or not (voice := for_chatterbox(config, speech)):
        return Shares()
    ultravox = config.ultravox
    sizes = Parts.of(ultravox, config.hub).sizes or USUAL
    ways = (voice, 0) if config.speech == "profile" else (voice,)
    for beside in ways:
        try:
            needed = memory.chosen(
                sizes, ultravox.precision, ultravox.window, ultravox.slots, free, beside
            )
        except EngineUnavailable:
            continue
        return Shares(free - beside, max(1, free - needed.total))
    return Shares(max(1, free - voice), voice)


def for_chatterbox(config: EnginesConfig, speech: str) -> int:
    """Bytes that Chatterbox needs on Ultravox's GPU; 0 where it is not chosen, not there, or elsewhere."""
    chatterbox = config.chatterbox
    if speech != "chatterbox" or _gpu(config.ultravox.device) is None or not _is_here(chatterbox):
        return 0
    if _gpu(chatterbox.device) != _gpu(config.ultravox.device):
        return 0
    precision = "bf16" if chatterbox.precision == "auto" else chatterbox.precision
    return budget(chatterbox.kind, precision, chatterbox.slots).total


def _is_here(chatterbox: ChatterboxSettings) -> bool:
    """As far as the server can tell: it does not look into another interpreter."""
    if chatterbox.python:
        return True
    try:
        fitness.require(fitness.installed())
    except EngineUnavailable:
        return False
    return True


def _gpu(device: str) -> int | None:
    """ "auto" and "cuda" are the first."""
    return None if device == "cpu" else int(device.partition(":")[2] or 0)
