"""Reference clips into voices, as the package's `prepare_conditionals` does it, without its shared state.

What hears a clip (half of S3Gen, and the voice encoder) is needed for a second per voice. It lies in host memory
and is brought to the device for that second: on the processor a voice takes longer than a conversation can wait
whose sound the same thread makes, and 0.5 GB of a GPU's memory for a second in a day is too much.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, TypeAlias

import librosa
import numpy as np
import torch

from ultraandchat.audio.frame import Samples
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.load import Loaded
from ultraandchat.engines.chatterbox.variants import CLIP_RATE, ENGINE, RATE

Tensors: TypeAlias = dict[str, Any]

TIMBRE_S = 10
"""Seconds of a clip that S3Gen takes."""


@torch.no_grad()
def conditionals(loaded: Loaded, samples: Samples, rate: int) -> tuple[Tensors, Tensors]:
    """A voice's tensors for T3 and for S3Gen (`PreparedVoice.writer` and `.sounder`), on the device.

    `samples`: of one channel, at `rate` Hz. `EngineError` where they are too few. How excited the voice is
    (`emotion_adv`) is not among them: every clause says it anew.
    """
    variant, package = loaded.variant, loaded.package
    if len(samples) <= variant.shortest_clip_s * rate:
        seconds = variant.shortest_clip_s
        raise EngineError(ENGINE, f"a voice's clip must be longer than {seconds:g} s")
    heard = librosa.resample(samples, orig_sr=rate, target_sr=RATE) if rate != RATE else samples
    if variant.name == "turbo":
        # With numpy 2 the package's own numbers become float64 here, and its tokenizer then refuses them.
        heard = package.set_loudness(None, heard, RATE).astype(np.float32)
    low = librosa.resample(heard, orig_sr=RATE, target_sr=CLIP_RATE)
    first = low[: round(variant.clip_s * CLIP_RATE)]
    with _brought(loaded) as parts:
        sounder = package.S3Gen.embed_ref(
            parts, heard[: TIMBRE_S * RATE], RATE, device=loaded.device
        )
        most = loaded.t3.hp.speech_cond_prompt_len
        spoken, _ = parts.tokenizer.forward([first], max_len=most)
        speakers = parts.voice_encoder.embeds_from_wavs([low], sample_rate=CLIP_RATE)
    writer = {
        "speaker_emb": torch.from_numpy(speakers).mean(axis=0, keepdim=True).to(loaded.device),
        "cond_prompt_speech_tokens": torch.atleast_2d(spoken).to(loaded.device),
    }
    return writer, {name: value for name, value in sounder.items() if value is not None}


def warm() -> None:
    """Once, before anybody waits: librosa compiles what looks for silence, and loads its resampler, at first use."""
    noise = np.random.default_rng(0).standard_normal(CLIP_RATE).astype(np.float32)
    librosa.effects.trim(librosa.resample(noise, orig_sr=CLIP_RATE, target_sr=RATE), top_db=20)


@contextmanager
def _brought(loaded: Loaded) -> Iterator[Any]:
    """What hears clips, on the device: as much of an S3Gen as its `embed_ref` looks at."""
    listening = loaded.listening
    modules = (listening.tokenizer, listening.speaker_encoder, listening.voice_encoder)
    try:
        for module in modules:
            module.to(loaded.device)
        yield SimpleNamespace(
            tokenizer=listening.tokenizer,
            speaker_encoder=listening.speaker_encoder,
            voice_encoder=listening.voice_encoder,
            mel_extractor=listening.mel,
            device=loaded.device,
            dtype=torch.float32,
        )
    finally:
        if loaded.device.type != "cpu":
            for module in modules:
                module.to("cpu")
            torch.cuda.empty_cache()
