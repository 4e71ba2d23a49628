"""Sounds of any length to embeddings for the language model: mel, encoder, projector, in batches."""

from typing import Any

import numpy as np
import torch

from ultraandchat.engines.base import EngineError
from ultraandchat.engines.ultravox.encoder import encode
from ultraandchat.engines.ultravox.mel import FRAMES_IN_WINDOW, Mel, frames
from ultraandchat.engines.ultravox.projector import Projector
from ultraandchat.engines.ultravox.tensors import ENGINE

WINDOWS_AT_ONCE = 8
"""In one pass of the encoder: eight times 30 s through whisper-large-v3-turbo are 12 000 steps, whose
widest activations (5120 wide, bf16) are 120 MB."""


class Ears:
    """A checkpoint's front end."""

    def __init__(
        self, mel: Mel, encoder: Any, projector: Projector, stack: int, dtype: Any
    ) -> None:
        self._mel = mel
        self._encoder = encoder
        self._projector = projector
        self._frames_in_token = 2 * stack
        self._dtype = dtype

    def embed(self, sounds: list[Any]) -> list[Any]:
        """(tokens, text width) for each sound, int16 or float32 (−1…1) at 16 kHz; the same alone or in company.

        More than 30 s are heard in windows of 30 s, whose tokens follow each other. `EngineError` for a
        sound without samples.
        """
        windows: list[Any] = []
        counts: list[int] = []
        with torch.no_grad():
            for sound in sounds:
                if len(sound) == 0:
                    raise EngineError(ENGINE, "there is no sound in this turn")
                parts = self._mel(np.asarray(sound)).split(FRAMES_IN_WINDOW, dim=1)
                windows += parts
                counts.append(len(parts))
            tokens: list[Any] = []
            for begin in range(0, len(windows), WINDOWS_AT_ONCE):
                tokens += self._embed(windows[begin : begin + WINDOWS_AT_ONCE])
        found = iter(tokens)
        return [torch.cat([next(found) for _ in range(count)]) for count in counts]

    def tokens(self, samples: int) -> int:
        """How many tokens a sound of so many samples becomes: 6.25 a second."""
        whole, rest = divmod(frames(samples), FRAMES_IN_WINDOW)
        return whole * -(-FRAMES_IN_WINDOW // self._frames_in_token) - (
            -rest // self._frames_in_token
        )

    def _embed(self, windows: list[Any]) -> list[Any]:
        lengths = [window.shape[1] for window in windows]
        batch = windows[0].new_zeros(len(windows), windows[0].shape[0], max(lengths))
        for row, window in zip(batch, windows, strict=True):
            row[:, : window.shape[1]] = window
        projected = self._projector(encode(self._encoder, batch.to(self._dtype), lengths))
        return [
            row[: -(-length // self._frames_in_token)]
            for row, length in zip(projected, lengths, strict=True)
        ]
