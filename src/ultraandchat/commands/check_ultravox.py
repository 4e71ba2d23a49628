"""What `check` says of Ultravox: its interpreter's torch against the driver and the GPU, memory, and weights.

Nothing is loaded or downloaded, and no hub is asked. The interpreter is asked in a process of its own,
because the server's has no torch and is to have none.
"""

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import msgspec

from ultraandchat.commands.report import Row
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.choice import chosen
from ultraandchat.engines.profile import free_memory
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.shares import shares
from ultraandchat.engines.ultravox import fitness, memory
from ultraandchat.engines.ultravox.parts import Parts, bytes_to_come, free_bytes, obstacle
from ultraandchat.engines.ultravox.tensors import ENGINE
from ultraandchat.engines.weights.places import cache_folder
from ultraandchat.engines.weights.settings import HubSettings

ANSWER_S = 120.0
"""For torch to be imported: seconds, and more from a pod's network disk at the first time."""

PROBE = "ultraandchat.engines.ultravox.probe"

PYTHON = "Set engines.ultravox.python to an interpreter that has the extra gpu, or to nothing."


def ultravox_rows(config: EnginesConfig) -> Iterator[Row]:
    """For a configuration whose language model is Ultravox."""
    if config.ultravox.python or find_spec("torch"):
        yield torch_row("Ultravox", config.ultravox.python, config.ultravox.device)
    parts = Parts.of(config.ultravox, config.hub)
    if config.ultravox.device != "cpu":
        yield from _memory(config, parts)
    yield _weights(parts, config.hub)


def torch_row(whose: str, python: str, device: str, engine: str = ENGINE) -> Row:
    """An interpreter's torch (empty: this one's) against the driver and the GPU."""
    name = f"torch for {whose}"
    try:
        facts = _asked(python or sys.executable, engine)
        number = None if device == "cpu" else int(device.partition(":")[2] or 0)
        fitness.require(facts, number, engine)
    except EngineUnavailable as error:
        return Row(name, False, error.reason, error.remedy)
    return Row(name, True, ", ".join([facts.about, *(one.name for one in facts.devices)]))


def _asked(python: str, engine: str) -> fitness.Facts:
    """What the probe says in that interpreter. `EngineUnavailable` where it says nothing."""
    try:
        ran = subprocess.run(
            [python, "-P", "-m", PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_S,
            check=False,
        )
        return msgspec.json.decode(ran.stdout, type=fitness.Facts)
    except OSError as error:
        why = f"{python} cannot be started ({error.strerror})"
    except subprocess.TimeoutExpired:
        why = f"{python} did not import torch within {ANSWER_S:g} s"
    except ValueError:  # msgspec's errors are, too
        last = ran.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        why = f"{python} cannot run UltraAndChat's part ({last or 'it said nothing'})"
    raise EngineUnavailable(engine, why, PYTHON.replace(ENGINE, engine))


def _memory(config: EnginesConfig, parts: Parts) -> Iterator[Row]:
    """Where Chatterbox is to have its share of the card, what that leaves is all there is."""
    name, ultravox = "memory for Ultravox", config.ultravox
    if (free := free_memory(ultravox.device)) is None:
        return  # there is none, as the engine's own row says
    if (sizes := parts.sizes) is None:
        yield Row(name, None, f"what {ultravox.shown} needs is known once it is on this disk")
        return
    room = shares(config, "ultravox", chosen(config).speech, free).ultravox
    beside = max(0, free - room) if room else 0
    try:
        needed = memory.chosen(
            sizes, ultravox.precision, ultravox.window, ultravox.slots, free, beside
        )
    except EngineUnavailable as error:
        yield Row(name, False, error.reason, error.remedy)
    else:
        left = f", {beside / memory.GB:.1f} of them for Chatterbox" if beside else ""
        yield Row(name, True, f"{free / memory.GB:.1f} GB free{left}; it needs {needed}")


def _weights(parts: Parts, hub: HubSettings) -> Row:
    name = "weights of Ultravox"
    if (error := obstacle(parts, hub)) is not None:
        return Row(name, False, error.reason, error.remedy)
    if not parts.missing:
        assert parts.read is not None
        return Row(name, True, f"all on this disk: {parts.read.folder}")
    to_come = bytes_to_come(parts, hub)
    amount = "of unknown size" if to_come is None else f"about {to_come / 1e9:.1f} GB"
    where = f"{cache_folder(hub.cache)}, {free_bytes(hub) / 1e9:.1f} GB free"
    return Row(
        name, True, f"{' and '.join(parts.missing)} ({amount}) will be downloaded to {where}"
    )
