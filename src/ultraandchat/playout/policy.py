"""The numbers of playout."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlayoutPolicy:
    """How a reply's sound is kept and let out."""

    fade_ms: int = 20
    """Hold, resume and cut fade over this long: one frame, no click, and silence within it."""
    ahead_s: float = 6.0
    """A synthesizer further ahead of the listener than this waits; nothing is dropped. What is made and not heard is lost to others."""

    def __post_init__(self) -> None:
        if not 1 <= self.fade_ms <= 20:
            raise ValueError("playout.fade_ms must be 1…20: a fade fits in one frame")
        if not 1 <= self.ahead_s <= 300:
            raise ValueError("playout.ahead_s must be 1…300")
