"""A synthesizer in a process of its own: what flite and espeak-ng have in common on this side.

The process is given plain text only: no control characters, no mark-up, no phoneme escapes.
"""

import unicodedata
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from ultraandchat.audio.frame import Samples, from_pcm16
from ultraandchat.engines.base import EngineError, EngineStatus, Manner, Voice
from ultraandchat.engines.worker import Worker
from ultraandchat.engines.worker_status import engine_status

AHEAD = 16
"""Blocks a clause may be ahead of its reader. The models here make a whole clause at once, in few and
growing blocks, so that a reader who pauses keeps nobody else from speaking."""

_TYPOGRAPHY = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": ", ", "—": ", ", "…": ".", "\u00a0": " "}
)


class WorkerSpeech:
    """A `SpeechSynthesizer` over a worker whose model has `synthesize(stop, text, voice, speed)`."""

    def __init__(
        self, worker: Worker, *, rate: int, voices: Sequence[str], about: str, ascii_only: bool
    ) -> None:
        self._worker = worker
        self._rate = rate
        self._voices = tuple(voices)
        self._about = about
        self._ascii_only = ascii_only

    @property
    def rate(self) -> int:
        return self._rate

    @property
    def voices(self) -> tuple[str, ...]:
        return self._voices

    def manner(self, voice: Voice) -> Manner:
        """English, whichever voice: all that these two are opened with are English ones."""
        return Manner()

    async def synthesize(self, clause: str, voice: Voice) -> AsyncGenerator[Samples, None]:
        """The clause without the silence around it; nothing where it holds nothing to be said."""
        name = voice.name or self._voices[0]
        if name not in self._voices:
            raise EngineError(self._worker.spec.name, f"there is no voice {name}")
        text = plain_text(clause, ascii_only=self._ascii_only)
        if not text:
            return
        speed = min(max(voice.speed, 0.5), 2.0)
        blocks = self._worker.stream("synthesize", text, name, speed, ahead=AHEAD)
        async with aclosing(blocks):
            async for block in blocks:
                yield from_pcm16(block)

    def status(self) -> EngineStatus:
        """The worker as `/health` shows it."""
        worker = self._worker
        return engine_status("speech", worker.spec.name, self._about, worker.status())


def plain_text(clause: str, *, ascii_only: bool = False) -> str:
    """One line of letters, digits and punctuation; empty where no letter or digit is in it.

    `[[` would begin phonemes and `<` mark-up in espeak-ng, so brackets become spaces. With
    `ascii_only` accents are taken off ("café" is "cafe") and what is left beyond ASCII is dropped.
    """
    text = clause.translate(_TYPOGRAPHY)
    if ascii_only:
        text = unicodedata.normalize("NFKD", text).replace("\u2044", "/")  # the slash of "½"
        text = text.encode("ascii", "ignore").decode()
    kept = (" " if one in "[]<>" or _unspeakable(one) else one for one in text)
    line = " ".join("".join(kept).split())
    return line if any(one.isalnum() for one in line) else ""


def _unspeakable(character: str) -> bool:
    """Control, format, surrogate, private and unassigned characters (Unicode category C)."""
    return unicodedata.category(character).startswith("C")
