"""From the disk to the device: in parts, in shards, smaller, and every language model of the releases."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, WhisperConfig

from tests.engines.ultravox.support import (
    CHECKPOINTS,
    clip_samples,
    copied,
    read_arrays,
    taken_apart,
    write_arrays,
)
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox.checkpoint import Checkpoint
from ultraandchat.engines.ultravox.int8 import Int8Linear
from ultraandchat.engines.ultravox.load import Loaded, load
from ultraandchat.engines.ultravox.memory import Precision, language_bytes
from ultraandchat.engines.ultravox.shapes import TEXT, WHISPER, text_shape

V04, V06 = CHECKPOINTS


def loaded(checkpoint: Checkpoint, precision: Precision = "fp32") -> Loaded:
    return load(checkpoint, device="cpu", precision=precision, progress=lambda *told: None)


def logits(model: Loaded, clip: str = "yes") -> Any:
    (embedded,) = model.embed_audio([clip_samples(clip)])
    with torch.no_grad():
        return model.language(inputs_embeds=embedded[None]).logits.float()


def test_in_parts_and_shards_it_is_the_same_and_says_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    apart = load(
        Checkpoint.read(*taken_apart(V04, tmp_path)),
        device="cpu",
        precision="fp32",
        progress=lambda *what: told.append(what),
    )
    assert torch.equal(logits(apart), logits(loaded(Checkpoint.read(V04))))
    assert told == [("load", done, 5) for done in range(6)]
    assert apart.tokenizer.decode(apart.tokenizer.encode("Grüß dich")) == "Grüß dich"


def test_without_its_parts_it_says_which_is_missing(tmp_path: Path) -> None:
    ultravox, text, _ = taken_apart(V04, tmp_path)
    with pytest.raises(EngineUnavailable, match="someone/text is missing"):
        loaded(Checkpoint.read(ultravox))
    with pytest.raises(EngineUnavailable, match="someone/audio is missing"):
        loaded(Checkpoint.read(ultravox, text))


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("lm_head.weight", None, "lm_head.weight [300, 64] is missing"),
        ("model.norm.weight", (63,), "model.norm.weight is [63] where [64] is expected"),
        ("model.more.weight", (1,), "model.more.weight [1] has no place"),
    ],
)
def test_a_tensor_of_the_language_model_that_does_not_fit_is_named(
    tmp_path: Path, name: str, shape: tuple[int, ...] | None, words: str
) -> None:
    folder = copied(V06, tmp_path / "ultravox")
    arrays = read_arrays(folder / "model.safetensors")
    full = f"language_model.{name}"
    if shape is None:
        del arrays[full]
    else:
        arrays[full] = np.zeros(shape)
    write_arrays(folder / "model.safetensors", arrays)
    with pytest.raises(EngineUnavailable) as caught:
        loaded(Checkpoint.read(folder))
    assert words in caught.value.reason


def test_bf16_is_near() -> None:
    model = loaded(Checkpoint.read(V06), "bf16")
    assert {p.dtype for p in model.language.parameters()} == {torch.bfloat16}
    exact = logits(loaded(Checkpoint.read(V06)))
    assert (logits(model) - exact).abs().max() < 0.05 * exact.abs().max()


def test_int8_is_near_and_as_small_as_it_was_counted() -> None:
    checkpoint = Checkpoint.read(V06)
    model = loaded(checkpoint, "int8")
    exact = logits(loaded(checkpoint))
    assert (logits(model) - exact).abs().max() < 0.05 * exact.abs().max()
    small = [m for m in model.language.modules() if isinstance(m, Int8Linear)]
    assert len(small) == 2 * 7
    held = sum(p.nbytes for p in model.language.parameters())
    held += sum(each.weight.nbytes + each.scale.nbytes for each in small)
    assert checkpoint.text is not None
    assert held == language_bytes(checkpoint.text, "int8")


def test_a_row_of_zeros_and_an_outlier_survive_eight_bits() -> None:
    linear = torch.nn.Linear(32, 3, bias=True)
    weight = torch.randn(3, 32, generator=torch.Generator().manual_seed(1))
    weight[0] = 0
    weight[1, 5] = 100
    small = Int8Linear(linear)
    small.take(weight)
    hidden = torch.ones(2, 32)
    with torch.no_grad():
        found, exact = small(hidden), hidden @ weight.T + linear.bias
    assert torch.equal(found[:, 0], exact[:, 0])
    assert (found - exact).abs().max() < 32 * 100 / 127 / 2


TINY = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 300,
}  # fmt: skip

ROPE_OF_LLAMA_3 = {
    "rope_theta": 500_000.0,
    "rope_scaling": {
        "factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192, "rope_type": "llama3",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "llama", **ROPE_OF_LLAMA_3},
        {"model_type": "llama", "tie_word_embeddings": True, **ROPE_OF_LLAMA_3},
        {"model_type": "qwen3"},
        {"model_type": "gemma3_text", "sliding_window": 16},
    ],
    ids=["llama", "llama-tied", "qwen3", "gemma3"],
)
def test_every_backbone_is_what_transformers_makes_of_it(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    """Weights, and what no file holds: rotary frequencies, Gemma's scale of the embedding."""
    ultravox, text, audio = taken_apart(V06, tmp_path)
    full = {**config, **TINY}
    torch.manual_seed(1)
    original = AutoModelForCausalLM.from_config(AutoConfig.for_model(**full)).eval()
    arrays = {name: value.detach().numpy() for name, value in original.named_parameters()}
    (text / "model.safetensors.index.json").unlink()
    write_arrays(text / "model.safetensors", arrays)
    (text / "config.json").write_text(json.dumps(full))
    projector = read_arrays(ultravox / "model.safetensors")
    projector["multi_modal_projector.linear_2.weight"] = projector[
        "multi_modal_projector.linear_2.weight"
    ][:32]
    write_arrays(ultravox / "model.safetensors", projector)
    checkpoint = Checkpoint.read(ultravox, text, audio)
    model = loaded(checkpoint)
    ids = torch.arange(3, 43)[None]
    with torch.no_grad():
        assert torch.equal(model.language(ids).logits, original(ids).logits)
    assert checkpoint.text is not None
    assert sum(array.nbytes for array in arrays.values()) == language_bytes(checkpoint.text, "fp32")


def test_what_a_configuration_leaves_out_is_what_transformers_puts_there() -> None:
    for kind, defaults in TEXT.items():
        config = AutoConfig.for_model(kind)
        assert defaults == {key: getattr(config, key) for key in defaults}
        shape = text_shape({"model_type": kind})
        assert shape.kv_heads == config.num_key_value_heads
        assert shape.head == config.head_dim
    assert {key: getattr(WhisperConfig(), key) for key in WHISPER} == WHISPER


def test_the_tiny_tokenizer_is_one_of_transformers_own() -> None:
    """Every id is a text, Llama's names are single tokens, and text comes back as it was."""
    for folder in CHECKPOINTS:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        assert len(tokenizer) == 300
        assert all(tokenizer.convert_ids_to_tokens(number) for number in range(300))
        text = "Grüß dich, you there 😀"
        assert tokenizer.decode(tokenizer.encode(text)) == text
        said = tokenizer.apply_chat_template(
            [{"role": "user", "content": " Hi "}], add_generation_prompt=True, tokenize=False
        )
        assert said == (
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n"
        )
        assert tokenizer.encode("<|begin_of_text|><|end_of_text|><|eot_id|>") == [1, 2, 5]
