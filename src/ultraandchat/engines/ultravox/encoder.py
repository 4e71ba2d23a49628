"""Whisper's encoder for sounds of any length up to 30 s: transformers' weights and layers, our own pass.

transformers' own accepts exactly 30 s. Ours is what Ultravox's modelling code computes for one sound
(equal to the golden outputs), and gives the same for each sound of a batch: what lies beyond a sound's
end is made zero wherever a convolution or the projector's stacking could reach it.
"""

from typing import Any

import torch
from torch.nn import functional


def encode(encoder: Any, mel: Any, lengths: list[int]) -> Any:
    """(batch, steps, width) of mel (batch, bins, frames); steps of 20 ms, zero beyond each sound's end.

    `encoder` is a WhisperEncoder, `lengths` are the frames of each sound, at most 3000.
    """
    longest = mel.shape[-1]
    hidden = functional.gelu(encoder.conv1(mel))
    steps = mask = None
    if min(lengths) < longest:
        sizes = torch.tensor(lengths, device=mel.device)
        frames = torch.arange(longest, device=mel.device)[None, :] < sizes[:, None]
        hidden = hidden * frames[:, None, :].to(hidden.dtype)
        # A step is made of the frames 2n − 1 to 2n + 1, and is the sound's own if 2n is.
        steps = frames[:, ::2]
        mask = torch.zeros_like(steps, dtype=hidden.dtype)
        mask = mask.masked_fill(~steps, torch.finfo(hidden.dtype).min)[:, None, None, :]
    hidden = functional.gelu(encoder.conv2(hidden)).transpose(1, 2)
    hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
    for layer in encoder.layers:
        hidden = layer(hidden, mask)
    hidden = encoder.layer_norm(hidden)
    return hidden if steps is None else hidden * steps[:, :, None].to(hidden.dtype)
