"""Which token comes next. All of it happens on the device; the host learns one number per token."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Taste:
    """How freely something is written. What leaves tokens out comes in this order: `top_k`, `min_p`, `top_p`."""

    temperature: float = 0.0
    """0 = always the likeliest token."""
    top_p: float = 1.0
    """Only the likeliest tokens that together have this probability; 1 = all."""
    repetition_penalty: float = 1.0
    """Above 1, tokens that the prompt or the reply hold already become less likely; 1 = off."""
    top_k: int = 0
    """Only so many of the likeliest tokens; 0 = all."""
    min_p: float = 0.0
    """Only tokens with at least this share of the likeliest one's probability; 0 = all."""
    penalty_last: bool = False
    """The penalty is for what all of these left, not for what they begin with."""


class Sampler:
    """One reply's choices. The same seed and the same logits give the same reply."""

    def __init__(self, taste: Taste, vocabulary: int, device: torch.device, seed: int) -> None:
        self._taste = taste
        self._generator = torch.Generator(device).manual_seed(seed)
        self._seen: torch.Tensor | None = None
        if taste.repetition_penalty != 1.0:
            self._seen = torch.zeros(vocabulary, dtype=torch.bool, device=device)

    @torch.inference_mode()
    def saw(self, tokens: list[int]) -> None:
        """These stand in the prompt, and count as said for the repetition penalty."""
        if self._seen is not None and tokens:
            self._seen[torch.tensor(tokens, device=self._seen.device)] = True

    @torch.inference_mode()
    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """The next token, shape (1, 1), from `logits` (vocabulary,); −1 where those are not numbers."""
        taste, logits = self._taste, logits.float()
        # NaN and infinity are told by value: asking for them would wait for the device a second time.
        # The maximum is NaN where anything is; minus infinity may stand for a token that is ruled out.
        sound = logits.max().isfinite()
        if not taste.penalty_last:
            logits = self._penalised(logits)
        if taste.temperature > 0:
            logits = _left(logits / taste.temperature, taste)
        if taste.penalty_last:
            logits = self._penalised(logits)
        token = logits.argmax() if taste.temperature == 0 else self._drawn(logits)
        if self._seen is not None:
            self._seen.index_fill_(0, token.view(1), True)
        return torch.where(sound, token, -1).view(1, 1)

    def _penalised(self, logits: torch.Tensor) -> torch.Tensor:
        if self._seen is None:
            return logits
        penalty = self._taste.repetition_penalty
        less = torch.where(logits > 0, logits / penalty, logits * penalty)
        return torch.where(self._seen, less, logits)

    def _drawn(self, logits: torch.Tensor) -> torch.Tensor:
        # Each probability over an exponential variate; the greatest is a draw in proportion. It is what
        # torch.multinomial does with the same seed, but asks the device nothing.
        likely = logits.softmax(-1)
        noise = torch.empty_like(likely).exponential_(generator=self._generator)
        return (likely / noise.clamp_min_(1e-30)).argmax()


def _left(logits: torch.Tensor, taste: Taste) -> torch.Tensor:
    """`logits` with minus infinity for each token that is left out."""
    nothing = float("-inf")
    if 0 < taste.top_k < len(logits):
        least = logits.topk(taste.top_k).values[-1]
        logits = logits.masked_fill(logits < least, nothing)
    if taste.min_p > 0:
        likely = logits.softmax(-1)
        logits = logits.masked_fill(likely < taste.min_p * likely.max(), nothing)
    if taste.top_p < 1:
        likely, tokens = logits.softmax(-1).sort(descending=True)
        out = likely.cumsum(-1) - likely >= taste.top_p
        logits = logits.masked_fill(out.scatter(0, tokens, out), nothing)
    return logits
