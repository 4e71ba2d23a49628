"""A release of Chatterbox onto the device: the package's own modules, each tensor from its file to its place.

Modules are made without filling them, so nothing is computed that a file then overwrites; what no file holds
(windows, positions) is made as the package makes it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch.overrides import TorchFunctionMode

from ultraandchat.engines.chatterbox.files import opened, require
from ultraandchat.engines.chatterbox.package import Package, package
from ultraandchat.engines.chatterbox.tokenizing import TextTokenizer
from ultraandchat.engines.chatterbox.variants import ENGINE, Variant
from ultraandchat.engines.weights.tensors import LOADABLE, compare
from ultraandchat.engines.worker_wire import Progress

DType: TypeAlias = Any
"""torch's."""

COMPUTED = frozenset({"tokenizer._mel_filters", "tokenizer.window"})
"""Of S3Gen: in some files and not in others. Where they lack, they are as the package computes them."""

OF_OLD = re.compile(r"tfmr\.(h\.\d+\.attn\.(bias|masked_bias)|.*rotary_emb\.inv_freq)")
"""Tensors of T3 that older releases of transformers stored, and that are computed."""

UNUSED = "tfmr.wte.weight"
"""The word embedding that GPT-2 comes with. Turbo has embeddings of its own, for text and for speech."""


@dataclass(frozen=True, slots=True)
class Listening:
    """What only hears reference clips. It stays in host memory (float32), and is brought to the device for as
    long as a voice is prepared."""

    tokenizer: Any
    """S3Tokenizer: sound into speech tokens. 124 million parameters."""
    speaker_encoder: Any
    """CAMPPlus: who it is, for S3Gen."""
    voice_encoder: Any
    """VoiceEncoder: who it is, for T3."""
    mel: Any
    """24 kHz sound (1, samples) → mel spectrogram (1, 80, frames)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A release that is ready to run, in evaluation mode."""

    variant: Variant
    folder: Path
    device: Any
    t3: Any
    """T3, in `dtype`. Turbo's has no `tfmr.wte`."""
    dtype: DType
    s3gen: Any
    """S3Gen in float32, of which `flow`, `mel2wav`, `trim_fade` and `meanflow` are left; see `listening`."""
    listening: Listening
    text_tokenizer: TextTokenizer
    package: Package


def load(
    folder: Path, variant: Variant, *, device: str, dtype: DType, progress: Progress
) -> Loaded:
    """Reads all of it; `progress("load", files done, files)`. `dtype` is T3's.

    `EngineUnavailable` where a package or a file is missing, or a tensor does not fit.
    """
    require(folder, variant)
    found = package()
    where = torch.device(device)
    text_tokenizer = TextTokenizer.read(folder, variant, found)
    progress("load", 0, 3)
    t3 = _t3(found, folder, variant, where, dtype)
    text_tokenizer.require_rows(t3.text_emb.weight.shape[0])
    progress("load", 1, 3)
    s3gen, tokenizer, speaker_encoder = _s3gen(found, folder, variant, where)
    progress("load", 2, 3)
    with Unfilled():
        voice_encoder = found.VoiceEncoder()
    _fill(voice_encoder, folder / variant.voice_file, torch.device("cpu"), torch.float32)
    progress("load", 3, 3)
    listening = Listening(tokenizer, speaker_encoder, voice_encoder.eval(), s3gen.mel_extractor)
    return Loaded(variant, folder, where, t3, dtype, s3gen, listening, text_tokenizer, found)


def shape_of(variant: Variant, found: Package) -> Any:
    """The package's `T3Config` of a variant, as its `from_local` makes it."""
    if variant.name == "original":
        return found.T3Config.english_only()
    if variant.name == "multilingual":
        return found.T3Config.multilingual()
    shape = found.T3Config(text_tokens_dict_size=50_276)
    shape.llama_config_name = "GPT2_medium"
    shape.speech_tokens_dict_size = 6563
    shape.input_pos_emb = None
    shape.speech_cond_prompt_len = 375
    shape.use_perceiver_resampler = False
    shape.emotion_adv = False
    return shape


class Unfilled(TorchFunctionMode):
    """While it is entered, modules that are made leave their parameters as the memory has them."""

    FILLING = frozenset(
        {
            torch.Tensor.normal_,
            torch.Tensor.uniform_,
            torch.Tensor.zero_,
            torch.Tensor.fill_,
            torch.nn.init.normal_,
            torch.nn.init.uniform_,
            torch.nn.init.trunc_normal_,
            torch.nn.init.kaiming_uniform_,
            torch.nn.init.kaiming_normal_,
            torch.nn.init.xavier_uniform_,
            torch.nn.init.orthogonal_,
            torch.nn.init.zeros_,
            torch.nn.init.ones_,
            torch.nn.init.constant_,
        }
    )

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in self.FILLING and args and isinstance(args[0], torch.nn.Parameter):
            return args[0]
        return func(*args, **(kwargs or {}))


def _t3(found: Package, folder: Path, variant: Variant, device: Any, dtype: DType) -> Any:
    with Unfilled():
        t3 = found.T3(shape_of(variant, found))
    _fill(t3, folder / variant.tokens_file, device, dtype, skipped={UNUSED})
    if t3.is_gpt:
        del t3.tfmr.wte
    return t3.to(device).eval()


def _s3gen(found: Package, folder: Path, variant: Variant, device: Any) -> tuple[Any, Any, Any]:
    """S3Gen on the device; its tokenizer and speaker encoder apart, in host memory."""
    with Unfilled():
        s3gen = found.S3Gen(meanflow=variant.name == "turbo")
    loose = variant.name == "original"  # the package loads this file with strict=False
    _fill(
        s3gen,
        folder / variant.sound_file,
        torch.device("cpu"),
        torch.float32,
        absent=COMPUTED,
        loose=loose,
    )
    s3gen.eval()
    tokenizer, speaker_encoder = s3gen.tokenizer, s3gen.speaker_encoder
    del s3gen.tokenizer, s3gen.speaker_encoder
    return s3gen.to(device), tokenizer, speaker_encoder


def _fill(
    module: Any,
    file: Path,
    device: Any,
    dtype: DType,
    *,
    absent: frozenset[str] = frozenset(),
    skipped: Iterable[str] = (),
    loose: bool = False,
) -> None:
    """Every tensor of the file to its place in the module. `EngineUnavailable` unless they are the same, but for
    those that may be `absent`, and for others when `loose`. What is `skipped` is compared and not read."""
    held = module.state_dict()
    shapes = {name: tuple(value.shape) for name, value in held.items()}
    with opened(file, str(device)) as source:
        there = source.tensors
        expected = {n: s for n, s in shapes.items() if n in there or n not in absent}
        others = frozenset(n for n in there if n not in shapes and (loose or OF_OLD.fullmatch(n)))
        compare(expected, there, file, ENGINE, also=others, kinds=LOADABLE | {"I64"})
        for name in expected.keys() - set(skipped):
            kind = dtype if held[name].is_floating_point() else torch.int64
            # Copied, as a file that is mapped has its tensors at any address, where arithmetic is slower.
            _put(module, name, source.get(name).to(kind, copy=device.type == "cpu"))


def _put(module: Any, name: str, value: Any) -> None:
    path, _, leaf = name.rpartition(".")
    owner = module.get_submodule(path)
    if leaf in owner._buffers:
        owner._buffers[leaf] = value
    else:
        setattr(owner, leaf, torch.nn.Parameter(value, requires_grad=False))
