"""How Chatterbox runs here: the `[engines.chatterbox]` section of the configuration."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ultraandchat.engines.chatterbox.clip_folder import PREPARED, usual_folder
from ultraandchat.engines.chatterbox.variants import VARIANTS, Variant
from ultraandchat.engines.ultravox.settings import DEVICE


@dataclass(frozen=True, slots=True)
class ChatterboxSettings:
    """Chatterbox speaks in the voice of a reference clip, and sounds while it is still being made."""

    variant: Literal["turbo", "original", "multilingual"] = "turbo"
    """turbo: English, the quickest, with [laugh] and the like. original: English, with exaggeration. multilingual: 23 languages."""
    checkpoint: str = ""
    """A repository of the model hub, or a folder; empty: the variant's own at the hub."""
    revision: str = ""
    """The checkpoint's commit, branch or tag; empty: what was the newest when it was first downloaded."""
    device: str = "auto"
    """auto, cuda, cuda:0 (or another number) or cpu. auto is the GPU; the processor is many times too slow to talk with."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Of the model that writes speech tokens. auto: bf16 on the GPU, fp32 on the processor."""
    slots: int = 4
    """Clauses that are spoken at once, by turns; those of more conversations wait for a place."""
    graph: bool = True
    """Replay recorded CUDA graphs while it writes; off: every kernel is launched anew."""
    python: str = ""
    """Interpreter of an environment that has chatterbox-tts; empty: the server's own."""
    language: str = "en"
    """Of all that is said: a code such as de. Only the multilingual variant knows others than en."""
    temperature: float | None = None
    """Above 0, up to 2: how freely it speaks. Unset: the variant's own, 0.8."""
    exaggeration: float | None = None
    """0…2, of the variants original and multilingual: how much feeling. Unset: 0.5."""
    guidance: float | None = None
    """0…2, of the variants original and multilingual: how closely it keeps to the text (cfg_weight). Unset: 0.5."""
    seed: int | None = None
    """The same text in the same voice then always sounds the same; unset: a fresh one for each clause."""
    watermark: bool = True
    """Mark all it says as made by a machine, inaudibly, as its makers do (Perth)."""
    voices: str = ""
    """Folder of reference clips, each a voice by its file's name; empty: ~/.local/share/ultraandchat/voices, which XDG_DATA_HOME moves."""

    def __post_init__(self) -> None:
        if not DEVICE.fullmatch(self.device):
            raise ValueError("engines.chatterbox.device must be auto, cuda, cuda:NUMBER or cpu")
        if not 1 <= self.slots <= 64:
            raise ValueError("engines.chatterbox.slots must be 1…64")
        known = self.kind.languages
        if self.language not in known:
            raise ValueError(
                f"engines.chatterbox.language must be one of {', '.join(known)} for the variant {self.variant}"
            )
        if self.temperature is not None and not 0 < self.temperature <= 2:
            raise ValueError("engines.chatterbox.temperature must be above 0 and at most 2")
        for name, possible in (
            ("exaggeration", self.kind.emotional),
            ("guidance", self.kind.guided),
        ):
            value: float | None = getattr(self, name)
            if value is not None and not possible:
                raise ValueError(f"engines.chatterbox.{name}: the variant {self.variant} has none")
            if value is not None and not 0 <= value <= 2:
                raise ValueError(f"engines.chatterbox.{name} must be 0…2")
        if self.seed is not None and not 0 <= self.seed < 2**63:
            raise ValueError("engines.chatterbox.seed must be 0…9223372036854775807")

    @property
    def kind(self) -> Variant:
        """The release and its numbers."""
        return VARIANTS[self.variant]

    @property
    def repository(self) -> str:
        """Where its weights come from: a repository or a folder."""
        return self.checkpoint or self.kind.repository

    @property
    def folder(self) -> Path:
        """Of the reference clips. It need not exist."""
        if self.voices:
            return Path(os.path.expandvars(self.voices)).expanduser()
        return usual_folder()

    @property
    def store(self) -> Path:
        """Of voices that were prepared; it may be emptied at any time."""
        return self.folder / PREPARED

    @property
    def shown(self) -> str:
        """What speaks, as anybody may read it: of a folder only its last part."""
        name = f"Chatterbox {self.variant}"
        return f"{name} ({self.checkpoint.rstrip('/').split('/')[-1]})" if self.checkpoint else name
