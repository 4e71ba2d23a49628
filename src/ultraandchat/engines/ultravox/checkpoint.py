"""An Ultravox checkpoint as it lies on the disk, in the layouts of releases v0.4 to v0.6.

A release holds a projector, mostly an encoder (`audio_tower.*`) and hardly ever a language model
(`language_model.*`); what it lacks lies in the folders of `audio_model_id` and `text_model_id`. What we
cannot compute is refused by name, before anything large is read. No torch here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox.shapes import (
    AudioShape,
    ProjectorShape,
    TextShape,
    audio_shape,
    projector_shape,
    text_shape,
)
from ultraandchat.engines.ultravox.tensors import ENGINE, read_json, stored
from ultraandchat.engines.weights.tensors import FETCH_AGAIN, Stored, compare

ENCODER = "audio_tower."
PROJECTOR = "multi_modal_projector."
LANGUAGE = "language_model."

WHISPER_PREFIXES = ("model.encoder.", "encoder.")
"""Of the encoder's tensors in a Whisper repository, with and without its decoder's head."""

BESIDE_LANGUAGE = ("vision_tower.", "multi_modal_projector.")
"""Parts of a repository that also sees (Gemma 3), which nobody needs here."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything `load` needs to know; tensors are named as the module that takes them names them."""

    folder: Path
    text_folder: Path | None
    """The language model's, where it lies apart."""
    text_model_id: str
    """The language model that the checkpoint names; empty when it lies inside."""
    audio_model_id: str
    """The encoder that it names; empty when it lies inside."""
    audio: AudioShape | None
    projector: ProjectorShape
    text: TextShape | None
    text_config: Mapping[str, Any] | None
    """The language model's `config.json`, its textual part."""
    encoder_tensors: Mapping[str, Stored]
    projector_tensors: Mapping[str, Stored]
    language_tensors: Mapping[str, Stored]

    @property
    def needs_text_folder(self) -> bool:
        """`text_model_id` must be found first, and its folder given to `read`."""
        return self.text_config is None or not self.language_tensors

    @property
    def needs_encoder_folder(self) -> bool:
        """`audio_model_id` must be found first, and its folder given to `read`."""
        return self.audio is None or not self.encoder_tensors

    @property
    def tokenizer_folder(self) -> Path:
        """Where `tokenizer.json` lies: in the checkpoint's own folder, or in the language model's."""
        for folder in (self.folder, self.text_folder):
            if folder is not None and (folder / "tokenizer.json").exists():
                return folder
        raise EngineUnavailable(
            ENGINE,
            f"neither {self.folder} nor its language model has a tokenizer.json",
            "Set engines.ultravox.text_model to a repository that has one.",
        )

    @property
    def files(self) -> frozenset[Path]:
        """Every file that is read when it is loaded."""
        parts = (self.encoder_tensors, self.projector_tensors, self.language_tensors)
        return frozenset(tensor.file for part in parts for tensor in part.values())

    @classmethod
    def read(
        cls, folder: Path, text_folder: Path | None = None, encoder_folder: Path | None = None
    ) -> "Checkpoint":
        """The checkpoint in `folder`; a language model or encoder given apart takes the inner one's place.

        Without folders for the parts that it lacks it comes back incomplete: see `needs_text_folder`.
        `EngineUnavailable` when it is damaged, or of a kind that we do not know.
        """
        config = read_json(folder / "config.json")
        if config.get("model_type") != "ultravox":
            raise EngineUnavailable(
                ENGINE,
                f"{folder} holds a model of type {config.get('model_type')!r}, not an Ultravox checkpoint",
                "Set engines.ultravox.checkpoint to one, such as fixie-ai/ultravox-v0_6-llama-3_1-8b.",
            )
        own = stored(folder)
        text_config = _text_config(config, text_folder)
        text = text_shape(text_config) if text_config is not None else None
        audio_config = _audio_config(config, encoder_folder)
        audio = audio_shape(audio_config) if audio_config is not None else None
        encoder = _below(own, ENCODER) or _encoder_apart(encoder_folder)
        language = _below(own, LANGUAGE) if text_folder is None else _language_apart(text_folder)
        checkpoint = cls(
            folder=folder,
            text_folder=text_folder,
            text_model_id=_name(config, "text_model_id"),
            audio_model_id=_name(config, "audio_model_id"),
            audio=audio,
            projector=projector_shape(config),
            text=text,
            text_config=text_config,
            encoder_tensors=encoder,
            projector_tensors=_below(own, PROJECTOR),
            language_tensors=language,
        )
        checkpoint._check(own)
        return checkpoint

    def _check(self, own: Mapping[str, Stored]) -> None:
        """That the tensors fit, as far as they are known; the language model's are for `load` to check."""
        for name in own:
            if "lora_" in name:
                raise EngineUnavailable(
                    ENGINE,
                    f"{self.folder} holds a LoRA adapter ({name}), which this engine cannot apply",
                    "Merge it into the weights, or serve it with vLLM (engines.language=ultravox-server).",
                )
            if not name.startswith((ENCODER, PROJECTOR, LANGUAGE)):
                compare({}, {name: own[name]}, self.folder, ENGINE)
        if self.audio is not None:
            if self.encoder_tensors:
                compare(self.audio.tensors(), self.encoder_tensors, self.folder, ENGINE)
            if self.text is not None:
                expected = self.projector.tensors(self.audio.width, self.text.width)
                compare(expected, self.projector_tensors, self.folder, ENGINE)
        for part, missing, setting in (
            ("language model", self.needs_text_folder and not self.text_model_id, "text_model"),
            ("audio encoder", self.needs_encoder_folder and not self.audio_model_id, "checkpoint"),
        ):
            if missing:
                raise EngineUnavailable(
                    ENGINE,
                    f"{self.folder} has no {part} and names none",
                    f"Set engines.ultravox.{setting} to a repository that has it.",
                )


