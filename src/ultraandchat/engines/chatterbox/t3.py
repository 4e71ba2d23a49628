"""T3's passes: a clause's text, or one speech token more.

The weights and the modules are those of chatterbox-tts; how they are passed is ours. Fixed, and so captured as
CUDA graphs where that is wanted, are one token's pass and that of a short text. With guidance a pass has
two rows, the second without the text, and its logits are those of both together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.heads import LLAMA_HEADS, LLAMA_LAYERS, Head, Heads
from ultraandchat.engines.chatterbox.variants import START_TOKEN
from ultraandchat.engines.decoding.cache import KeyValues
from ultraandchat.engines.decoding.passes import SHORT, Passes, Shape
from ultraandchat.engines.worker_wire import Progress

Seen: TypeAlias = tuple[torch.Tensor, torch.Tensor]
"""Logits (vocabulary,) in fp32, and which of the text's tokens the watched heads look at (), both good until
the next pass."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause in its place."""

    cache: KeyValues
    rows: int
    guidance: float
    prefix: int
    """Positions of the voice before its text."""
    text: tuple[int, int]
    """The positions of the text's own tokens, first and behind the last."""
    speech: int
    """The position of the first speech token that is written."""


class T3:
    """The model, and how its passes run. Used by one thread."""

    def __init__(
        self, t3: Any, window: int, *, guided: bool, fixed: bool, heads: Sequence[Head] | None
    ) -> None:
        """`heads`: those to be watched; none: those that are known of this model."""
        self._t3 = t3
        self._window = window
        self._learned = t3.speech_pos_emb is not None
        self.rows = 2 if guided else 1
        """Most of a pass."""
        self.device: torch.device = t3.device
        self.vocabulary: int = t3.speech_head.out_features
        _require_positions(t3, window)
        if heads is None:
            known = not t3.is_gpt and t3.cfg.num_hidden_layers == LLAMA_LAYERS
            heads = LLAMA_HEADS if known else ()
        self.heads = Heads(t3, heads)
        # What a captured pass reads; who calls it writes here first.
        self._token = torch.zeros((1, 1), dtype=torch.long, device=self.device)
        self._spoken = torch.zeros(1, dtype=torch.long, device=self.device)
        self._stretch = t3.speech_head.weight.new_zeros((self.rows, SHORT, t3.dim))
        self._last = torch.zeros(1, dtype=torch.long, device=self.device)
        self._first = torch.zeros(1, dtype=torch.long, device=self.device)
        self._guidance = torch.zeros((), dtype=torch.float32, device=self.device)
        rows = range(self.rows, 0, -1)
        self.passes: Passes[Seen] = Passes(
            self._launch,
            window,
            self.device,
            fixed=fixed,
            needed=[Shape(1, count) for count in rows],
            wished=[Shape(SHORT, count) for count in rows],
        )

    def new_cache(self) -> KeyValues:
        """Room for a window, allocated by the first pass."""
        return KeyValues(self._t3.cfg.num_hidden_layers, self._window, self.rows)

    def clause(self, cache: KeyValues, prefix: int, text: Sequence[int], guidance: float) -> Clause:
        """`text` in `cache`, behind `prefix` positions of a voice. `EngineError` for a text that T3 cannot read:
        on a GPU a number past a table's end would cost the whole process."""
        hp, added = self._t3.hp, 1 if self._learned else 0
        if not text:
            raise EngineError("chatterbox", "there is no text to be spoken")
        if not all(0 <= number < hp.text_tokens_dict_size for number in text):
            raise EngineError("chatterbox", "the text has tokens that T3 does not know")
        begin = prefix + added
        end = begin + len(text)
        speech = end + added + len(self._starts)
        most = hp.max_text_tokens if self._learned else len(text)
        if speech >= self._window or len(text) > most:
            raise EngineError("chatterbox", f"a clause of {len(text)} tokens of text is too long")
        rows = self.rows if guidance > 0 else 1
        return Clause(cache, rows, guidance, prefix, (begin, end), speech)

    @torch.inference_mode()
    def prefill(self, clause: Clause, text: Sequence[int]) -> Seen:
        """Passes the text and the start of speech, behind the voice's prefix."""
        self._tell(clause)
        embedded = self.embedded(text, clause.rows)
        before, count = clause.prefix, embedded.shape[1]
        seen: Seen = (embedded, embedded)  # of no use: there is at least one part
        for where, fixed in self.passes.parts(before, count, clause.rows):
            part = embedded[:, where]
            begin = before + where.start
            if fixed:
                self._last.fill_(part.shape[1] - 1)
                self._stretch.zero_()
                self._stretch[: clause.rows, : part.shape[1]] = part
                seen = self.passes.run(clause.cache, begin, Shape(SHORT, clause.rows))
            else:
                clause.cache.at(begin)
                there = torch.arange(begin, begin + part.shape[1], device=self.device)
                seen = self._pass(
                    clause.cache, part, there, torch.full_like(self._last, len(there) - 1)
                )
        return seen

    @torch.inference_mode()
    def step(self, clause: Clause, index: int, token: torch.Tensor) -> Seen:
        """Passes `token` (1, 1), the clause's speech token of that index from 0."""
        before, shape = clause.speech + index, Shape(1, clause.rows)
        self._tell(clause)
        self._token.copy_(token)
        self._spoken.fill_(index + 1)  # the start stands at 0
        if self.passes.fixes(shape):
            return self.passes.run(clause.cache, before, shape)
        self.passes.position.fill_(before)
        clause.cache.at(before)
        return self._launch(clause.cache, shape)

    @torch.inference_mode()
    def embedded(self, text: Sequence[int], rows: int, speech: Sequence[int] = ()) -> torch.Tensor:
        """(rows, tokens, hidden): the text, the start of speech, and `speech`. Rows but the first are without
        the text."""
        t3, hp = self._t3, self._t3.hp
        if self._learned:
            text = [hp.start_text_token, *text, hp.stop_text_token]
        numbers = torch.tensor([text], dtype=torch.long, device=self.device)
        read = t3.text_emb(numbers).repeat(rows, 1, 1)
        read[1:] = 0
        if self._learned:
            read = read + t3.text_pos_emb(numbers)
        spoken = torch.tensor([[*self._starts, *speech]], dtype=torch.long, device=self.device)
        places = [*(0 for _ in self._starts), *range(1, len(speech) + 1)]
        said = self._speech(spoken, torch.tensor(places, device=self.device))
        return torch.cat([read, said.expand(rows, -1, -1)], dim=1)

    def warm(self, caches: list[KeyValues], progress: Progress) -> None:
        """Run once with every cache, so that its memory is there; capture, where that is wanted."""
        stage = f"warm-up ({self.passes.how})"
        for done, cache in enumerate(caches):
            progress(stage, done, len(caches))
            for guidance in (0.0, 1.0)[: self.rows]:
                clause = self.clause(cache, 0, [1], guidance)
                self.prefill(clause, [1])
                self.step(clause, 0, self._token)
        self.passes.capture(caches, progress)

    @property
    def _starts(self) -> list[int]:
        # As the package does: where positions are learned the start of speech is there twice.
        return [START_TOKEN] * (2 if self._learned else 1)

    def _tell(self, clause: Clause) -> None:
        self._guidance.fill_(clause.guidance)
        self.heads.begin.fill_(clause.text[0])
        self.heads.end.fill_(clause.text[1])

    def _speech(self, tokens: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
        """Embeddings (1, tokens, hidden) of speech `tokens` (1, tokens), at learned positions `indices`."""
        embedded: torch.Tensor = self._t3.speech_emb(tokens)
        return embedded + self._t3.speech_pos_emb.emb(indices) if self._learned else embedded

    def _launch(self, cache: KeyValues, shape: Shape) -> Seen:
        position = self.passes.position
        if shape.tokens == 1:
            one = self._speech(self._token, self._spoken).expand(shape.rows, -1, -1)
            return self._pass(cache, one, position.view(1), self._first)
        there = position + torch.arange(shape.tokens, device=self.device)
        return self._pass(cache, self._stretch[: shape.rows], there, self._last)

    def _pass(
        self, cache: KeyValues, embedded: torch.Tensor, there: torch.Tensor, last: torch.Tensor
    ) -> Seen:
        """`embedded` (rows, tokens, hidden) at the positions `there`; what comes after the one at `last` (1,)."""
        with self.heads.watching(last, there.index_select(0, last)):
            out = self._t3.tfmr(
                inputs_embeds=embedded,
                position_ids=there[None],
                past_key_values=cache,
                use_cache=True,
            )
        hidden = out.last_hidden_state.index_select(1, last)
        logits = self._t3.speech_head(hidden)[:, 0].float()
        guided = logits[0]
        if len(logits) > 1:
            guided = logits[0] + self._guidance * (logits[0] - logits[1])
        return guided, self.heads.position()


def _require_positions(t3: Any, window: int) -> None:
    """Past its tables there is nothing that a position could mean."""
    most = t3.cfg.n_positions if t3.is_gpt else t3.hp.max_speech_tokens
    if window > most:
        raise ValueError(f"a window of {window} positions, of which T3 knows {most}")
