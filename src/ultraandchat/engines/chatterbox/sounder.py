"""Chatterbox's sound as it is spoken: S3Gen's flow and its vocoder, block by block. Worker's side.

Everything is computed in float32, as the package does: the weights that speak are half a gigabyte, and HiFT's
exponentials, phases and inverse transform do not bear a shorter format.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from ultraandchat.audio.frame import Samples
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.chunks import Chunk, Chunks, Plan
from ultraandchat.engines.chatterbox.flow import Flow, Timbre
from ultraandchat.engines.chatterbox.joins import blend, fade_out
from ultraandchat.engines.chatterbox.noise import Noise
from ultraandchat.engines.chatterbox.roles import PreparedVoice
from ultraandchat.engines.chatterbox.stretch import Stretch
from ultraandchat.engines.chatterbox.variants import (
    FRAMES_PER_TOKEN,
    SAMPLES_PER_FRAME,
    SILENCE_TOKEN,
    SPEECH_TOKENS,
    Variant,
)
from ultraandchat.engines.chatterbox.vocoder import Vocoder
from ultraandchat.engines.worker_wire import Progress

SLOWEST, FASTEST = 0.5, 2.0

SILENCE = 3
"""Tokens of silence after a clause, as Turbo's `generate` adds them: the last of its own have a lookahead."""

BLENDED = 2
"""Mel frames (40 ms) over which a block is faded over from those that the one before had ahead."""

CUT_FADE = SAMPLES_PER_FRAME
"""Samples (20 ms) of the fade where a clause was cut short."""

WARM_CLIP = 250
"""Tokens of the longest clip that S3Gen hears: 10 s."""


class S3Sounder:
    """The `Sounder` of `roles.py`. Its clauses are independent and may be made by turns, by one thread."""

    def __init__(
        self, s3gen: Any, variant: Variant, *, progress: Progress, plan: Plan | None = None
    ):
        """`s3gen`: the package's `S3Gen`, loaded, in float32, on its device. Its tokenizer and its speaker encoder
        are not used here."""
        s3gen.eval()
        self._flow = Flow(s3gen, variant.steps)
        self._vocoder = Vocoder(s3gen.mel2wav)
        self._fade_in: torch.Tensor = s3gen.trim_fade
        self._plan = plan or Plan()
        self._progress = progress

    def open(self, voice: PreparedVoice, seed: int, speed: float) -> "S3Sounding":
        """A clause. `EngineError` where the voice is unfit, or `speed` not between 0.5 and 2."""
        if not SLOWEST <= speed <= FASTEST:
            raise EngineError("chatterbox", f"a speed of {speed:g} is not between 0.5 and 2")
        return self._open(self._flow.timbre(voice), seed, speed)

    def warm(self) -> None:
        """One clause of silence through all shapes of blocks, so that kernels and memory are there."""
        device = self._fade_in.device
        timbre = Timbre(
            torch.full((1, WARM_CLIP), SILENCE_TOKEN, device=device),
            torch.zeros((1, self._flow.bins, WARM_CLIP * FRAMES_PER_TOKEN), device=device),
            torch.zeros((1, self._flow.bins), device=device),
        )
        sounding = self._open(timbre, 0, 1.0)
        sounding.feed([SILENCE_TOKEN] * sum(self._plan.sizes))
        for done, _ in enumerate(sounding.rest()):
            self._progress("warm-up (sound)", done + 1, len(self._plan.sizes) + 1)

    def _open(self, timbre: Timbre, seed: int, speed: float) -> "S3Sounding":
        return S3Sounding(
            self._flow, self._vocoder, self._fade_in, timbre, self._plan.chunks(), seed, speed
        )


class S3Sounding:
    """The `Sounding` of one clause."""

    def __init__(
        self,
        flow: Flow,
        vocoder: Vocoder,
        fade_in: torch.Tensor,
        timbre: Timbre,
        chunks: Chunks,
        seed: int,
        speed: float,
    ) -> None:
        self._flow = flow
        self._timbre = timbre
        self._chunks = chunks
        self._tokens: list[int] = []
        prompt = Noise(seed, 0, flow.bins).rows(0, timbre.frames.shape[2])
        self._prompt_noise = torch.from_numpy(prompt.T).to(fade_in.device)
        self._noise = Noise(seed, 1, flow.bins)
        self._expected = self._prompt_noise[:, :0]
        """The frames that the last pass had ahead."""
        self._stretch = Stretch(speed)
        self._track = vocoder.track(seed)
        self._fade_in = fade_in
        self._made = 0

    def feed(self, tokens: Sequence[int]) -> None:
        if not all(0 <= token < SPEECH_TOKENS for token in tokens):
            raise EngineError("chatterbox", "the model wrote a speech token that does not exist")
        self._tokens += tokens

    @property
    def ready(self) -> bool:
        return len(self._tokens) >= self._chunks.wanted

    def block(self) -> Samples:
        chunk = self._chunks.next(len(self._tokens), over=False)
        if chunk is None:
            raise EngineError("chatterbox", "sound was asked for before its tokens were there")
        return self._samples(self._sound(chunk, last=False))

    def rest(self, *, cut: bool = False) -> Iterator[Samples]:
        if not self._tokens:
            return
        if not cut:
            self._tokens += [SILENCE_TOKEN] * SILENCE
        total = len(self._tokens)
        while chunk := self._chunks.next(total, over=True):
            last = chunk.end == total
            sound = self._sound(chunk, last=last)
            yield self._samples(fade_out(sound, CUT_FADE) if cut and last else sound)

    @torch.inference_mode()
    def _sound(self, chunk: Chunk, *, last: bool) -> torch.Tensor:
        """(samples,) of the chunk's new tokens: one pass of the flow and one of the vocoder."""
        tokens = self._tokens[chunk.context : chunk.ahead]
        noise = self._noise.rows(chunk.context * FRAMES_PER_TOKEN, len(tokens) * FRAMES_PER_TOKEN)
        there = torch.from_numpy(noise.T).to(self._prompt_noise.device)
        decoded = self._flow.frames(
            self._timbre, tokens, torch.cat([self._prompt_noise, there], dim=1)
        )
        fresh = decoded[:, (chunk.first - chunk.context) * FRAMES_PER_TOKEN :]
        fresh = blend(self._expected[:, :BLENDED], fresh)
        count = (chunk.end - chunk.first) * FRAMES_PER_TOKEN
        self._expected = fresh[:, count:].clone()
        new, ahead = self._stretch.frames(fresh[:, :count], self._expected, last=last)
        sound = self._track.sound(new, ahead)
        faded = self._fade_in[self._made : self._made + len(sound)]
        self._made += len(sound)
        return torch.cat([sound[: len(faded)] * faded, sound[len(faded) :]])

    def _samples(self, sound: torch.Tensor) -> Samples:
        """To the host: the one time per block that it waits for the device."""
        samples: Samples = sound.cpu().numpy()
        if not np.isfinite(samples).all():
            raise EngineError("chatterbox", "the model computed something that is no number")
        return samples
