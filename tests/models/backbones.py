"""Tiny language models of random weights, one of each kind that Ultravox has been trained on."""

from functools import cache
from typing import Any

import torch
from transformers import Gemma3TextConfig, LlamaConfig, Qwen3Config
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

WINDOW = 96

SMALL = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
}

CONFIGS = {
    "llama": lambda: LlamaConfig(**SMALL),
    "qwen3": lambda: Qwen3Config(**SMALL),
    # Two layers that see 16 tokens, one that sees all: what has to be masked depends on the layer.
    "gemma3": lambda: Gemma3TextConfig(
        **SMALL,
        sliding_window=16,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    ),
}


@cache
def backbone(kind: str) -> Any:
    torch.manual_seed(7)
    return AutoModelForCausalLM.from_config(
        CONFIGS[kind](), dtype=torch.float32, attn_implementation="sdpa"
    ).eval()


def fresh_logits(kind: str, tokens: list[int]) -> Any:
    """After `tokens`, by one pass over all of them, without any cache."""
    with torch.no_grad():
        return backbone(kind)(input_ids=torch.tensor([tokens]), use_cache=False).logits[0, -1]
