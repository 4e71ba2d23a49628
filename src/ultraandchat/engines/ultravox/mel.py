"""Sound to Whisper's log-mel spectrogram, in torch, on any device, without Whisper's padding to 30 s."""

from typing import Any

import numpy as np
import torch
from transformers.audio_utils import mel_filter_bank

HOP = 160
"""Samples of one mel frame: 10 ms at 16 kHz."""

WINDOW = 400
"""Samples under one Fourier transform: 25 ms."""

SHORTEST = 2 * HOP
"""Samples; less is padded, as Ultravox's own processor does."""

FRAMES_IN_WINDOW = 3000
"""30 s: what the encoder has positions for."""


def frames(samples: int) -> int:
    """Mel frames of so many samples: the last one may be partly silence."""
    return -(-max(samples, SHORTEST) // HOP)


class Mel:
    """Whisper's filter bank for 80 or 128 bins, kept on the device."""

    def __init__(self, bins: int, device: Any) -> None:
        bank = mel_filter_bank(
            num_frequency_bins=1 + WINDOW // 2,
            num_mel_filters=bins,
            min_frequency=0.0,
            max_frequency=8000.0,
            sampling_rate=16_000,
            norm="slaney",
            mel_scale="slaney",
        )
        self._filters = torch.from_numpy(np.ascontiguousarray(bank.T, np.float32)).to(device)
        self._window = torch.hann_window(WINDOW, device=device)
        self._device = device

    def __call__(self, sound: Any) -> Any:
        """float32 tensor (bins, frames) of int16 or float32 (−1…1) samples at 16 kHz; at least one."""
        wave = torch.from_numpy(np.asarray(sound, np.float32)).to(self._device)
        if sound.dtype == np.int16:
            wave = wave / 32768.0
        wave = torch.nn.functional.pad(wave, (0, frames(len(wave)) * HOP - len(wave)))
        spectrum = torch.stft(wave, WINDOW, HOP, window=self._window, return_complex=True)
        power = spectrum[:, :-1].abs() ** 2
        mel = (self._filters @ power).clamp(min=1e-10).log10()
        return (torch.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0
