"""The tiny checkpoints, against what Ultravox's own modelling code computed from them."""

from typing import Any

import numpy as np
import torch

from tests.engines.ultravox.support import clip_samples
from tests.models.conftest import Golden
from ultraandchat.engines.ultravox.encoder import encode

NEAR = 1e-4


def far(found: Any, expected: Any) -> float:
    assert tuple(found.shape) == expected.shape
    return float(np.abs(found.float().numpy() - expected).max())


def test_the_mel_is_the_same(golden: Golden, clip: str) -> None:
    mel = golden.loaded.ears._mel(clip_samples(clip))
    assert far(mel[None], golden.arrays[f"{clip}/mel"]) <= NEAR
    assert mel.shape[1] == golden.arrays[f"{clip}/mel_frames"][0]


def test_the_encoder_is_the_same(golden: Golden, clip: str) -> None:
    mel = torch.from_numpy(golden.arrays[f"{clip}/mel"])
    with torch.no_grad():
        steps = encode(golden.loaded.ears._encoder, mel, [mel.shape[2]])
    assert far(steps, golden.arrays[f"{clip}/encoder"]) <= NEAR


def test_the_embedding_is_the_same(golden: Golden, clip: str) -> None:
    sound = clip_samples(clip)
    (embedded,) = golden.loaded.embed_audio([sound])
    assert far(embedded[None], golden.arrays[f"{clip}/projector"]) <= NEAR
    assert golden.loaded.audio_tokens(len(sound)) == golden.arrays[f"{clip}/audio_tokens"][0]


def test_the_logits_are_the_same(golden: Golden, clip: str) -> None:
    with torch.no_grad():
        logits = golden.loaded.language(inputs_embeds=prompt(golden, clip)).logits
    assert far(logits, golden.arrays[f"{clip}/logits"]) <= NEAR


def test_the_greedy_words_are_the_same(golden: Golden, clip: str) -> None:
    expected = golden.arrays[f"{clip}/greedy"].tolist()
    language, embeds, cache = golden.loaded.language, prompt(golden, clip), None
    found: list[int] = []
    with torch.no_grad():
        while len(found) < len(expected):
            step = language(inputs_embeds=embeds, past_key_values=cache, use_cache=True)
            cache = step.past_key_values
            found.append(int(step.logits[0, -1].argmax()))
            embeds = language.get_input_embeddings()(torch.tensor([found[-1:]]))
    assert found == expected


def prompt(golden: Golden, clip: str) -> Any:
    """The golden prompt's embeddings, the sound's tokens in their places."""
    (embedded,) = golden.loaded.embed_audio([clip_samples(clip)])
    ids = torch.from_numpy(golden.arrays[f"{clip}/input_ids"])
    embeds = golden.loaded.language.get_input_embeddings()(ids).clone()
    embeds[0, 4 : 4 + len(embedded)] = embedded
    return embeds
