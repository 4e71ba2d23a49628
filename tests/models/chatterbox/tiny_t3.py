"""The package's own T3 with random weights and few layers, and voices for it."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any
from unittest.mock import patch

import torch
from chatterbox.models.t3 import T3
from chatterbox.models.t3 import t3 as package
from chatterbox.models.t3.llama_configs import LLAMA_CONFIGS
from chatterbox.models.t3.modules.cond_enc import T3Cond
from chatterbox.models.t3.modules.t3_config import T3Config

from ultraandchat.engines.chatterbox.heads import Head
from ultraandchat.engines.chatterbox.roles import PreparedVoice, Taste, Token
from ultraandchat.engines.chatterbox.variants import (
    SPEECH_TOKENS,
    START_TOKEN,
    STOP_TOKEN,
    VARIANTS,
    Variant,
    VariantName,
)
from ultraandchat.engines.chatterbox.writer import T3Writer

NAMES: tuple[VariantName, ...] = ("turbo", "original", "multilingual")

SMALL = {
    "Llama_520M": {"num_hidden_layers": 2, "intermediate_size": 64},
    "GPT2_medium": {
        "n_layer": 3,
        "n_embd": 64,
        "hidden_size": 64,
        "n_head": 4,
        "vocab_size": 8,
        "n_positions": 700,
        "n_ctx": 700,
    },
}
"""The hidden size on Llama is that of the package's Perceiver, which has it written in."""

TEXT = [5, 9, 14, 200, 33, 7, 7, 81, 4, 19]

WINDOW = 512


def hyperparameters(name: VariantName) -> Any:
    """As the package's own loaders set them; Turbo's vocabulary of text is cut."""
    if name == "original":
        return T3Config.english_only()
    if name == "multilingual":
        return T3Config.multilingual()
    hp = T3Config(text_tokens_dict_size=300)
    hp.llama_config_name = "GPT2_medium"
    hp.speech_tokens_dict_size = 6563
    hp.input_pos_emb = None
    hp.speech_cond_prompt_len = 375
    hp.use_perceiver_resampler = False
    hp.emotion_adv = False
    return hp


@contextmanager
def small() -> Iterator[None]:
    before = copy.deepcopy(LLAMA_CONFIGS)
    for name, config in LLAMA_CONFIGS.items():
        config.update(SMALL[name])
    yield
    for name, config in LLAMA_CONFIGS.items():
        config.update(before[name])


@cache
def _made(name: VariantName) -> Any:
    with small():
        torch.manual_seed(3)
        t3 = T3(hyperparameters(name)).eval()
    if name == "turbo":
        del t3.tfmr.wte
    with torch.no_grad():
        # A tiny random model prefers nothing and looks nowhere; this one has tokens that it likes.
        t3.speech_head.weight *= 6.0 if name == "turbo" else 8.0
        # It always likes much the same tokens, so that they repeat.
        t3.speech_emb.weight += 2 * torch.randn(t3.dim)
        # Nor would a trained one write what is no sound; without weight it is too unlikely for top_k and min_p.
        t3.speech_head.weight[START_TOKEN] = 0
        t3.speech_head.weight[STOP_TOKEN + 1 :] = 0
        for layer in t3.tfmr.h if t3.is_gpt else t3.tfmr.layers:
            if t3.is_gpt:
                layer.attn.c_attn.weight *= 12.0
            else:
                layer.self_attn.q_proj.weight *= 6.0
    return t3


def tiny(name: VariantName) -> Any:
    """One of its own: what watches its attention writes into its modules."""
    return copy.deepcopy(_made(name))


def voice(name: VariantName, seed: int = 0) -> PreparedVoice:
    random = torch.Generator().manual_seed(seed)
    spoken = 40 if name == "turbo" else 150
    return PreparedVoice(
        name="someone",
        digest=f"{name} {seed}",
        writer={
            "speaker_emb": torch.randn(1, 256, generator=random),
            "cond_prompt_speech_tokens": torch.randint(
                0, SPEECH_TOKENS, (1, spoken), generator=random
            ),
        },
        sounder={},
    )


def taste(variant: Variant, **more: float) -> Taste:
    own: dict[str, Any] = {field: getattr(variant, field) for field in Taste.__dataclass_fields__}
    return Taste(**(own | more))


def writer_of(
    name: VariantName,
    *,
    graph: bool = True,
    slots: int = 2,
    window: int = WINDOW,
    heads: Sequence[Head] | None = None,
    t3: Any = None,
) -> T3Writer:
    return T3Writer(
        t3 or tiny(name),
        VARIANTS[name],
        window=window,
        slots=slots,
        graph=graph,
        progress=lambda *told: None,
        aligned_heads=heads,
    )


@cache
def ready(name: VariantName, *, graph: bool = True, slots: int = 2) -> T3Writer:
    """One for all tests that leave it as it was."""
    return writer_of(name, graph=graph, slots=slots)


def first(tokens: Iterator[Token], count: int) -> list[Token]:
    """The first `count`, or as many as there are; then nobody wants more."""
    written = list(islice(tokens, count))
    tokens.close()  # type: ignore[attr-defined]
    return written


class Unmoved:
    """In the place of the package's analyzer, which forces an end where it sees one, out of heads that the
    tiny model lacks."""

    def __init__(self, *rest: Any, eos_idx: int, **more: Any) -> None:
        self.eos_idx = eos_idx

    def step(self, logits: Any, **more: Any) -> Any:
        return logits


def by_the_package(
    name: VariantName,
    heard: PreparedVoice,
    text: list[int],
    wish: Taste,
    seed: int,
    count: int,
    *,
    t3: Any = None,
    analyzer: Any = Unmoved,
) -> list[int]:
    """What the package's own loop writes: at most `count`, and what of it is sound or the end."""
    t3 = t3 or tiny(name)
    condition = T3Cond(
        speaker_emb=heard.writer["speaker_emb"],
        cond_prompt_speech_tokens=heard.writer["cond_prompt_speech_tokens"],
        emotion_adv=wish.exaggeration * torch.ones(1, 1, 1),
    )
    torch.manual_seed(seed)
    if name == "turbo":
        found = t3.inference_turbo(
            condition,
            torch.tensor([text]),
            temperature=wish.temperature,
            top_k=wish.top_k,
            top_p=wish.top_p,
            repetition_penalty=wish.repetition_penalty,
            max_gen_len=count - 1,
        )
    else:
        framed = [t3.hp.start_text_token, *text, t3.hp.stop_text_token]
        with patch.object(package, "AlignmentStreamAnalyzer", analyzer):
            found = t3.inference(
                t3_cond=condition,
                text_tokens=torch.tensor([framed, framed]),
                max_new_tokens=count,
                temperature=wish.temperature,
                top_p=wish.top_p,
                min_p=wish.min_p,
                repetition_penalty=wish.repetition_penalty,
                cfg_weight=wish.guidance,
            )
    numbers = found[0].tolist()
    assert START_TOKEN not in numbers, "a seed that shows nothing"
    return [n for n in numbers if n < SPEECH_TOKENS or n == STOP_TOKEN]
