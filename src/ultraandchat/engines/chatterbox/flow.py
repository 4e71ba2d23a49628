"""Speech tokens into mel frames: S3Gen's flow, a pass at a time. Worker's side.

The modules are the package's; `flow.inference` is not called, because it prints and draws noise from torch's own
generator at every call, and with `finalize=False` it fails (its mask keeps the frames that it cut off).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch

from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.roles import PreparedVoice
from ultraandchat.engines.chatterbox.variants import FRAMES_PER_TOKEN


@dataclass(frozen=True, slots=True)
class Timbre:
    """A voice as the flow is given it: a clip's tokens and frames, which what is spoken goes on from."""

    tokens: torch.Tensor
    """(1, tokens), whole numbers."""
    frames: torch.Tensor
    """(1, bins, frames)."""
    speaker: torch.Tensor
    """(1, bins)."""


class Flow:
    """S3Gen's encoder and flow decoder. Keeps nothing from one pass to the next."""

    def __init__(self, s3gen: Any, steps: int) -> None:
        """`steps`: of the decoder, 2 of a mean flow, 10 of one that is guided."""
        self._flow = s3gen.flow
        self._estimator = s3gen.flow.decoder.estimator
        self._mean: bool = s3gen.meanflow
        self._steps = steps
        self.bins: int = s3gen.flow.output_size
        self._weight = s3gen.flow.input_embedding.weight

    @torch.inference_mode()
    def timbre(self, voice: PreparedVoice) -> Timbre:
        """`EngineError` where the voice is none that S3Gen prepared."""
        try:
            given = {
                name: voice.sounder[name] for name in ("prompt_token", "prompt_feat", "embedding")
            }
        except KeyError as missing:
            raise _unfit(voice.name, f"{missing.args[0]} is missing") from missing
        token = torch.atleast_2d(given["prompt_token"]).to(self._weight.device).long()
        frames = given["prompt_feat"].to(self._weight)
        speaker = torch.atleast_2d(given["embedding"]).to(self._weight)
        if frames.shape != (1, token.shape[1] * FRAMES_PER_TOKEN, self.bins):
            raise _unfit(voice.name, "its clip has not the frames that belong to its tokens")
        if bool(((token < 0) | (token >= len(self._weight))).any()):
            raise _unfit(voice.name, "its clip has tokens that do not exist")
        affine = self._flow.spk_embed_affine_layer
        if speaker.shape != (1, affine.in_features):
            raise _unfit(voice.name, "its embedding has not the right shape")
        speaker = affine(torch.nn.functional.normalize(speaker, dim=1))
        return Timbre(token, frames.transpose(1, 2).contiguous(), speaker)

    @torch.inference_mode()
    def frames(self, timbre: Timbre, tokens: Sequence[int], noise: torch.Tensor) -> torch.Tensor:
        """The mel frames of `tokens`, (bins, frames): one pass of the encoder, `steps` of the decoder.

        `noise`: (bins, frames) of the clip's frames and these. `tokens` must exist: they are not looked at.
        """
        prompt = timbre.frames.shape[2]
        more = torch.tensor([tokens], device=timbre.tokens.device)
        token = torch.cat([timbre.tokens, more], dim=1)
        length = torch.tensor([token.shape[1]], device=token.device)
        hidden, _ = self._flow.encoder(self._flow.input_embedding(token), length)
        mean = self._flow.encoder_proj(hidden).transpose(1, 2).contiguous()
        known = torch.zeros_like(mean)
        known[:, :, :prompt] = timbre.frames
        solve = self._solve_mean if self._mean else self._solve_guided
        mel: torch.Tensor = solve(noise[None].to(mean), mean, timbre.speaker, known)
        return mel[0, :, prompt:]

    def _solve_mean(
        self, x: torch.Tensor, mean: torch.Tensor, speaker: torch.Tensor, known: torch.Tensor
    ) -> torch.Tensor:
        """A mean flow: the estimator tells the way from one time to the next as a whole."""
        mask = torch.ones_like(mean[:, :1])
        times = torch.linspace(0, 1, self._steps + 1, device=x.device, dtype=x.dtype)
        for now, then in pairwise(times[:, None]):
            way = self._estimator(x, mask=mask, mu=mean, t=now, spks=speaker, cond=known, r=then)
            x = x + (then - now) * way
        return x

    def _solve_guided(
        self, x: torch.Tensor, mean: torch.Tensor, speaker: torch.Tensor, known: torch.Tensor
    ) -> torch.Tensor:
        """Conditional flow matching with guidance: each step with the conditions, and without, in one batch."""
        decoder = self._flow.decoder
        mask = torch.ones_like(mean[:, :1]).repeat(2, 1, 1)
        mean, speaker, known = (
            torch.cat([given, torch.zeros_like(given)]) for given in (mean, speaker, known)
        )
        times = torch.linspace(0, 1, self._steps + 1, device=x.device, dtype=x.dtype)
        if decoder.t_scheduler == "cosine":
            times = 1 - torch.cos(times * 0.5 * torch.pi)
        rate: float = decoder.inference_cfg_rate
        for now, then in pairwise(times):
            ways = self._estimator(
                x.repeat(2, 1, 1), mask=mask, mu=mean, t=now.repeat(2), spks=speaker, cond=known
            )
            way = (1 + rate) * ways[:1] - rate * ways[1:]
            x = x + (then - now) * way
        return x


def _unfit(voice: str, why: str) -> EngineError:
    return EngineError("chatterbox", f"the voice {voice} cannot be spoken: {why}")
