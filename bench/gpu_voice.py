"""Chatterbox Turbo of random numbers, made on the device: what it says is a hiss, what it costs is real.

Nothing is downloaded. Clauses have the length that their text would usually take, whatever T3 would rather.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from bench.gpu_small_sound import small_s3gen
from ultraandchat.engines.chatterbox.load import shape_of
from ultraandchat.engines.chatterbox.pace import USUAL, USUAL_MORE_S
from ultraandchat.engines.chatterbox.package import package
from ultraandchat.engines.chatterbox.roles import PreparedVoice, Taste, Token, Writer
from ultraandchat.engines.chatterbox.sounder import S3Sounder
from ultraandchat.engines.chatterbox.speaking import Chatterbox
from ultraandchat.engines.chatterbox.variants import (
    SPEECH_TOKENS,
    STOP_TOKEN,
    TOKEN_RATE,
    TURBO,
    WINDOW,
)
from ultraandchat.engines.chatterbox.watermark import PerthWatermark
from ultraandchat.engines.chatterbox.writer import T3Writer
from ultraandchat.engines.worker_wire import Progress

LETTERS = 4
"""Of the text in one token: about as GPT-2 has it."""
CLIP_TOKENS = 250
"""Of the reference clip that S3Gen goes on from: 10 s."""

TINY = {
    "n_layer": 2,
    "n_embd": 64,
    "hidden_size": 64,
    "n_head": 4,
    "n_positions": WINDOW,
    "n_ctx": WINDOW,
}


def made(device: str, precision: str, *, tiny: bool) -> tuple[Any, Any]:
    """T3 in `precision` and S3Gen in float32, as they are loaded."""
    found, where = package(), torch.device(device)
    torch.manual_seed(1)
    before = dict(found.backbones["GPT2_medium"])
    found.backbones["GPT2_medium"].update(TINY if tiny else {})
    try:
        t3 = found.T3(shape_of(TURBO, found))
    finally:
        found.backbones["GPT2_medium"].update(before)
    del t3.tfmr.wte
    with torch.no_grad():
        t3.speech_head.bias[STOP_TOKEN] = -1e4  # its lengths are forced
    t3 = t3.to(where, torch.float32 if precision == "fp32" else torch.bfloat16).eval()
    if tiny:
        return t3, small_s3gen(where)
    s3gen = found.S3Gen(meanflow=True)
    del s3gen.tokenizer, s3gen.speaker_encoder  # they hear clips, and are not on the device either
    return t3, s3gen.to(where).eval()


def voice(device: str, *, tiny: bool) -> PreparedVoice:
    """Nobody's, in the shapes of a clip of 15 s; tiny, of one of a second."""
    clip = 25 if tiny else CLIP_TOKENS
    where, numbers = torch.device(device), torch.Generator().manual_seed(2)

    def spoken(count: int) -> Any:
        return torch.randint(0, SPEECH_TOKENS, (1, count), generator=numbers).to(where)

    return PreparedVoice(
        name="nobody",
        digest="nobody",
        writer={
            "speaker_emb": torch.randn(1, 256, generator=numbers).to(where),
            "cond_prompt_speech_tokens": spoken(clip * 3 // 2),
        },
        sounder={
            "prompt_token": spoken(clip),
            "prompt_token_len": torch.tensor([clip], device=where),
            "prompt_feat": (torch.randn(1, 2 * clip, 80, generator=numbers) - 3).to(where),
            "prompt_feat_len": None,
            "embedding": torch.randn(1, 192, generator=numbers).to(where),
        },
    )


def numbers_of(text: str, language: str) -> list[int]:
    """Stands for the tokenizer."""
    pieces = (text[at : at + LETTERS] for at in range(0, len(text), LETTERS))
    return [sum(map(ord, piece)) % 50_000 for piece in pieces]


def usual_tokens(text: Sequence[int]) -> int:
    """Speech tokens of a text of these numbers, by the guard's own account of speech."""
    return round(TOKEN_RATE * (USUAL_MORE_S + len(text) * LETTERS / USUAL))


def marking(device: str, *, tiny: bool) -> PerthWatermark | None:
    """Perth itself, which the package brings; it is not made smaller, and the processor does without."""
    if tiny:
        return None
    mark = PerthWatermark(device)
    mark.warm()
    return mark


class Forced:
    """A `Writer` that stops when the text should be over, and has no doubts: the guard has nothing to say."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def write(
        self, voice: PreparedVoice, text: Sequence[int], taste: Taste, seed: int
    ) -> Iterator[Token]:
        tokens = self._writer.write(voice, text, taste, seed)
        for _, token in zip(range(usual_tokens(text)), tokens, strict=False):
            yield Token(token.number, 1.0, None)
        tokens.close()  # type: ignore[attr-defined]  # a generator, told as an Iterator
        yield Token(STOP_TOKEN, 1.0, None)


class Alone:
    """`Voices` with one."""

    def __init__(self, voice: PreparedVoice) -> None:
        self._voice = voice

    def get(self, name: str, clip: str) -> PreparedVoice:
        return self._voice


def opened(
    t3: Any,
    s3gen: Any,
    voice: PreparedVoice,
    mark: PerthWatermark | None,
    *,
    slots: int,
    graph: bool,
    progress: Progress,
) -> Chatterbox:
    """The worker's model, warm."""
    writer = T3Writer(t3, TURBO, window=WINDOW, slots=slots, graph=graph, progress=progress)
    sounder = S3Sounder(s3gen, TURBO, progress=progress)
    sounder.warm()
    return Chatterbox(Forced(writer), sounder, numbers_of, Alone(voice), mark, TURBO)
