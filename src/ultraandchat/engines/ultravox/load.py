"""A checkpoint onto the device: modules without storage first, then each tensor from its file to its place.

Nothing is in host memory twice: safetensors maps the file, and a tensor goes from there to the device.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast, WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder
from transformers.utils import logging as transformers_logging

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox.checkpoint import Checkpoint
from ultraandchat.engines.ultravox.embedding import Ears
from ultraandchat.engines.ultravox.int8 import Int8Linear, with_int8
from ultraandchat.engines.ultravox.mel import Mel
from ultraandchat.engines.ultravox.memory import Precision
from ultraandchat.engines.ultravox.projector import Projector
from ultraandchat.engines.ultravox.shapes import AudioShape
from ultraandchat.engines.ultravox.tensors import ENGINE
from ultraandchat.engines.weights.tensors import Shape, Stored, compare
from ultraandchat.engines.worker_wire import Progress

Put: TypeAlias = Callable[[Any], None]
"""Takes a tensor to where it belongs."""

ROTARY = "rotary_emb.inv_freq"
"""Old checkpoints carry it; it is computed here."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checkpoint that is ready to run."""

    language: Any
    """transformers' causal language model, in evaluation mode."""
    tokenizer: Any
    """Its tokenizer, with the chat template."""
    config: Checkpoint
    device: Any
    dtype: Any
    """Of everything that is computed; with int8 only the language model's weights are smaller."""
    ears: Ears

    def embed_audio(self, sounds: list[Any]) -> list[Any]:
        """See `Ears.embed`."""
        return self.ears.embed(sounds)

    def audio_tokens(self, samples: int) -> int:
        """See `Ears.tokens`."""
        return self.ears.tokens(samples)


def load(
    checkpoint: Checkpoint, *, device: str, precision: Precision, progress: Progress
) -> Loaded:
    """Reads all of it; `progress("load", files done, files)`.

    `EngineUnavailable` when a part lies elsewhere and was not given, or does not fit its configuration.
    """
    transformers_logging.set_verbosity_error()
    audio, text = checkpoint.audio, checkpoint.text
    if (
        audio is None
        or text is None
        or checkpoint.needs_text_folder
        or checkpoint.needs_encoder_folder
    ):
        raise _incomplete(checkpoint)
    where = torch.device(device)
    dtype = torch.float32 if precision == "fp32" else torch.bfloat16
    tokenizer = PreTrainedTokenizerFast.from_pretrained(checkpoint.tokenizer_folder)
    language = empty_language_model(checkpoint.text_config or {}, dtype, where)
    shapes = {name: tuple(value.shape) for name, value in language.named_parameters()}
    _check_language(checkpoint, shapes, text.tied)
    if precision == "int8":
        with_int8(language)
    encoder = empty_encoder(audio, dtype)
    projector: dict[str, Any] = {}
    places: dict[Stored, Put] = {}
    for name in shapes:
        places[checkpoint.language_tensors[name]] = _place(language, name)
    for name, tensor in checkpoint.encoder_tensors.items():
        places[tensor] = _place(encoder, name)
    for name, tensor in checkpoint.projector_tensors.items():
        places[tensor] = partial(projector.__setitem__, name)
    _fill(places, where, dtype, progress)
    if text.tied:
        language.tie_weights()
    stack = checkpoint.projector.stack
    ears = Ears(
        Mel(audio.mel_bins, where), encoder.eval(), Projector(projector, stack), stack, dtype
    )
    return Loaded(language.eval(), tokenizer, checkpoint, where, dtype, ears)


def empty_language_model(config: Mapping[str, Any], dtype: Any, device: Any) -> Any:
    """transformers' model of this `config.json`, its parameters still without storage."""
    text = AutoConfig.for_model(**{"model_type": "llama", **config})
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(text, dtype=dtype, attn_implementation="sdpa")
    _make_buffers(model, device)
    return model


def empty_encoder(shape: AudioShape, dtype: Any) -> Any:
    """transformers' WhisperEncoder, its parameters still without storage."""
    config = WhisperConfig(
        num_mel_bins=shape.mel_bins,
        d_model=shape.width,
        encoder_layers=shape.layers,
        encoder_attention_heads=shape.heads,
        encoder_ffn_dim=shape.inner,
        max_source_positions=shape.positions,
        attn_implementation="sdpa",
        dtype=dtype,
    )
    with torch.device("meta"):
        return WhisperEncoder(config).to(dtype)


def _make_buffers(model: Any, device: Any) -> None:
    """What no file holds, such as rotary frequencies: transformers computes it when it initialises a module.

    Parameters have no storage yet, so initialising them does nothing.
    """
    for module in model.modules():
        buffers = dict(module.named_buffers(recurse=False))
        for name, buffer in buffers.items():
            module._buffers[name] = torch.empty_like(buffer, device=device)
        if buffers:
            model._init_weights(module)


def _check_language(checkpoint: Checkpoint, shapes: Mapping[str, Shape], tied: bool) -> None:
    """That the language model's tensors are those of its module."""
    compare(
        shapes,
        checkpoint.language_tensors,
        checkpoint.text_folder or checkpoint.folder,
        ENGINE,
        also=frozenset(
            name
            for name in checkpoint.language_tensors
            if name.endswith(ROTARY) or (tied and name == "lm_head.weight")
        ),
    )


def _place(module: Any, name: str) -> Put:
    """What puts a value where the module keeps that parameter."""
    path, _, leaf = name.rpartition(".")
    owner = module.get_submodule(path)
    if isinstance(owner, Int8Linear) and leaf == "weight":
        return owner.take

    def put(value: Any) -> None:
        setattr(owner, leaf, torch.nn.Parameter(value, requires_grad=False))

    return put


def _fill(places: Mapping[Stored, Put], device: Any, dtype: Any, progress: Progress) -> None:
    """Every tensor to its place, file by file."""
    files = sorted({tensor.file for tensor in places})
    for done, file in enumerate(files):
        progress("load", done, len(files))
        with safe_open(file, framework="pt", device=str(device)) as opened:
            for tensor, put in places.items():
                if tensor.file == file:
                    put(opened.get_tensor(tensor.name).to(dtype))
    progress("load", len(files), len(files))


def _incomplete(checkpoint: Checkpoint) -> EngineUnavailable:
    name = checkpoint.text_model_id if checkpoint.needs_text_folder else checkpoint.audio_model_id
    return EngineUnavailable(
        ENGINE,
        f"{checkpoint.folder} has not all of its parts: {name} is missing",
        f"Download {name}, or set engines.ultravox.text_model to a folder that holds it.",
    )
