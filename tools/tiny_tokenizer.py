"""Writes the tokenizer of the tiny Ultravox checkpoints: `python tools/tiny_tokenizer.py tests/data/models/*/`.

Byte-level BPE with Llama 3's special tokens and a chat template like its own, in the vocabulary of 300
that the checkpoints have: 10 special tokens, 256 bytes, 34 merges. Every id means something, so whatever
random weights say can be decoded. Needs `tokenizers`.
"""

import json
import sys
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

SPECIAL = (
    "<|finetune_right_pad_id|>",
    "<|begin_of_text|>",  # 1, as the golden inputs have it
    "<|end_of_text|>",  # 2, their placeholder
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|reserved_special_token_0|>",
    "<|reserved_special_token_1|>",
    "<|reserved_special_token_2|>",
    "<|reserved_special_token_3|>",
)

MERGES = (
    "Ġ t,h e,i n,Ġ a,r e,o n,Ġt he,Ġ s,a t,o u,e n,Ġ w,e r,Ġ o,i s,in g,o r,Ġ b,a n,Ġ c,i t,l l,Ġ m,Ġ d,"
    "e s,Ġ f,s t,Ġ p,l e,e d,a r,Ġt o,Ġ y,Ġy ou"
)

CHAT_TEMPLATE = (
    "{{- bos_token }}"
    "{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'"
    " + message['content'] | trim + '<|eot_id|>' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}"
    "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}"
    "{%- endif %}"
)


def tiny_tokenizer() -> Tokenizer:
    """The tokenizer, its vocabulary exactly 0…299."""
    names = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    merges = [tuple(merge.split(" ")) for merge in MERGES.split(",")]
    names += ["".join(merge) for merge in merges]
    tokenizer = Tokenizer(BPE({name: number for number, name in enumerate(names)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(name, special=True, normalized=False) for name in SPECIAL]
    )
    return tokenizer


def main() -> None:
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|begin_of_text|>",
        "eos_token": "<|eot_id|>",
        "pad_token": "<|finetune_right_pad_id|>",
        "model_max_length": 2048,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    for folder in sys.argv[1:]:
        tiny_tokenizer().save(f"{folder}/tokenizer.json")
        Path(folder, "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")
        Path(folder, "generation_config.json").write_text(
            json.dumps({"bos_token_id": 1, "eos_token_id": [2, 5]}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
