"""What T3 reads before every text: the voice, passed once and kept.

Its keys and values depend on nothing that follows, so every clause in that voice begins with a copy.
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch

from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.roles import PreparedVoice
from ultraandchat.engines.decoding.cache import KeyValues

MOST = 8
"""Voices kept, each exaggeration a voice of its own. Of Turbo in bf16 one takes 37 MB (376 tokens, 24 layers
of 1024), of the others 4 MB (34 tokens, 30 layers)."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """A voice's, computed."""

    cache: KeyValues
    """In one row."""
    length: int
    """Tokens."""


class Prefixes:
    """Those last used."""

    def __init__(self, t3: Any, *, emotional: bool) -> None:
        self._t3 = t3
        self._emotional = emotional
        self._kept: dict[tuple[str, float], Prefix] = {}

    def of(self, voice: PreparedVoice, exaggeration: float) -> Prefix:
        """The voice's prefix; `EngineError` where its tensors are none of this model's."""
        key = voice.digest, exaggeration if self._emotional else 0.0
        prefix = self._kept.pop(key, None) or self._computed(voice, exaggeration)
        self._kept[key] = prefix  # at the end: the first is the one longest unused
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return prefix

    @torch.inference_mode()
    def embedded(self, voice: PreparedVoice, exaggeration: float) -> torch.Tensor:
        """(1, tokens, hidden): the speaker, what it said in its clip, and how excited it is."""
        t3 = self._t3
        like = t3.speech_head.weight
        speaker, spoken = _checked(voice, t3)
        conditions = SimpleNamespace(
            speaker_emb=speaker.to(like),
            clap_emb=None,
            cond_prompt_speech_tokens=spoken.to(like.device),
            cond_prompt_speech_emb=None,
            emotion_adv=like.new_full((1, 1, 1), exaggeration) if self._emotional else None,
        )
        embedded: torch.Tensor = t3.prepare_conditioning(conditions)
        return embedded

    @torch.inference_mode()
    def _computed(self, voice: PreparedVoice, exaggeration: float) -> Prefix:
        embedded = self.embedded(voice, exaggeration)
        length = embedded.shape[1]
        cache = KeyValues(self._t3.cfg.num_hidden_layers, length)
        there = torch.arange(length, device=embedded.device)
        self._t3.tfmr(
            inputs_embeds=embedded,
            position_ids=there[None],
            past_key_values=cache,
            use_cache=True,
        )
        return Prefix(cache, length)


def _checked(voice: PreparedVoice, t3: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """A speaker of another shape would fail somewhere in the model, and a token past the table's end would
    spoil the whole process on a GPU."""
    speaker, spoken = (
        voice.writer.get("speaker_emb"),
        voice.writer.get("cond_prompt_speech_tokens"),
    )
    if speaker is None or tuple(speaker.shape) != (1, t3.hp.speaker_embed_size):
        raise EngineError("chatterbox", "the voice was prepared without a speaker that fits T3")
    if (
        spoken is None
        or spoken.is_floating_point()
        or spoken.dim() != 2
        or spoken.numel() == 0
        or len(spoken) != 1
    ):
        raise EngineError("chatterbox", "the voice was prepared without speech that T3 can read")
    least, most = (int(end) for end in spoken.aminmax())
    if not 0 <= least <= most < t3.hp.speech_tokens_dict_size:
        raise EngineError("chatterbox", "the voice was prepared with tokens that T3 does not know")
    return speaker, spoken
