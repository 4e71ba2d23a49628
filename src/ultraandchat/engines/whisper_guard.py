"""Which of a Whisper's words to believe: for coughs and silence it writes what subtitles end with.

Captions may be missing; they must not be made up. The limits joined by "and" in Whisper's own decoding
are looked at one by one here. They are Whisper's (openai/whisper, `transcribe.py`) where it has any; those
of our own are judgement, not yet measured on recordings.
"""

import re
from typing import Protocol

LEAST_LOGPROB = -1.0
"""Mean log probability of a segment's tokens. Whisper's own, where it then tries again less strictly."""
MOST_COMPRESSION = 2.4
"""Length of the text by its length compressed. Whisper's own: beyond it a phrase is repeated on and on."""
SURELY_SILENCE = 0.85
"""Probability of no speech at which the words do not matter. Ours; Whisper never looks at it alone."""
LIKELY_SILENCE = 0.6
"""Whisper's own threshold, at which it looks at the words' probability too."""
LEAST_LOGPROB_IN_SILENCE = -0.5
"""Wanted of words from `LIKELY_SILENCE` on. Ours; Whisper's −1.0 lets its best known inventions through."""
SILENCE_FOR_STOCK = 0.2
"""From this probability of no speech on, a stock phrase alone is not believed. Ours."""

STOCK = frozenset(
    {
        "thank you",
        "thanks",
        "thank you very much",
        "thanks for watching",
        "thank you for watching",
        "thank you so much for watching",
        "please subscribe",
        "subscribe",
        "see you next time",
        "bye",
        "bye bye",
        "you",
        "music",
        "applause",
        "the end",
        "subtitles by the amara org community",
    }
)
"""What it writes for no speech, in English: endings of the subtitles it was taught with."""


class Segment(Protocol):
    """What is looked at of faster-whisper's segments."""

    @property
    def text(self) -> str: ...
    @property
    def avg_logprob(self) -> float: ...
    @property
    def compression_ratio(self) -> float: ...
    @property
    def no_speech_prob(self) -> float: ...


def believed(segment: Segment) -> bool:
    """Whether somebody said this. A number that is NaN speaks against it."""
    if not (
        segment.avg_logprob >= LEAST_LOGPROB
        and segment.compression_ratio <= MOST_COMPRESSION
        and segment.no_speech_prob < SURELY_SILENCE
    ):
        return False
    if segment.no_speech_prob > LIKELY_SILENCE and segment.avg_logprob < LEAST_LOGPROB_IN_SILENCE:
        return False
    return not (segment.no_speech_prob > SILENCE_FOR_STOCK and _bare(segment.text) in STOCK)


def _bare(text: str) -> str:
    """Its words alone."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))
