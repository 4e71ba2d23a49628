"""Mel frames into sound: HiFT over a clause in pieces. Worker's side."""

from typing import Any

import torch
from torch.nn.utils import parametrize

from ultraandchat.engines.chatterbox.joins import blend
from ultraandchat.engines.chatterbox.source import Source
from ultraandchat.engines.chatterbox.variants import SAMPLES_PER_FRAME

REACH = 20
"""Frames to the left that HiFT is given again. Its convolutions reach 14 frames, those of its pitch 5, so what is
further away changes nothing: a piece begins exactly as it would in the whole."""

FADE = SAMPLES_PER_FRAME
"""Samples (20 ms) over which a piece is faded over from what the one before it expected there. Costs no time: that
was computed anyhow, of the frames ahead."""


class Vocoder:
    """HiFT. Keeps nothing from one call to the next."""

    def __init__(self, hift: Any) -> None:
        self._hift = hift
        for module in list(hift.modules()):
            # Its weights are stored as direction and length, and would be multiplied out at every pass.
            if parametrize.is_parametrized(module, "weight"):
                parametrize.remove_parametrizations(module, "weight")

        # Else it is copied to the device twice a pass.
        hift.stft_window = hift.stft_window.to(hift.m_source.l_linear.weight.device)

    def track(self, seed: int) -> "Track":
        return Track(self, Source(self._hift.m_source, seed))

    def pitch(self, frames: torch.Tensor) -> torch.Tensor:
        """(frames,) in Hz of mel frames (bins, frames)."""
        pitch: torch.Tensor = self._hift.f0_predictor(frames[None])[0]
        return pitch

    def sound(self, frames: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        """(samples,) of mel frames (bins, frames) and their source (samples,)."""
        sound: torch.Tensor = self._hift.decode(x=frames[None], s=source[None, None])[0]
        return sound


class Track:
    """One clause's sound, in pieces that follow each other."""

    def __init__(self, vocoder: Vocoder, source: Source) -> None:
        self._vocoder = vocoder
        self._source = source
        self._frames = torch.empty(0)
        self._sources = torch.empty(0)
        self._expected = torch.empty(0)

    @torch.inference_mode()
    def sound(self, new: torch.Tensor, ahead: torch.Tensor) -> torch.Tensor:
        """The samples of the next frames `new` (bins, n). Those `ahead` (bins, m) are only looked at: they come
        again, and may be others then."""
        if not self._frames.numel():
            self._frames, self._sources = new[:, :0], new[0, :0]
        frames = torch.cat([self._frames, new, ahead], dim=1)
        before, count = self._frames.shape[1], new.shape[1]
        pitch = self._vocoder.pitch(frames)[before:]
        source = torch.cat([self._sources, self._source.frames(pitch, count)])
        sound = self._vocoder.sound(frames, source)[before * SAMPLES_PER_FRAME :]
        sound = blend(self._expected.to(sound), sound)
        end = count * SAMPLES_PER_FRAME
        self._expected = sound[end : end + FADE].clone()
        settled = before + count
        self._frames = frames[:, max(settled - REACH, 0) : settled].clone()
        self._sources = source[max(settled - REACH, 0) * SAMPLES_PER_FRAME :][
            : min(settled, REACH) * SAMPLES_PER_FRAME
        ].clone()
        return sound[:end]
