"""A full-size Ultravox of random numbers, made on the device: what it says is nonsense, what it costs is real.

Nothing is downloaded and no tokenizer is needed: a token is a word of four letters, both ways, so what the
model wrote is recognised in the history of the next turn as it would be with a real tokenizer.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ultraandchat.engines.ultravox.checkpoint import Checkpoint
from ultraandchat.engines.ultravox.embedding import Ears
from ultraandchat.engines.ultravox.int8 import Int8Linear, with_int8
from ultraandchat.engines.ultravox.load import Loaded, empty_encoder, empty_language_model
from ultraandchat.engines.ultravox.mel import Mel
from ultraandchat.engines.ultravox.memory import TURBO, Precision
from ultraandchat.engines.ultravox.projector import Projector
from ultraandchat.engines.ultravox.shapes import AudioShape, ProjectorShape, text_shape

LLAMA_8B: dict[str, Any] = {
    "model_type": "llama", "vocab_size": 128_256, "hidden_size": 4096, "intermediate_size": 14_336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
    "max_position_embeddings": 131_072, "rms_norm_eps": 1e-5, "rope_theta": 500_000.0,
    "rope_scaling": {
        "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192, "rope_type": "llama3",
    },
}  # fmt: skip
"""meta-llama/Llama-3.1-8B-Instruct, as its config.json has it."""

TINY: dict[str, Any] = {
    "model_type": "llama", "vocab_size": 300, "hidden_size": 64, "intermediate_size": 128,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
}  # fmt: skip
TINY_AUDIO = AudioShape(mel_bins=128, width=32, layers=2, heads=2, inner=64, positions=1500)

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORD = 4
"""Letters of a token: 26⁴ are more than any vocabulary."""


def sizes(tiny: bool) -> Checkpoint:
    """What is to be made; its folder is nowhere."""
    config = TINY if tiny else LLAMA_8B
    return Checkpoint(
        folder=Path("/random numbers"),
        text_folder=None,
        text_model_id="",
        audio_model_id="",
        audio=TINY_AUDIO if tiny else TURBO,
        projector=ProjectorShape(8, 64 if tiny else 4096, norm_in_the_middle=True),
        text=text_shape(config),
        text_config=config,
        encoder_tensors={},
        projector_tensors={},
        language_tensors={},
    )


def made(checkpoint: Checkpoint, device: str, precision: Precision) -> Loaded:
    """What `load` gives, of random numbers."""
    audio, text = checkpoint.audio, checkpoint.text
    if audio is None or text is None:
        raise ValueError("nothing is known of its encoder or its language model")
    where, dtype = torch.device(device), torch.float32 if precision == "fp32" else torch.bfloat16
    torch.manual_seed(1)
    language = empty_language_model(checkpoint.text_config or {}, dtype, where)
    if precision == "int8":
        with_int8(language)
    encoder = empty_encoder(audio, dtype)
    for model in (language, encoder):
        _fill(model, where)
    shapes = checkpoint.projector.tensors(audio.width, text.width)
    projector = {name: _random(shape, dtype, where) for name, shape in shapes.items()}
    stack = checkpoint.projector.stack
    ears = Ears(
        Mel(audio.mel_bins, where), encoder.eval(), Projector(projector, stack), stack, dtype
    )
    return Loaded(language.eval(), Words(text.vocabulary), checkpoint, where, dtype, ears)


def _fill(model: Any, device: Any) -> None:
    for module in model.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            value = _random(tuple(parameter.shape), parameter.dtype, device)
            setattr(module, name, torch.nn.Parameter(value, requires_grad=False))
        if isinstance(module, Int8Linear):
            module.take(_random(tuple(module.weight.shape), module.scale.dtype, device))


def _random(shape: tuple[int, ...], dtype: Any, device: Any) -> Any:
    """Norms near one, matrices small: no pass of any depth overflows."""
    values = torch.empty(shape, dtype=dtype, device=device)
    return values.fill_(1.0) if len(shape) == 1 else values.normal_(0, 0.02)


class Words:
    """Stands for a tokenizer: `encode` and `decode` undo each other."""

    chat_template = "of our own"
    eos_token_id = None
    added_tokens_decoder: Mapping[int, Any] = {}

    def __init__(self, vocabulary: int) -> None:
        self._vocabulary = vocabulary

    def encode(self, text: str, add_special_tokens: bool = False) -> list[int]:
        """One token for every four characters, about as many as English has."""
        return [self._number(text[at : at + WORD]) for at in range(0, len(text), WORD)]

    def decode(self, tokens: list[int], **ignored: Any) -> str:
        return "".join(self._word(token) for token in tokens)

    def get_vocab(self) -> dict[str, int]:
        return {}

    def apply_chat_template(
        self, messages: list[dict[str, str]], add_generation_prompt: bool, **ignored: Any
    ) -> str:
        """As long as Llama 3's own."""
        said = [f"<<{message['role']:16}>>{message['content']}<.>" for message in messages]
        return "".join(said) + ("<<assistant       >>" if add_generation_prompt else "")

    def _number(self, word: str) -> int:
        number = 0
        for letter in word:
            number = number * len(LETTERS) + max(LETTERS.find(letter), 0)
        return number % self._vocabulary

    def _word(self, token: int) -> str:
        letters = []
        for _ in range(WORD):
            token, letter = divmod(token, len(LETTERS))
            letters.append(LETTERS[letter])
        return "".join(reversed(letters))
