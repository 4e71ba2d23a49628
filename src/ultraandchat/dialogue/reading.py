"""What a language model read and wrote for one reply: how well what it had read before was of use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """Told by a model of ours once its reply is written."""

    prompt_tokens: int
    """Of the whole conversation, the turn that is answered among it."""
    reused_tokens: int
    """Of those, read for an earlier reply or while the user spoke."""
    audio_tokens: int
    """Of the whole, those that are sound."""
    new_tokens: int
    """Of the reply."""
    encode_ms: float
    """To hear sound that was new."""
    prefill_ms: float
    """To read what was new, before the first word."""
