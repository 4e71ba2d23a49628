"""Passes of the language model: a stretch of prompt, or one token more.

Fixed, and so captured as CUDA graphs where that is wanted, are one token's pass, and that of a short
stretch, which is what a turn adds to a history that was made ready.
"""

from typing import Any

import torch

from ultraandchat.engines.base import EngineError
from ultraandchat.engines.decoding.cache import KeyValues
from ultraandchat.engines.decoding.passes import SHORT, How, Passes, Shape
from ultraandchat.engines.worker_wire import Progress

TOKEN, STRETCH = Shape(1), Shape(SHORT)


class Decoder:
    """The language model and how its passes run. Used by one thread."""

    def __init__(self, language: Any, window: int, *, fixed: bool) -> None:
        self._language = language
        self._embed = language.get_input_embeddings()
        self._window = window
        self.device: torch.device = self._embed.weight.device
        self.vocabulary: int = language.config.get_text_config(decoder=True).vocab_size
        # What a captured pass reads; who calls it writes here first.
        self._token = torch.zeros((1, 1), dtype=torch.long, device=self.device)
        self._stretch = self.embed([0] * SHORT)[None].clone()
        self._last = torch.zeros(1, dtype=torch.long, device=self.device)
        self.passes = Passes(
            self._launch, window, self.device, fixed=fixed, needed=[TOKEN], wished=[STRETCH]
        )

    @property
    def how(self) -> How:
        return self.passes.how

    @property
    def why_not(self) -> str:
        """Why it is not how it was asked for; empty where it is."""
        return self.passes.why_not

    def new_cache(self) -> KeyValues:
        """Room for a window of tokens, allocated by the first pass."""
        config = self._language.config.get_text_config(decoder=True)
        return KeyValues(config.num_hidden_layers, self._window)

    @torch.inference_mode()
    def embed(self, tokens: list[int]) -> torch.Tensor:
        """Their embeddings, (tokens, hidden)."""
        embedded: torch.Tensor = self._embed(torch.tensor(tokens, device=self.device))
        return embedded

    @torch.inference_mode()
    def prefill(self, cache: KeyValues, before: int, embedded: torch.Tensor) -> torch.Tensor:
        """Pass `embedded` (tokens, hidden) after `before` tokens; the last one's logits (vocabulary,),
        good until the next call."""
        logits = embedded  # of no use: there is at least one part
        for where, fixed in self.passes.parts(before, len(embedded)):
            part = embedded[where]
            if fixed:
                self._stretch.zero_()
                self._stretch[0, : len(part)] = part
                self._last.fill_(len(part) - 1)
                logits = self.passes.run(cache, before + where.start, STRETCH)
            else:
                begin = before + where.start
                cache.at(begin)
                there = torch.arange(begin, begin + len(part), device=self.device)
                logits = self._logits(cache, there, 1, inputs_embeds=part[None])
        return logits

    @torch.inference_mode()
    def step(self, cache: KeyValues, before: int, token: torch.Tensor) -> torch.Tensor:
        """Pass `token` (1, 1) after `before` others; logits (vocabulary,), good until the next call."""
        if before >= self._window:
            raise EngineError("ultravox", f"the window of {self._window} tokens is full")
        self._token.copy_(token)
        if self.passes.fixes(TOKEN):
            return self.passes.run(cache, before, TOKEN)
        self.passes.position.fill_(before)
        cache.at(before)
        return self._logits(cache, self.passes.position.view(1), 1, input_ids=self._token)

    def warm(self, caches: list[KeyValues], progress: Progress) -> None:
        """Run once with every cache, so that its memory is there; capture, where that is wanted."""
        token = torch.zeros((1, 1), dtype=torch.long, device=self.device)
        stage = f"warm-up ({self.how})"
        for done, cache in enumerate(caches):
            progress(stage, done, len(caches))
            self.prefill(cache, 0, self.embed([0, 0]))
            self.step(cache, 2, token)
        self.passes.capture(caches, progress)

    def _logits(
        self, cache: KeyValues, there: torch.Tensor, keep: int | torch.Tensor, **inputs: Any
    ) -> torch.Tensor:
        """One pass at the positions `there`; the logits of its last token, or of the one at `keep`."""
        out = self._language(
            position_ids=there[None],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=keep,
            **inputs,
        )
        logits: torch.Tensor = out.logits[0, -1]
        return logits

    def _launch(self, cache: KeyValues, shape: Shape) -> torch.Tensor:
        """A fixed pass, TOKEN or STRETCH, over what was written for it."""
        position = self.passes.position
        if shape == TOKEN:
            return self._logits(cache, position.view(1), 1, input_ids=self._token)
        there = position + torch.arange(shape.tokens, device=self.device)
        return self._logits(cache, there, self._last, inputs_embeds=self._stretch)
