"""Checkpoints as they may lie on a disk: in one piece, in parts, damaged, or of a kind we do not know."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engines.ultravox.support import (
    CHECKPOINTS,
    copied,
    read_arrays,
    reconfigured,
    taken_apart,
    write_arrays,
    write_shards,
)
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox.checkpoint import Checkpoint
from ultraandchat.engines.ultravox.memory import TURBO

V04, V06 = CHECKPOINTS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(V06, tmp_path / "ultravox")


def refused(folder: Path, *others: Path) -> EngineUnavailable:
    with pytest.raises(EngineUnavailable) as caught:
        Checkpoint.read(folder, *others)
    assert caught.value.engine == "ultravox"
    assert caught.value.remedy
    return caught.value


def test_one_piece_needs_nothing_else() -> None:
    for folder, in_the_middle in ((V04, False), (V06, True)):
        checkpoint = Checkpoint.read(folder)
        assert not checkpoint.needs_text_folder
        assert not checkpoint.needs_encoder_folder
        assert checkpoint.projector.norm_in_the_middle is in_the_middle
        assert checkpoint.tokenizer_folder == folder


def test_a_release_names_the_parts_that_it_lacks(tmp_path: Path) -> None:
    ultravox, text, audio = taken_apart(V04, tmp_path)
    alone = Checkpoint.read(ultravox)
    assert alone.needs_text_folder
    assert alone.text_model_id == "someone/text"
    assert alone.needs_encoder_folder
    assert alone.audio_model_id == "someone/audio"
    whole = Checkpoint.read(ultravox, text, audio)
    assert not whole.needs_text_folder
    assert not whole.needs_encoder_folder
    assert whole.tokenizer_folder == text
    assert len(whole.files) == 5  # projector, encoder, three shards
    assert set(whole.language_tensors) == set(Checkpoint.read(V04).language_tensors)


def test_a_fine_tuned_encoder_inside_is_taken_before_the_one_that_it_came_from(
    folder: Path, tmp_path: Path
) -> None:
    _, _, audio = taken_apart(V06, tmp_path / "parts")
    reconfigured(folder, audio_model_id="someone/audio")
    checkpoint = Checkpoint.read(folder, None, audio)
    assert {tensor.file.parent for tensor in checkpoint.encoder_tensors.values()} == {folder}


def test_another_language_model_takes_the_inner_ones_place(folder: Path, tmp_path: Path) -> None:
    _, text, _ = taken_apart(V06, tmp_path / "parts")
    checkpoint = Checkpoint.read(folder, text)
    assert {tensor.file.parent for tensor in checkpoint.language_tensors.values()} == {text}


@pytest.mark.parametrize("prefix", ["language_model.", "model.language_model."])
def test_of_a_language_model_that_also_sees_the_textual_part_is_taken(
    tmp_path: Path, prefix: str
) -> None:
    ultravox, text, audio = taken_apart(V06, tmp_path)
    plain = Checkpoint.read(ultravox, text, audio).language_tensors
    arrays = {}
    for name, tensor in plain.items():
        array = read_arrays(tensor.file)[tensor.name]
        if prefix.startswith("model."):
            name = name if name.startswith("lm_head") else prefix + name.removeprefix("model.")
            arrays[name] = array
        else:
            arrays[prefix + name] = array
    eyes = "model.vision_tower.x" if prefix.startswith("model.") else "vision_tower.x"
    write_shards(text, arrays | {eyes: np.zeros((2, 2), np.float32)})
    config = json.loads((text / "config.json").read_text())
    (text / "config.json").write_text(
        json.dumps({"model_type": "sees", "vision_config": {}, "text_config": config})
    )
    assert set(Checkpoint.read(ultravox, text, audio).language_tensors) == set(plain)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_projector_layers": 2}, "its projector is a transformer (num_projector_layers=2)"),
        ({"audio_latency_block_size": 100}, "in blocks (audio_latency_block_size=100)"),
        ({"projector_act": "gelu"}, "its projector's activation is 'gelu'"),
        ({"stack_factor": 0}, "its stack_factor is 0"),
        ({"audio_config": {"model_type": "wav2vec2"}}, "its audio encoder is of type 'wav2vec2'"),
        ({"audio_config": {"activation_function": "relu"}}, "another activation"),
        ({"text_config": {"model_type": "glm4_moe"}}, "its language model is of type 'glm4_moe'"),
        (
            {"text_config": {"quantization_config": {"quant_method": "fp8"}}},
            "its language model is stored quantised (fp8)",
        ),
        ({"model_type": "llama"}, "a model of type 'llama', not an Ultravox checkpoint"),
    ],
)  # fmt: skip
def test_what_it_cannot_run_is_refused_by_name(
    folder: Path, changes: dict[str, Any], words: str
) -> None:
    reconfigured(folder, **changes)
    assert words in refused(folder).reason


def test_the_tensors_of_a_released_encoder_are_487() -> None:
    """As fixie-ai/ultravox-v0_6-llama-3_1-8b holds them under `audio_tower.`."""
    assert len(TURBO.tensors()) == 487


def test_a_checkpoint_that_has_no_language_model_and_names_none(folder: Path) -> None:
    reconfigured(folder, text_config=None)
    error = refused(folder)
    assert "has no language model and names none" in error.reason
    assert "engines.ultravox.text_model" in error.remedy


def without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda arrays: arrays.__delitem__(name)


def put(name: str, *shape: int) -> Callable[[dict[str, Any]], None]:
    return lambda arrays: arrays.__setitem__(name, np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("multi_modal_projector.linear_1.weight"), "linear_1.weight [64, 256] is missing"),
        (
            put("multi_modal_projector.linear_2.weight", 64, 31),
            "linear_2.weight is [64, 31] where [64, 32] is expected",
        ),
        (put("multi_modal_projector.ln_post.weight", 64), "ln_post.weight [64] has no place"),
        (without("audio_tower.layers.1.fc2.bias"), "layers.1.fc2.bias [32] is missing"),
        (
            put("audio_tower.conv1.weight", 32, 80, 3),
            "conv1.weight is [32, 80, 3] where [32, 128, 3] is expected",
        ),
        (put("audio_tower.layers.2.fc2.bias", 32), "layers.2.fc2.bias [32] has no place"),
        (put("something.else", 1), "something.else [1] has no place"),
        (
            put("audio_tower.base_model.model.layers.0.self_attn.q_proj.lora_A.weight", 8, 32),
            "holds a LoRA adapter (audio_tower.base_model.model.layers.0.self_attn.q_proj.lora_A",
        ),
    ],
)  # fmt: skip
def test_a_tensor_that_does_not_fit_is_named(
    folder: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    arrays = read_arrays(folder / "model.safetensors")
    change(arrays)
    write_arrays(folder / "model.safetensors", arrays)
    assert words in refused(folder).reason


def test_the_other_releases_projector_is_missing_one_norm_and_has_another_too_many(
    folder: Path,
) -> None:
    reconfigured(folder, projector_ln_mid=False)
    assert "ln_post.weight [64] is missing (and 1 more)" in refused(folder).reason


def test_a_file_that_was_cut_short_says_by_how_much(folder: Path) -> None:
    file = folder / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1000])
    error = refused(folder)
    assert f"is cut short: {len(whole) - 1000} of {len(whole)} bytes are there" in error.reason
    assert "Delete it" in error.remedy


def test_missing_files_are_named(tmp_path: Path, folder: Path) -> None:
    ultravox, text, audio = taken_apart(V06, tmp_path / "parts")
    (text / "model-00002-of-00003.safetensors").unlink()
    assert "model-00002-of-00003.safetensors is missing" in refused(ultravox, text, audio).reason
    (folder / "model.safetensors").unlink()
    assert "has no model.safetensors" in refused(folder).reason
    (folder / "pytorch_model.bin").touch()
    assert "as pickles (*.bin)" in refused(folder).reason
    (folder / "config.json").unlink()
    assert "config.json cannot be read (No such file or directory)" in refused(folder).reason


def test_an_index_that_promises_too_much(tmp_path: Path) -> None:
    ultravox, text, audio = taken_apart(V06, tmp_path)
    index = json.loads((text / "model.safetensors.index.json").read_text())
    index["weight_map"]["model.more"] = "model-00001-of-00003.safetensors"
    (text / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "lacks model.more, which its index promises" in refused(ultravox, text, audio).reason


def test_a_tensor_of_a_quantised_kind_is_refused(folder: Path) -> None:
    file = folder / "model.safetensors"
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header["audio_tower.conv1.bias"]["dtype"] = "I32"
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    assert "conv1.bias is stored as I32" in refused(folder).reason


ANY = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers())


def is_read(folder: Path) -> bool:
    """False for a refusal; anything else that comes out is an error."""
    try:
        Checkpoint.read(folder)
    except EngineUnavailable:
        return False
    return True


@given(
    st.binary(max_size=200)
    | st.binary(max_size=100).map(lambda text: struct.pack("<Q", len(text)) + text)
)
def test_whatever_bytes_a_file_has_they_are_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = copied(V06, tmp_path_factory.mktemp("any") / "ultravox")
    (folder / "model.safetensors").write_bytes(content)
    assert not is_read(folder)


@given(
    st.dictionaries(
        st.text(max_size=5),
        ANY
        | st.fixed_dictionaries(
            {},
            optional={"dtype": st.just("F32") | ANY, "shape": ANY, "data_offsets": ANY},
        ),
        max_size=3,
    )
)
def test_whatever_a_header_says_it_is_refused(
    tmp_path_factory: pytest.TempPathFactory, header: dict[str, Any]
) -> None:
    folder = copied(V06, tmp_path_factory.mktemp("any") / "ultravox")
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    assert not is_read(folder)


KEYS = [
    "stack_factor", "hidden_size", "projector_act", "projector_ln_mid", "model_type",
    "audio_config", "text_config", "text_model_id", "audio_model_id", "audio_latency_block_size",
]  # fmt: skip
INNER = [
    "model_type", "d_model", "encoder_layers", "hidden_size", "num_attention_heads", "vocab_size",
    "num_key_value_heads", "quantization_config", "activation_function", "num_mel_bins",
]  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(KEYS), ANY | st.dictionaries(st.sampled_from(INNER), ANY), max_size=4
    )
)
def test_whatever_a_configuration_says_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any]
) -> None:
    folder = copied(V06, tmp_path_factory.mktemp("any") / "ultravox")
    config = json.loads((V06 / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    assert is_read(folder) in (True, False)
