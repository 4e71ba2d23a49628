"""Small releases of Chatterbox with random weights, made of the package's own modules: nobody's training.

T3 has two layers and is otherwise as wide as the real one; S3Gen knows one size only, so it is the real one
(1 GB), made once in a session. Vocabularies are as large as the real ones and hold nonsense.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers.pre_tokenizers import ByteLevel

from ultraandchat.engines.chatterbox.load import shape_of
from ultraandchat.engines.chatterbox.package import Package, package
from ultraandchat.engines.chatterbox.variants import VARIANTS, Variant, VariantName

LAYERS = 2

LETTERS = " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'\"-;:"

TAGS = [f"[{name}]" for name in ("laugh", "chuckle", "cough", "sigh", "gasp", "groan", "sniff")]


@contextmanager
def small(layers: int = LAYERS) -> Iterator[None]:
    """While it is entered, T3 is made with few layers. The package knows its sizes from this table only."""
    backbones = package().backbones
    before = {name: dict(sizes) for name, sizes in backbones.items()}
    backbones["Llama_520M"]["num_hidden_layers"] = layers
    backbones["GPT2_medium"]["n_layer"] = layers
    try:
        yield
    finally:
        for name, sizes in before.items():
            backbones[name].clear()
            backbones[name].update(sizes)


def sound(folder: Path, *, turbo: bool) -> Path:
    """S3Gen's file, of 1 GB, unless it is there already."""
    file = folder / ("s3gen_meanflow.safetensors" if turbo else "s3gen.safetensors")
    if not file.exists():
        torch.manual_seed(1)
        weights = package().S3Gen(meanflow=turbo).state_dict()
        save_file({name: value.contiguous() for name, value in weights.items()}, file)
    return file


def release(name: VariantName, folder: Path, sounds: Path, *, layers: int = LAYERS) -> Path:
    """A whole folder of this variant; S3Gen is a link to the file in `sounds`."""
    variant, found = VARIANTS[name], package()
    folder.mkdir(parents=True, exist_ok=True)
    file = sound(sounds, turbo=name == "turbo")
    torch.manual_seed(2)
    with small(layers):
        write(folder / variant.tokens_file, found.T3(shape_of(variant, found)).state_dict())
    write(folder / variant.voice_file, found.VoiceEncoder().state_dict())
    if variant.sound_file.endswith(".pt"):
        torch.save(found.S3Gen().state_dict(), folder / variant.sound_file)
    else:
        (folder / variant.sound_file).symlink_to(file)
    tokenizer_of(variant, folder)
    return folder


def write(file: Path, weights: dict[str, Any]) -> None:
    """As the release has this file: safetensors, or torch's own."""
    if file.suffix == ".pt":
        torch.save(weights, file)
    else:
        save_file({name: value.contiguous() for name, value in weights.items()}, file)


def conditionals(found: Package, variant: Variant, seed: int = 3) -> Any:
    """The package's `Conditionals` of a voice that nobody has."""
    from chatterbox.tts import Conditionals

    numbers = torch.Generator().manual_seed(seed)
    tokens = shape_of(variant, found).speech_cond_prompt_len
    embedding = torch.randn(1, 256, generator=numbers)
    cond = found.T3Cond(
        speaker_emb=embedding / embedding.norm(),
        cond_prompt_speech_tokens=torch.randint(0, 6561, (1, tokens), generator=numbers),
        emotion_adv=0.5 * torch.ones(1, 1, 1),
    )
    heard = {
        "prompt_token": torch.randint(0, 6561, (1, 250), generator=numbers),
        "prompt_token_len": torch.tensor([250]),
        "prompt_feat": torch.randn(1, 500, 80, generator=numbers),
        "prompt_feat_len": None,
        "embedding": torch.randn(1, 192, generator=numbers),
    }
    return Conditionals(cond, heard)


def tokenizer_of(variant: Variant, folder: Path) -> None:
    if variant.name == "turbo":
        _gpt2(folder)
        return
    languages = [f"[{code}]" for code in variant.languages] if len(variant.languages) > 1 else []
    keys = [f"[cj_{key}]" for key in "abcdefghijklmnopqrstuvwxyz."] if languages else []
    special = ["[STOP]", "[UNK]", "[SPACE]", "[PAD]", "[SEP]", "[CLS]", "[MASK]"]
    letters = [letter for letter in LETTERS if letter != " "]
    names = [*special, *languages, *keys, *letters]
    # The models are trained with [START] at 255 and [STOP] at 0.
    names += [f"<{number}>" for number in range(len(names), 255)] + ["[START]"]
    vocabulary = {name: number for number, name in enumerate(names)}
    added = [name for name in names if name.startswith("[") and len(name) > 1]
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": vocabulary[name], "content": name, "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": False, "special": True}
            for name in added
        ],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": "[UNK]", "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
            "vocab": vocabulary, "merges": [],
        },
    }  # fmt: skip
    (folder / variant.tokenizer_files[0]).write_text(json.dumps(content), "utf-8")
    if languages:
        table = ["你\tonf", "好\tvnd", "世\tpt", "界\twoll"]
        (folder / "Cangjie5_TC.json").write_text(json.dumps(table), "utf-8")


def _gpt2(folder: Path) -> None:
    """Bytes, nonsense up to 50,257, and 19 tags, as there are 50,276 rows."""
    names = sorted(ByteLevel.alphabet())
    names += [f"<{number}>" for number in range(len(names), 50_256)] + ["<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({n: i for i, n in enumerate(names)}), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    tags = [*TAGS, *(f"[tag {number}]" for number in range(19 - len(TAGS)))]
    added = {tag: 50_257 + number for number, tag in enumerate(tags)}
    (folder / "added_tokens.json").write_text(json.dumps(added), "utf-8")
    decoder = {
        str(number): {"content": tag, "special": False, "lstrip": False, "rstrip": False,
                      "normalized": True, "single_word": False}
        for tag, number in added.items()
    }  # fmt: skip
    configuration = {"tokenizer_class": "GPT2Tokenizer", "model_max_length": 1024,
                     "unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>",
                     "eos_token": "<|endoftext|>", "added_tokens_decoder": decoder}  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(configuration), "utf-8")


def samples(seconds: float, rate: int, seed: int = 5) -> Any:
    """Something that is loud and changes: float32 within ±0.5."""
    numbers = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    hum = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 8))
    noise = numbers.standard_normal(len(time)) * 0.05
    return (0.15 * (hum * (1 + np.sin(2 * np.pi * 3 * time)) / 2 + noise)).astype(np.float32)
