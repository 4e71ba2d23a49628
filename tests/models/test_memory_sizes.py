"""The counted sizes of the releases' language models, against the modules that transformers makes of them."""

from typing import Any

import pytest
import torch

from ultraandchat.engines.ultravox.load import empty_language_model
from ultraandchat.engines.ultravox.memory import language_bytes
from ultraandchat.engines.ultravox.shapes import text_shape

LLAMA_8B = {
    "model_type": "llama", "vocab_size": 128_256, "hidden_size": 4096,
    "intermediate_size": 14_336, "num_hidden_layers": 32, "num_key_value_heads": 8,
}  # fmt: skip
LLAMA_1B = {
    "model_type": "llama", "vocab_size": 128_256, "hidden_size": 2048, "head_dim": 64,
    "intermediate_size": 8192, "num_hidden_layers": 16, "num_key_value_heads": 8,
    "tie_word_embeddings": True,
}  # fmt: skip
GEMMA_27B = {
    "model_type": "gemma3_text", "hidden_size": 5376, "head_dim": 128,
    "intermediate_size": 21_504, "num_hidden_layers": 62, "num_attention_heads": 32,
    "num_key_value_heads": 16,
}  # fmt: skip
QWEN_32B = {
    "model_type": "qwen3", "vocab_size": 151_936, "hidden_size": 5120,
    "intermediate_size": 25_600, "num_hidden_layers": 64, "num_attention_heads": 64,
    "num_key_value_heads": 8, "head_dim": 128,
}  # fmt: skip


@pytest.mark.parametrize(
    "config", [LLAMA_8B, LLAMA_1B, GEMMA_27B, QWEN_32B], ids=["8B", "1B", "27B", "32B"]
)
def test_every_number_of_a_full_size_model_is_counted(config: dict[str, Any]) -> None:
    model = empty_language_model(config, torch.bfloat16, "cpu")
    held = sum(parameter.nbytes for parameter in model.parameters())
    assert held == language_bytes(text_shape(config), "bf16")
