"""Small tokenizers of every kind there is, with the chat templates of the models that have them."""

from functools import cache
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from tests.engines.ultravox.support import CHECKPOINTS

LLAMA = "llama"
QWEN = "qwen"
GEMMA = "gemma"
KINDS = (LLAMA, QWEN, GEMMA)

QWEN_TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\n' + message.content"
    " + '<|im_end|>' + '\n' }}{%- endfor %}{%- if add_generation_prompt %}"
    "{{- '<|im_start|>assistant\n' }}{%- if enable_thinking is defined and enable_thinking is false %}"
    "{{- '<think>\n\n</think>\n\n' }}{%- endif %}{%- endif %}"
)
"""As Qwen 3's, without tools."""

GEMMA_TEMPLATE = (
    "{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}"
    "{%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}"
    "{%- set loop_messages = messages[1:] -%}{%- else -%}{%- set first_user_prefix = '' -%}"
    "{%- set loop_messages = messages -%}{%- endif -%}{%- for message in loop_messages -%}"
    "{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{%- endif -%}{%- if (message['role'] == 'assistant') -%}{%- set role = 'model' -%}"
    "{%- else -%}{%- set role = message['role'] -%}{%- endif -%}"
    "{{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else '') }}"
    "{{ message['content'] | trim }}{{ '<end_of_turn>\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}"
)
"""As Gemma 3's, without pictures: the system prompt goes before the first turn, which must be the user's."""


@cache
def vocabulary(kind: str) -> Any:
    """A tokenizer of this kind, as transformers loads it."""
    if kind == LLAMA:
        return PreTrainedTokenizerFast.from_pretrained(CHECKPOINTS[0])
    if kind == QWEN:
        control = {"<|endoftext|>": True, "<|im_start|>": True, "<|im_end|>": True}
        control |= {"<think>": False, "</think>": False}
        return _made(_byte_level(list(control)), control, QWEN_TEMPLATE, "<|im_end|>")
    control = {"<bos>": True, "<eos>": True, "<start_of_turn>": True, "<end_of_turn>": True}
    return _made(_spaces_as_marks(list(control)), control, GEMMA_TEMPLATE, "<eos>")


def _byte_level(first: list[str]) -> Tokenizer:
    names = [*first, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(BPE({name: number for number, name in enumerate(names)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _spaces_as_marks(first: list[str]) -> Tokenizer:
    """As SentencePiece does it: spaces are marks before words, unknown characters are bytes."""
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    letters = ["▁", *map(chr, range(33, 127)), "\n", "▁H", "▁Ho", "▁t", "lo"]
    names = [*first, *bytes_, *dict.fromkeys(letters)]
    model = BPE(
        {name: number for number, name in enumerate(names)},
        [("▁", "H"), ("▁H", "o"), ("▁", "t"), ("l", "o")],
        byte_fallback=True,
        fuse_unk=True,
    )
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return tokenizer


def _made(tokenizer: Tokenizer, control: dict[str, bool], template: str, end: str) -> Any:
    tokenizer.add_tokens(
        [AddedToken(name, special=special, normalized=False) for name, special in control.items()]
    )
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=end, bos_token="<bos>")
    made.chat_template = template
    return made
