"""The voices of the worker: each clip prepared once, kept in memory and on the disk."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.chatterbox import clips
from ultraandchat.engines.chatterbox.conditioning import Tensors, conditionals
from ultraandchat.engines.chatterbox.files import unpickled
from ultraandchat.engines.chatterbox.load import Loaded
from ultraandchat.engines.chatterbox.release import VOICE
from ultraandchat.engines.chatterbox.roles import PreparedVoice
from ultraandchat.engines.chatterbox.variants import ENGINE
from ultraandchat.engines.weights.stored import write_whole

log = logging.getLogger("ultraandchat.model")

KEPT = 8
"""Voices in memory; a quarter of a megabyte each."""

STORED = 256
"""Files in the store, of all variants together. Past it the one longest unchanged goes."""

WAY = "1"
"""Of preparing. Another number: what was stored is prepared anew."""

SAMPLE = 2**20
"""Bytes at both ends of a file of weights, which tell it from others."""

WRITER = ("speaker_emb", "cond_prompt_speech_tokens")
SOUNDER = ("prompt_token", "prompt_token_len", "prompt_feat", "embedding")
"""What a voice is made of; their shapes are those of chatterbox-tts 0.1.7."""

Key: TypeAlias = tuple[str, str, int, int]
"""Name, path, size and time of change: a clip that is written anew is another voice."""


class Voices:
    """The role of that name. Used by one thread."""

    def __init__(self, loaded: Loaded, store: Path) -> None:
        """`store`: the folder of prepared voices, made when it is needed."""
        self._loaded = loaded
        self._store = store
        self._kept: dict[Key, PreparedVoice] = {}
        self._own: PreparedVoice | None = None
        self._weights = ""
        self._warned = False

    def get(self, name: str, clip: str) -> PreparedVoice:
        """The voice of the file `clip`; of an empty one the checkpoint's own. Prepared, where that was not done
        yet, which takes a second on a GPU. `EngineError` where the clip cannot serve."""
        if not clip:
            return replace(self._checkpoints_own(), name=name)
        path = Path(clip)
        try:
            about = path.stat()
            key = (name, clip, about.st_size, about.st_mtime_ns)
            if (voice := self._kept.pop(key, None)) is None:
                voice = self._from_clip(name, path, path.read_bytes())
        except OSError as error:
            why = f"the clip of the voice {name} cannot be read ({error.strerror})"
            raise EngineError(ENGINE, why) from None
        self._kept[key] = voice  # at the end: the first is the one longest unused
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return voice

    def _checkpoints_own(self) -> PreparedVoice:
        if self._own is None:
            self._own = own_voice(self._loaded)
        if self._own is None:
            why = "this checkpoint has no voice of its own, so a reference clip must be chosen"
            raise EngineError(ENGINE, why)
        return self._own

    def _from_clip(self, name: str, path: Path, content: bytes) -> PreparedVoice:
        self._weights = self._weights or _told_apart(self._loaded)
        digest = hashlib.sha256(self._weights.encode() + content).hexdigest()
        file = self._store / f"{digest}.safetensors"
        found = _restored(file)
        if found is None:
            found = self._prepared(name, path)
            self._keep(file, found)
        device = self._loaded.device
        writer, sounder = (
            {part: found[part].to(device) for part in parts} for parts in (WRITER, SOUNDER)
        )
        return PreparedVoice(name, digest, writer, sounder)

    def _prepared(self, name: str, path: Path) -> Tensors:
        try:
            clip = clips.check(path)
        except clips.UnfitClip as error:
            why = f"the clip of the voice {name} cannot be used: {error.reason}"
            raise EngineError(ENGINE, why) from None
        writer, sounder = conditionals(self._loaded, clip.samples, clip.rate)
        found: Tensors = {**writer, **sounder}
        if not all(torch.isfinite(value).all() for value in found.values()):
            raise EngineError(
                ENGINE, f"of the clip of the voice {name} nothing came but numbers that are none"
            )
        return found

    def _keep(self, file: Path, found: Tensors) -> None:
        """On the disk, if that can be; the voice speaks without."""
        try:
            write_whole(
                file, save({part: value.cpu().contiguous() for part, value in found.items()})
            )
            _thin_out(self._store)
        except OSError as error:
            if not self._warned:
                log.warning(
                    "prepared voices cannot be stored in %s (%s): they are prepared anew at the next start",
                    self._store,
                    error.strerror,
                )
            self._warned = True


def own_voice(loaded: Loaded) -> PreparedVoice | None:
    """The voice that comes with the checkpoint; none where it has none. `EngineUnavailable` for a broken file."""
    file = loaded.folder / VOICE
    if not file.is_file():
        return None
    content = unpickled(file)
    try:
        found = {**content["t3"], **content["gen"]}
        writer, sounder = (
            {part: torch.as_tensor(found[part]).to(loaded.device) for part in parts}
            for parts in (WRITER, SOUNDER)
        )
    except (KeyError, TypeError, RuntimeError) as error:
        why = f"{file} is not the voice of a Chatterbox"
        raise EngineUnavailable(ENGINE, why, "Delete it and start again.") from error
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return PreparedVoice("default", digest, writer, sounder)


def _restored(file: Path) -> Tensors | None:
    """What was stored, bit for bit; none where nothing was, or what is there is damaged."""
    try:
        found: Tensors = load(file.read_bytes())
    except (OSError, SafetensorError):
        return None
    whole = found.keys() == {*WRITER, *SOUNDER}
    return found if whole and _fits(found) else None


def _fits(found: Tensors) -> bool:
    tokens, frames = found["prompt_token"].shape, found["prompt_feat"].shape
    return len(tokens) == 2 and len(frames) == 3 and frames[1] == 2 * tokens[1]


def _told_apart(loaded: Loaded) -> str:
    """The way of preparing and the weights that do it: the same text, the same voice of the same clip."""
    variant, digest = loaded.variant, hashlib.sha256()
    for name in (variant.sound_file, variant.voice_file):
        file = loaded.folder / name
        with file.open("rb") as opened:
            digest.update(opened.read(SAMPLE))
            opened.seek(-min(SAMPLE, file.stat().st_size), 2)
            digest.update(opened.read())
    return f"{WAY} {variant.name} {loaded.device.type} {digest.hexdigest()}"


def _thin_out(store: Path) -> None:
    files: Iterable[Any] = store.glob("*.safetensors")
    oldest = sorted(files, key=lambda file: file.stat().st_mtime_ns)
    for file in oldest[: max(0, len(oldest) - STORED)]:
        file.unlink(missing_ok=True)
