"""Stands for the model in Chatterbox's worker: flite speaks (a tone where it is not installed), in blocks, a step each.

Words in the text tell it what to do: "babble" makes the guard notice something, "crash" ends the process after
the first block as an assert on the GPU does, "endless" goes on until nobody listens, "slow" takes its time.
"""

import os
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ultraandchat.audio.frame import Pcm16
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.chatterbox.variants import RATE
from ultraandchat.engines.flite import find_flite
from ultraandchat.engines.flite_model import RATE as FLITE_RATE
from ultraandchat.engines.flite_model import FliteModel
from ultraandchat.engines.worker_speech import plain_text
from ultraandchat.engines.worker_wire import STEP, Progress, Stop

Asked = dict[str, Any]

BLOCKS_S = (0.4, 0.6, 1.0, 2.0)
"""Small first, then growing; the last length from there on."""

STEP_S = 0.002
"""How long a token takes."""

OWN, CLONED = "slt", "rms"
"""flite's voices that stand for the checkpoint's own and for all reference clips."""


class FliteChatterbox:
    """The interface of the worker's class `Chatterbox`."""

    def __init__(self, store: Path, slots: int) -> None:
        self._store = store
        self._slots = slots
        self._open = 0
        self._voices: dict[str, str] = {}
        self._flite = FliteModel(program) if (program := find_flite()) else None
        self._log: list[str] = []
        self._asked: list[Asked] = []

    def synthesize(self, stop: Stop, asked: Asked) -> Iterator[Any]:
        text, began = asked["text"], time.monotonic()
        self._asked.append(asked)
        self._open += 1
        try:
            if self._open > self._slots + 1:
                raise EngineError("chatterbox", "more speak at once than it has slots for")
            yield from self._ready(asked)
            self._note("begin", text)
            print(f"Sampling {text}: 100%|####| 7/7\rand a line that nobody wants", file=sys.stderr)
            samples = 0
            for block in self._blocks(stop, asked):
                yield block
                if block is STEP:
                    continue
                samples += len(block)
                if "crash" in text:
                    sys.stderr.flush()
                    os._exit(134)
            if "babble" in text:
                yield {"verdict": "loop"}
                yield {"verdict": "tail"}
            yield {"account": {"seconds": samples / RATE, "tokens": samples // 960, "attempts": 1}}
            self._note("end", f"{time.monotonic() - began:.3f}")
        finally:
            self._open -= 1
            self._note("closed", text)

    def prepare_voice(self, stop: Stop, asked: Asked) -> Iterator[Any]:
        yield from self._ready(asked)
        yield {"seconds": 10.0, "digest": self._voices[asked["voice"]]}

    def hold(self, stop: Stop) -> None:
        """One step that lasts until nobody wants it any more: what comes meanwhile begins together."""
        while not stop():
            time.sleep(0.001)

    def log(self, stop: Stop) -> list[str]:
        """What it did, in order."""
        return self._log

    def asked(self, stop: Stop) -> list[Asked]:
        """All that it was to speak, in order."""
        return self._asked

    def _note(self, what: str, of: str) -> None:
        self._log.append(f"{what}: {of}")

    def _ready(self, asked: Asked) -> Iterator[Any]:
        """As `Voices` does: from memory, else from the disk, else made."""
        name, clip = asked["voice"], asked["clip"]
        if name in self._voices:
            return
        yield STEP
        try:
            digest = sha256(Path(clip).read_bytes() if clip else b"").hexdigest()
        except OSError:
            raise EngineError(
                "chatterbox", f"the clip of the voice {name} cannot be read"
            ) from None
        file = self._store / f"{digest}.prepared"
        if file.exists():
            self._note("loaded", name)
        else:
            self._note("prepared", name)
            self._store.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
        self._voices[name] = digest

    def _blocks(self, stop: Stop, asked: Asked) -> Iterator[Any]:
        sound, at, number = self._sound(stop, asked), 0, 0
        endless = "endless" in asked["text"]
        while at < len(sound):
            if stop():
                return
            length = int(BLOCKS_S[min(number, len(BLOCKS_S) - 1)] * RATE)
            for _ in range(length // 960):
                if "slow" in asked["text"]:
                    time.sleep(STEP_S)
                yield STEP
            self._note("block", asked["voice"])
            yield sound[at : at + length]
            at, number = at + length, number + 1
            if endless and at >= len(sound):
                at = 0

    def _sound(self, stop: Stop, asked: Asked) -> Pcm16:
        text = plain_text(asked["text"], ascii_only=True)
        if not text:
            return np.zeros(0, np.int16)
        voice = CLONED if asked["clip"] else OWN
        if self._flite is None:
            return _tone(len(text) * 0.06 / asked["speed"], 440.0 if voice == OWN else 220.0)
        pieces = list(self._flite.synthesize(stop, text, voice, asked["speed"]))
        return _at_rate(np.concatenate(pieces)) if pieces else np.zeros(0, np.int16)


def _tone(seconds: float, hz: float) -> Pcm16:
    at = np.arange(int(seconds * RATE)) / RATE
    return (8_000 * np.sin(2 * np.pi * hz * at)).astype(np.int16)


def _at_rate(pcm: Pcm16) -> Pcm16:
    """From flite's rate to Chatterbox's, near enough for ears that only look for sound."""
    at = np.arange(len(pcm) * RATE // FLITE_RATE) * (FLITE_RATE / RATE)
    return np.interp(at, np.arange(len(pcm)), pcm).astype(np.int16)


def open_model(progress: Progress, *, store: str, slots: int, **arguments: Any) -> FliteChatterbox:
    """The factory. The checkpoint "refused" cannot run here."""
    if arguments["checkpoint"] == "refused":
        raise EngineUnavailable("chatterbox", "the GPU has 1.0 GB free", "Free the GPU.")
    progress("load", 1, 1)
    return FliteChatterbox(Path(store), slots)