def _text_config(config: Mapping[str, Any], folder: Path | None) -> Mapping[str, Any] | None:
    """The language model's own, or its textual part where the model also sees."""
    found = config if folder is None else read_json(folder / "config.json")
    part = _section(found, "text_config")
    if folder is None or part is None:
        return part if folder is None else found
    # A model that also sees says of itself as a whole how it is quantised.
    packed = found.get("quantization_config")
    return part if packed is None else {**part, "quantization_config": packed}


def _audio_config(config: Mapping[str, Any], folder: Path | None) -> Mapping[str, Any] | None:
    found = _section(config, "audio_config")
    return read_json(folder / "config.json") if found is None and folder is not None else found


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """A part of a configuration; none where it is left out."""
    part = config.get(name)
    if part is not None and not isinstance(part, dict):
        raise EngineUnavailable(ENGINE, f"its config.json has no object as {name}", FETCH_AGAIN)
    return part or None


def _name(config: Mapping[str, Any], key: str) -> str:
    value = config.get(key)
    return value if isinstance(value, str) else ""


def _below(tensors: Mapping[str, Stored], prefix: str) -> dict[str, Stored]:
    """Those whose names begin so, without that beginning."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def _encoder_apart(folder: Path | None) -> dict[str, Stored]:
    if folder is None:
        return {}
    tensors = stored(folder)
    return next((part for prefix in WHISPER_PREFIXES if (part := _below(tensors, prefix))), {})


def _language_apart(folder: Path) -> dict[str, Stored]:
    """The textual part of a language model's repository."""
    tensors = stored(folder)
    if below := _below(tensors, "model.language_model."):
        # Gemma 3 as newer releases of transformers write it.
        head = _below(tensors, "lm_head.")
        return {f"model.{name}": tensor for name, tensor in below.items()} | {
            f"lm_head.{name}": tensor for name, tensor in head.items()
        }
    if below := _below(tensors, LANGUAGE):
        return below
    return {name: t for name, t in tensors.items() if not name.startswith(BESIDE_LANGUAGE)}
