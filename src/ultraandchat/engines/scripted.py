"""Engines without models, exact in time: for tests, benchmarks and machines that only carry sound.

Every delay is `asyncio.sleep`, so whole conversations run on a virtual clock. Without a script the
settings decide; with one, the n-th call plays the n-th script, and the settings take over after the
last. A script waits, hangs and fails where its steps say so.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE, Samples
from ultraandchat.audio.level import dbfs
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import (
    EngineError,
    Manner,
    Prompt,
    ReplyPart,
    Transcript,
    Voice,
    VoiceActivityStream,
)
from ultraandchat.engines.settings import ScriptedSettings
from ultraandchat.turn.events import Utterance

Item = TypeVar("Item")

TONE_PEAK = math.sqrt(2) * 10 ** (-12 / 20)
"""A sine of −12 dBFS RMS."""

SCRIPTED_RATE = 24_000
"""Hz; what Chatterbox makes, so that the same resampling is at work."""

_NUMBERS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


@dataclass(frozen=True, slots=True)
class Wait:
    """A step that takes time; for ever with `math.inf`."""

    seconds: float


HANG: Final = Wait(math.inf)


class Script(Generic[Item]):
    """What one call does, step by step: yield an item, `Wait`, or raise."""

    def __init__(self, *steps: Item | Wait | Exception) -> None:
        self._steps = steps

    async def play(self) -> AsyncGenerator[Item, None]:
        """The items, each at its instant."""
        for step in self._steps:
            if isinstance(step, Exception):
                raise step
            if not isinstance(step, Wait):
                yield step
            elif math.isinf(step.seconds):
                await asyncio.get_running_loop().create_future()
            else:
                await asyncio.sleep(step.seconds)


Reply: TypeAlias = Script[ReplyPart]
"""What the language model writes, `Reply("One two. ", Wait(0.3), EngineError("scripted", "Broke."))`."""
Sound: TypeAlias = Script[Samples]
"""What a clause sounds like, in blocks at `SCRIPTED_RATE`."""
Words: TypeAlias = Script[str]
"""What the transcriber understood: the last of its texts is final."""


class ScriptedLanguage:
    """Answers with numbers in words, three a clause: "One two three. Four five six." """

    def __init__(
        self,
        settings: ScriptedSettings = ScriptedSettings(),  # noqa: B008 - frozen
        *,
        script: Sequence[Reply] | Callable[[Prompt, Conversation], Reply] = (),
    ) -> None:
        self._settings = settings
        self._choose: Callable[[Prompt, Conversation], Reply | None]
        if callable(script):
            self._choose = script
        else:
            replies = iter(script)
            self._choose = lambda _prompt, _conversation: next(replies, None)

    async def respond(
        self, prompt: Prompt, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]:
        """The next reply of the script, else as many clauses as the settings say."""
        reply = self._choose(prompt, conversation) or self._counting()
        async with aclosing(reply.play()) as parts:
            async for part in parts:
                yield part

    async def prepare(self, conversation: Conversation) -> None:
        """Nothing: a script needs no preparation."""

    def _counting(self) -> Reply:
        steps: list[ReplyPart | Wait] = []
        for index in range(self._settings.clauses):
            delay = self._settings.between_clauses_ms if index else self._settings.first_clause_ms
            three = [_NUMBERS[(3 * index + word) % len(_NUMBERS)] for word in range(3)]
            steps += [Wait(delay / 1000), " ".join(three).capitalize() + ". "]
        return Script(*steps)


class ScriptedSpeech:
    """Speaks in a tone: `clause_s` of it for every clause, made at a given speed."""

    rate = SCRIPTED_RATE
    voices = ("tone", "octave")
    """The second is an octave above the first."""

    def __init__(
        self,
        settings: ScriptedSettings = ScriptedSettings(),  # noqa: B008 - frozen
        *,
        script: Sequence[Sound] | Callable[[str, Voice], Sound] = (),
    ) -> None:
        self._settings = settings
        self._choose: Callable[[str, Voice], Sound | None]
        if callable(script):
            self._choose = script
        else:
            sounds = iter(script)
            self._choose = lambda _clause, _voice: next(sounds, None)

    def manner(self, voice: Voice) -> Manner:
        """Nothing particular."""
        return Manner()

    async def synthesize(self, clause: str, voice: Voice) -> AsyncGenerator[Samples, None]:
        """The next sound of the script, else the tone; its phase runs on from block to block."""
        if voice.name and voice.name not in self.voices:
            raise EngineError("scripted", f"There is no voice {voice.name}.")
        sound = self._choose(clause, voice)
        async with aclosing(self._tone(voice) if sound is None else sound.play()) as blocks:
            async for block in blocks:
                yield block

    async def _tone(self, voice: Voice) -> AsyncGenerator[Samples, None]:
        settings, loop = self._settings, asyncio.get_running_loop()
        total = round(settings.clause_s / voice.speed * self.rate)
        size = max(settings.block_ms * self.rate // 1000, 1)
        due = loop.time() + settings.first_sound_ms / 1000
        for start in range(0, total, size):
            await asyncio.sleep(max(due - loop.time(), 0.0))
            end = min(start + size, total)
            # A reader who was slow is not caught up with: the model waited for it.
            due = max(due, loop.time()) + (end - start) / self.rate / settings.speed
            yield tone(self._hz(voice), start, end, self.rate, settings.rise_hz_per_s)

    def _hz(self, voice: Voice) -> float:
        return self._settings.tone_hz * (2 if voice.name == "octave" else 1)


def tone(hz: float, start: int, end: int, rate: int, rise_hz_per_s: float = 0.0) -> Samples:
    """Samples `start`…`end` of a sine of −12 dBFS RMS, which has the frequency `hz` at sample 0."""
    seconds = np.arange(start, end, dtype=np.float64) / rate
    phase = 2 * np.pi * (hz + rise_hz_per_s / 2 * seconds) * seconds
    return (TONE_PEAK * np.sin(phase)).astype(np.float32)


class ScriptedTranscriber:
    """Hears "one", "one two", "one two three": a word for every half second of sound."""

    def __init__(self, *, script: Sequence[Words] = ()) -> None:
        self._words: Iterator[Words] = iter(script)

    def open(self, on_partial: Callable[[str], None]) -> "ScriptedTranscriberStream":
        return ScriptedTranscriberStream(on_partial, self._words)


class ScriptedTranscriberStream:
    """One conversation's ear; scripts are shared by the conversations of one transcriber."""

    def __init__(self, on_partial: Callable[[str], None], words: Iterator[Words]) -> None:
        self._on_partial = on_partial
        self._words = words
        self._fed = 0
        self._shown = ""

    def begin(self) -> None:
        self._fed = 0
        self._shown = ""

    def feed(self, samples: Samples) -> None:
        """Tells the words so far when one has come to them."""
        self._fed += len(samples)
        text = counted(self._fed // (HEARING_RATE // 2))
        if text != self._shown:
            self._shown = text
            self._on_partial(text)

    async def transcribe(self, utterance: Utterance) -> Transcript:
        """The next words of the script, else as many as the utterance has half seconds."""
        words = next(self._words, None)
        if words is None:
            return Transcript(counted(max(int(utterance.seconds * 2), 1)), "scripted")
        text = ""
        async for text in words.play():
            self._on_partial(text)
        return Transcript(text, "scripted")

    def hurry(self) -> None:
        """Nothing is ever under way that could be hurried."""

    async def aclose(self) -> None:
        """Nothing is held."""


def counted(words: int) -> str:
    """ "one two three": `words` of them, over again after twelve."""
    return " ".join(_NUMBERS[index % len(_NUMBERS)] for index in range(words))


class ScriptedVoiceActivity:
    """Calls every window above a level speech; a tone will do for a voice."""

    def __init__(self, threshold_dbfs: float = -40.0) -> None:
        self._threshold = threshold_dbfs

    def open(self) -> VoiceActivityStream:
        return self

    def probability(self, window: Samples) -> float:
        return 1.0 if dbfs(window) > self._threshold else 0.0

    def reset(self) -> None:
        """It remembers nothing, so one stream serves every conversation."""
