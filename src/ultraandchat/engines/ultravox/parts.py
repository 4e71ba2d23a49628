"""The checkpoint that is set, as far as it is on this disk, and what stands in the way of what lacks.

Headers are read and nothing is loaded; no hub is asked. For the server: `check`, and the profile "auto".
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox import memory
from ultraandchat.engines.ultravox.checkpoint import Checkpoint
from ultraandchat.engines.ultravox.settings import UltravoxSettings
from ultraandchat.engines.ultravox.shapes import ProjectorShape, TextShape
from ultraandchat.engines.ultravox.tensors import ENGINE
from ultraandchat.engines.weights.places import cache_folder, hub_address, hub_token, is_offline
from ultraandchat.engines.weights.settings import HubSettings
from ultraandchat.engines.weights.stored import WEIGHTS, Stored

LLAMA_8B = TextShape(
    "llama", vocabulary=128_256, width=4096, layers=32, heads=32, kv_heads=8, head=128,
    inner=14_336, tied=False, positions=131_072,
)  # fmt: skip

USUAL = memory.Known("Llama 3.1 8B", memory.TURBO, ProjectorShape(8, 4096, True), LLAMA_8B)
"""The default checkpoint."""

BEHIND_A_LICENCE = ("meta-llama/", "google/gemma")
"""How the names of language models begin that nobody is given without a token."""

EXPECTED = {
    "llama-3_1-8b": "meta-llama/Llama-3.1-8B-Instruct",
    "llama-3_2-1b": "meta-llama/Llama-3.2-1B-Instruct",
    "llama-3_3-70b": "meta-llama/Llama-3.3-70B-Instruct",
}
"""In a checkpoint's name → the language model that it stands on, for as long as its config.json is not here."""

Part: TypeAlias = Literal["ears", "language", "all"]
"""Of an Ultravox: encoder and projector, language model, or both in one repository."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The checkpoint as far as it is on this disk."""

    name: str
    read: Checkpoint | None = None
    """With the parts that are here; none where it is not here itself."""
    missing: Mapping[str, Part] = field(default_factory=dict)
    """The repositories that are to be downloaded, and what they are for."""
    fault: EngineUnavailable | None = None
    """What is wrong with the files that are here."""

    @classmethod
    def of(cls, ultravox: UltravoxSettings, hub: HubSettings) -> "Parts":
        """Headers are read, and nothing is asked."""
        name = ultravox.checkpoint
        folder = _on_disk(name, ultravox.revision, hub)
        if folder is None:
            return cls(name, missing=_expected(ultravox, hub))
        missing: dict[str, Part] = {}
        try:
            read = Checkpoint.read(folder)
            text = ultravox.text_model or (read.text_model_id if read.needs_text_folder else "")
            if text and (apart := _on_disk(text, ultravox.text_model_revision, hub)):
                read = Checkpoint.read(folder, apart)
            elif text:
                missing[text] = "language"
            if read.needs_encoder_folder and (apart := _on_disk(read.audio_model_id, "", hub)):
                read = Checkpoint.read(folder, read.text_folder, apart)
            elif read.needs_encoder_folder:
                missing[read.audio_model_id] = "ears"
        except EngineUnavailable as error:
            return cls(name, fault=error)
        return cls(name, read, missing)

    @property
    def sizes(self) -> memory.Sizes | None:
        """To count memory with: its own, or those of a release of this name; none for an unknown one."""
        if self.read is not None and self.read.text is not None and self.read.audio is not None:
            return self.read
        if self.name.endswith(memory.SMALLEST.name):
            return memory.SMALLEST
        return USUAL if self.name.endswith(("llama-3_1-8b", "ultravox-v0_4")) else None


def _expected(ultravox: UltravoxSettings, hub: HubSettings) -> dict[str, Part]:
    """What is missing of a checkpoint that is not here, as far as its name tells."""
    name = ultravox.checkpoint
    text = ultravox.text_model or next((EXPECTED[part] for part in EXPECTED if part in name), "")
    if not text:
        return {name: "all"}  # as v0.4 was at first
    if _on_disk(text, ultravox.text_model_revision, hub):
        return {name: "ears"}
    return {name: "ears", text: "language"}


def obstacle(parts: Parts, hub: HubSettings) -> EngineUnavailable | None:
    """Why what lacks will not come, or what is here will not do; none where nothing is known against it."""
    if parts.fault is not None or not parts.missing:
        return parts.fault
    if is_offline(hub.offline):
        return EngineUnavailable(
            ENGINE,
            f"{' and '.join(parts.missing)} not known to be whole on this disk, and the hub may not be asked",
            "Start once without engines.hub.offline and HF_HUB_OFFLINE, or name folders"
            " (engines.ultravox.checkpoint, engines.ultravox.text_model).",
        )
    return _licence(parts, hub) or _disk(parts, hub)


def bytes_to_come(parts: Parts, hub: HubSettings) -> int | None:
    """About how many, as the releases are in bf16 and less what came before a cut; None where nobody knows yet."""
    if (sizes := parts.sizes) is None:
        return None
    counted = memory.budget(sizes, "bf16", 1, 1)
    whole = counted.ears + counted.language
    bytes_of: dict[Part, int] = {"ears": counted.ears, "language": counted.language, "all": whole}
    cache = cache_folder(hub.cache)
    return sum(
        max(0, bytes_of[part] - Stored(cache, name).bytes_here)
        for name, part in parts.missing.items()
    )


def free_bytes(hub: HubSettings) -> int:
    """Of the disk that weights are downloaded to."""
    cache = cache_folder(hub.cache).absolute()
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    return shutil.disk_usage(there).free


def _licence(parts: Parts, hub: HubSettings) -> EngineUnavailable | None:
    behind = [name for name in parts.missing if name.startswith(BEHIND_A_LICENCE)]
    try:
        if not behind or hub_token(hub.token, ENGINE):
            return None
    except EngineUnavailable as error:
        return error
    return EngineUnavailable(
        ENGINE,
        f"{behind[0]} is given only to those who accepted its licence, and no token is set",
        f"Accept it on {hub_address(hub.endpoint)}/{behind[0]} and set HF_TOKEN, or set"
        " engines.ultravox.text_model to another copy: a repository or a folder.",
    )


def _disk(parts: Parts, hub: HubSettings) -> EngineUnavailable | None:
    to_come, free = bytes_to_come(parts, hub), free_bytes(hub)
    if to_come is None or to_come <= free:
        return None
    return EngineUnavailable(
        ENGINE,
        f"about {to_come / 1e9:.1f} GB are to be downloaded to {cache_folder(hub.cache)}, and its disk has"
        f" {free / 1e9:.1f} GB free",
        "Set engines.hub.cache to a folder on a larger disk.",
    )


def _on_disk(name: str, revision: str, hub: HubSettings) -> Path | None:
    if (folder := Path(name).expanduser()).is_dir():
        return folder
    return Stored(cache_folder(hub.cache), name).whole(revision, WEIGHTS)
