"""What the gateway asks of the model, as it came through the pipe, made into types."""

import math
from dataclasses import dataclass, field
from typing import Any

from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.roles import Taste
from ultraandchat.engines.chatterbox.variants import ENGINE, Variant

OWN_VOICE = "default"
"""The checkpoint's own, which needs no clip."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call of `synthesize`."""

    text: str = field(repr=False)
    language: str
    voice: str
    clip: str
    """Path of a reference file on this machine; empty for `OWN_VOICE`."""
    speed: float
    taste: Taste
    seed: int | None
    """Of all choices and of the noise; none = another one each time."""

    @classmethod
    def read(cls, asked: dict[str, Any], variant: Variant) -> "Request":
        """`EngineError` where it is not what was agreed on, or not what this release can do."""
        try:
            seed = asked.get("seed")
            request = cls(
                text=str(asked["text"]),
                language=str(asked.get("language") or variant.languages[0]),
                voice=str(asked.get("voice") or OWN_VOICE),
                clip=str(asked.get("clip") or ""),
                speed=float(asked.get("speed", 1.0)),
                taste=_taste(asked, variant),
                seed=None if seed is None else int(seed) % 2**63,
            )
        except (KeyError, TypeError, ValueError) as error:
            # The message of a ValueError may quote what was said.
            what = error if isinstance(error, KeyError) else type(error).__name__
            raise EngineError(ENGINE, f"the request is malformed: {what}") from None
        if request.language not in variant.languages:
            raise EngineError(
                ENGINE,
                f"its {variant.name} release does not speak the language {request.language!r:.8}",
            )
        require_clip(request.voice, request.clip)
        return request


def require_clip(voice: str, clip: str) -> None:
    """`EngineError` for a voice that there is no clip of."""
    if voice != OWN_VOICE and not clip:
        raise EngineError(ENGINE, f"there is no voice {voice}")


def _taste(asked: dict[str, Any], variant: Variant) -> Taste:
    def number(name: str, otherwise: float) -> float:
        value = asked.get(name)
        value = otherwise if value is None else float(value)
        if not math.isfinite(value) or value < 0:
            raise ValueError(name)
        return value

    return Taste(
        temperature=number("temperature", variant.temperature),
        top_k=variant.top_k,
        top_p=variant.top_p,
        min_p=variant.min_p,
        repetition_penalty=variant.repetition_penalty,
        guidance=number("guidance", variant.guidance) if variant.guided else 0.0,
        exaggeration=number("exaggeration", variant.exaggeration) if variant.emotional else 0.0,
    )
