"""Sentences that are known before they are said, in Chatterbox's voices: which they are, and the apology."""

from collections.abc import Sequence

from ultraandchat.engines.base import EngineError, EngineLost, Manner, Voice
from ultraandchat.engines.chatterbox.kept import Keeping
from ultraandchat.engines.chatterbox.library import DEFAULT
from ultraandchat.engines.chatterbox.speakers import Speaker, Speakers
from ultraandchat.engines.chatterbox.variants import ENGINE
from ultraandchat.engines.chatterbox.wording import wording
from ultraandchat.engines.reciting import sayable

LOST = "I lost my voice for a moment. Please say that again."
"""Said from memory when a reply is lost with the worker's process. In other languages a tone has to do."""


class Known:
    """`Phrases` of Chatterbox."""

    def __init__(self, keeping: Keeping, speakers: Speakers, manner: Manner) -> None:
        self._keeping = keeping
        self._speakers = speakers
        self._manner = manner
        self._lost = LOST if manner.language == "en" else ""
        self.keep(())

    def keep(self, sentences: Sequence[str]) -> None:
        """Have these ready, and the apology."""
        known = (self._lost, *sentences)
        self._keeping.keep([text for sentence in known for text in self._said(sentence)])

    def apology(self, error: EngineError, voice: Voice) -> str:
        """Where its process was lost, and the sentence is ready in that voice."""
        if error.engine != ENGINE or not isinstance(error, EngineLost):
            return ""
        try:
            return self._lost if self.ready(self._lost, voice) else ""
        except EngineError:
            return ""

    def ready(self, sentence: str, voice: Voice) -> bool:
        """Whether all of it is kept in that voice. `EngineError` where there is no such voice."""
        speaker = self._speakers.named(voice.name or DEFAULT)
        return all(self._kept(speaker, text) for text in self._said(sentence))

    def _kept(self, speaker: Speaker, text: str) -> bool:
        return self._keeping.kept.get(speaker, text) is not None

    def _said(self, sentence: str) -> list[str]:
        """As it comes to the engine, clause by clause, and is worded there."""
        words = (wording(said, self._manner.tags) for said in sayable(sentence, self._manner))
        return [text for text in words if text]
