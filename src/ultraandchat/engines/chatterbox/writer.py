"""T3 writes: text into speech tokens, several clauses by turns, a pass for each token."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ultraandchat.engines.base import EngineError, EngineOverloaded
from ultraandchat.engines.chatterbox.heads import Head, all_attention
from ultraandchat.engines.chatterbox.prefix import Prefixes
from ultraandchat.engines.chatterbox.roles import PreparedVoice, Taste, Token
from ultraandchat.engines.chatterbox.t3 import T3, Clause, Seen
from ultraandchat.engines.chatterbox.variants import (
    SPEECH_TOKENS,
    START_TOKEN,
    STOP_TOKEN,
    Variant,
)
from ultraandchat.engines.decoding import sampling
from ultraandchat.engines.decoding.passes import How
from ultraandchat.engines.worker_wire import Progress


class T3Writer:
    """A `Writer`. Its iterators may be stepped in turns, by one thread."""

    def __init__(
        self,
        t3: Any,
        variant: Variant,
        *,
        window: int,
        slots: int,
        graph: bool,
        progress: Progress,
        aligned_heads: Sequence[Head] | None = None,
    ) -> None:
        """`t3`: the package's, loaded, on its device and in its precision. `window`: positions of one clause,
        voice, text and speech together. `slots`: clauses at once; the worker runs as many jobs (`at_once`),
        so none of them finds no place. `aligned_heads`: none are those published for `t3`, if any are."""
        self._variant = variant
        self._window = window
        self._t3 = t3
        self._model = T3(t3, window, guided=variant.guided, fixed=graph, heads=aligned_heads)
        self._prefixes = Prefixes(t3, emotional=variant.emotional)
        self._places = [self._model.new_cache() for _ in range(slots)]
        self._free = list(self._places)
        self._model.warm(self._places, progress)

    @property
    def how(self) -> How:
        """Passes run."""
        return self._model.passes.how

    @property
    def why_not(self) -> str:
        """Why not as they were asked for; empty where they do."""
        return self._model.passes.why_not

    @property
    def aligned_heads(self) -> tuple[Head, ...]:
        """What `Token.position` is told by; where there are none it is none."""
        return self._model.heads.heads

    def align(self, heads: Sequence[Head], progress: Progress) -> None:
        """Be told by these from now on; what was captured is captured anew, so while no clause is written."""
        if len(self._free) < len(self._places):
            raise EngineOverloaded("chatterbox", "it cannot look elsewhere while it is speaking")
        self._model.heads.choose(heads)
        self._model.passes.forget()
        self._model.passes.capture(self._places, progress)

    def write(
        self, voice: PreparedVoice, text: Sequence[int], taste: Taste, seed: int
    ) -> Iterator[Token]:
        """As `Writer` says. `EngineError` for a text or a voice that T3 cannot read, and for a pass whose
        numbers are none; `EngineOverloaded` past `slots` clauses at once."""
        if not self._free:
            raise EngineOverloaded("chatterbox", "it is speaking with as many as it can")
        cache = self._free.pop()
        try:
            guidance = taste.guidance if self._variant.guided else 0.0
            prefix = self._prefixes.of(voice, taste.exaggeration)
            clause = self._model.clause(cache, prefix.length, text, guidance)
            cache.copy_prefix(prefix.cache, prefix.length)
            yield from self._written(clause, text, self._sampler(taste, seed))
        finally:
            self._free.append(cache)

    @torch.inference_mode()
    def attention(
        self, voice: PreparedVoice, text: Sequence[int], tokens: Sequence[int]
    ) -> npt.NDArray[np.float32]:
        """All attention to the text while `tokens` were written, (layers, heads, tokens, text): row k is
        that of the pass which chose token k. Without guidance, at once and slowly; memory for every layer's
        whole square of attention."""
        if not tokens or not all(0 <= token < SPEECH_TOKENS for token in tokens):
            raise EngineError("chatterbox", "these are no speech tokens")
        before = self._prefixes.embedded(voice, self._variant.exaggeration)
        clause = self._model.clause(self._places[0], before.shape[1], text, 0.0)
        embedded = torch.cat([before, self._model.embedded(text, 1, tokens[:-1])], dim=1)
        with all_attention(self._t3):
            out = self._t3.tfmr(inputs_embeds=embedded, output_attentions=True, use_cache=False)
        begin, end = clause.text
        rows = [layer[0, :, -len(tokens) :, begin:end].float().cpu() for layer in out.attentions]
        told: npt.NDArray[np.float32] = torch.stack(rows).numpy()
        return told

    def _written(
        self, clause: Clause, text: Sequence[int], sampler: sampling.Sampler
    ) -> Iterator[Token]:
        chosen, told = self._chosen(sampler, self._model.prefill(clause, text))
        index = 0
        while True:
            number, entropy, position = told.tolist()  # the one time per token that the host waits
            number = int(number)
            if number < 0:
                clause.cache.clear()  # a number that is none would spoil whatever comes here next
                raise EngineError("chatterbox", "T3 computed something that is no number")
            more = number != STOP_TOKEN and clause.speech + index < self._window
            if more:
                # Only queued on the device: it works on this while what is yielded goes its way.
                seen = self._model.step(clause, index, chosen)
                chosen, told = self._chosen(sampler, seen)
            if number < SPEECH_TOKENS or number == STOP_TOKEN:
                # The package too leaves out what is no sound, and lets T3 go on from it.
                yield Token(number, entropy, position if self.aligned_heads else None)
            if not more:
                return
            index += 1

    @torch.inference_mode()
    def _chosen(self, sampler: sampling.Sampler, seen: Seen) -> tuple[torch.Tensor, torch.Tensor]:
        """The next token (1, 1), and what is to be told of it (3,): number, entropy, position."""
        logits, position = seen
        entropy = torch.special.entr(logits.softmax(-1)).sum()
        token = sampler.choose(logits)
        return token, torch.stack([token.view(()).float(), entropy, position.float()])

    def _sampler(self, taste: Taste, seed: int) -> sampling.Sampler:
        last = bool(self._t3.is_gpt)  # as `inference_turbo` orders it
        wanted = sampling.Taste(
            temperature=taste.temperature,
            top_p=taste.top_p,
            repetition_penalty=taste.repetition_penalty,
            top_k=taste.top_k,
            min_p=taste.min_p,
            penalty_last=last,
        )
        model = self._model
        sampler = sampling.Sampler(wanted, model.vocabulary, model.device, seed)
        if not last:
            sampler.saw([START_TOKEN])
        return sampler
