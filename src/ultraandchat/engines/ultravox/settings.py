"""How Ultravox runs here: the `[engines.ultravox]` section of the configuration."""

import re
from dataclasses import dataclass
from typing import Literal

SPOKEN = (
    "You are a voice assistant. Answer in one to three short spoken sentences, "
    "without markdown, lists or emoji."
)
"""What a language model is told of its situation where the operator says nothing else."""

DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,2})?")
"""How a device is named in the settings, here and for Whisper."""


@dataclass(frozen=True, slots=True)
class UltravoxSettings:
    """Ultravox hears the user itself, without a recogniser before it, and writes the answer."""

    checkpoint: str = "fixie-ai/ultravox-v0_6-llama-3_1-8b"
    """A repository of the model hub, or a folder. v0.4 to v0.6 are known; `fixie-ai/ultravox-v0_4` among them."""
    revision: str = ""
    """The checkpoint's commit, branch or tag; empty: what was the newest when it was first downloaded."""
    text_model: str = ""
    """The language model inside it, where the checkpoint names one that cannot be had; a repository or a folder."""
    text_model_revision: str = ""
    """The text model's commit, branch or tag; empty: what was the newest when it was first downloaded."""
    device: str = "auto"
    """auto, cuda, cuda:0 (or another number) or cpu. auto is the GPU; the processor is for tiny models only."""
    precision: Literal["auto", "bf16", "int8", "fp32"] = "auto"
    """auto: bf16 where it fits into the memory of the GPU, else int8; fp32 on the processor."""
    window: int = 4096
    """Tokens of conversation that it sees at once; a second of speech is about six."""
    slots: int = 4
    """Conversations whose beginnings are kept in the memory of the GPU; one more takes the oldest's place."""
    graph: bool = True
    """Replay recorded CUDA graphs while it writes; off: every kernel is launched anew."""
    python: str = ""
    """Interpreter of an environment that has the extra `gpu`; empty: the server's own."""
    system_prompt: str = SPOKEN
    """Tells the model that it is being spoken to."""
    temperature: float = 0.7
    """0: always the likeliest word; up to 2."""
    top_p: float = 0.95
    """Only the likeliest words that together have this probability are considered."""
    repetition_penalty: float = 1.0
    """Above 1, words that were said already become less likely."""
    max_tokens: int = 300
    """Longest answer; about a minute of speech."""

    def __post_init__(self) -> None:
        if not self.checkpoint:
            raise ValueError("engines.ultravox.checkpoint must name a repository or a folder")
        if not DEVICE.fullmatch(self.device):
            raise ValueError("engines.ultravox.device must be auto, cuda, cuda:NUMBER or cpu")
        if not 256 <= self.window <= 131_072 or not 1 <= self.slots <= 64:
            raise ValueError("engines.ultravox.window must be 256…131072, slots 1…64")
        if not 0 <= self.temperature <= 2 or not 0 < self.top_p <= 1:
            raise ValueError(
                "engines.ultravox.temperature must be 0…2, top_p above 0 and at most 1"
            )
        if not 1 <= self.repetition_penalty <= 2:
            raise ValueError("engines.ultravox.repetition_penalty must be 1…2")
        if not 1 <= self.max_tokens <= self.window // 2:
            raise ValueError(
                "engines.ultravox.max_tokens must be at least 1 and at most half the window"
            )

    @property
    def shown(self) -> str:
        """The checkpoint's name as anybody may read it: of a folder only its last part."""
        parts = self.checkpoint.rstrip("/").split("/")
        return (
            self.checkpoint
            if len(parts) == 2 and parts[0] not in ("", ".", "..", "~")
            else parts[-1]
        )
