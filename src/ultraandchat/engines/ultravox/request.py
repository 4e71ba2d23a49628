"""What the gateway asks of the model, as it came through the pipe, made into types."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ultraandchat.engines.base import EngineError


@dataclass(frozen=True, slots=True)
class Sound:
    """A user's turn that was heard."""

    digest: str
    pcm: npt.NDArray[np.int16] | None = field(repr=False, compare=False)
    """16 kHz; none where the caller believes that the model still has it."""
    words: str = field(repr=False)
    """Its transcript; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Text:
    """A user's turn that was typed, or what the agent said."""

    by: str
    """ "user" or "assistant"."""
    text: str = field(repr=False)


Message: TypeAlias = Sound | Text


@dataclass(frozen=True, slots=True)
class Request:
    """One call of `respond`, `prepare` or `transcribe`."""

    system: str = field(repr=False)
    messages: tuple[Message, ...]
    """Oldest first; an answer of which nothing was heard is not among them."""
    max_tokens: int
    temperature: float
    top_p: float
    repetition_penalty: float
    seed: int | None
    """Of the choices; none = another one each time."""

    @classmethod
    def read(cls, asked: dict[str, Any]) -> "Request":
        """`EngineError` where it is not what was agreed on."""
        try:
            request = cls(
                system=str(asked["system"]),
                messages=tuple(
                    message
                    for message in map(_message, asked["messages"])
                    if isinstance(message, Sound) or message.by == "user" or message.text.strip()
                ),
                max_tokens=int(asked["max_tokens"]),
                temperature=float(asked["temperature"]),
                top_p=float(asked["top_p"]),
                repetition_penalty=float(asked["repetition_penalty"]),
                seed=asked.get("seed"),
            )
        except (KeyError, TypeError, ValueError) as error:
            # The message of a ValueError may quote what was said.
            what = error if isinstance(error, KeyError) else type(error).__name__
            raise EngineError("ultravox", f"the request is malformed: {what}") from None
        if (
            request.max_tokens < 1
            or not 0 <= request.temperature < 100
            or not 0 < request.top_p <= 1
            or not 0 < request.repetition_penalty < 100
        ):
            raise EngineError("ultravox", "the request is malformed: a number is out of range")
        return request

    @property
    def sounds(self) -> dict[str, Sound]:
        """By digest; where one is there twice, one that has its samples."""
        found: dict[str, Sound] = {}
        for message in self.messages:
            if isinstance(message, Sound):
                known = found.get(message.digest)
                if known is None or known.pcm is None:
                    found[message.digest] = message
        return found


def _message(asked: dict[str, Any]) -> Message:
    if asked["role"] not in ("user", "assistant"):
        raise KeyError("role")
    if asked["role"] == "user" and "audio" in asked:
        pcm = asked["pcm"]
        if pcm is not None and not (isinstance(pcm, np.ndarray) and pcm.dtype == np.int16):
            raise TypeError("pcm")
        if pcm is not None and not len(pcm):
            return Text("user", str(asked["words"]))
        return Sound(str(asked["audio"]), pcm, str(asked["words"]))
    return Text(asked["role"], str(asked["text"]))
