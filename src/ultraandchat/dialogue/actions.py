"""What a reply may do beside speaking. The session carries them out once the reply is let out."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Ring after `after_s` seconds: the agent then says `announcement`."""

    after_s: float
    announcement: str


@dataclass(frozen=True, slots=True)
class CancelTimers:
    """Every timer of this conversation is dropped."""


@dataclass(frozen=True, slots=True)
class ChangeVolume:
    """Multiply the reply's loudness by `factor` (bounded by the session)."""

    factor: float


@dataclass(frozen=True, slots=True)
class ChangeSpeed:
    """Multiply the voice's speed by `factor` (bounded by the session)."""

    factor: float


Action: TypeAlias = SetTimer | CancelTimers | ChangeVolume | ChangeSpeed
