"""A `Transcriber` of recognisers that want the whole utterance: no captions while the user speaks.

They are asked at the first pause, as every transcriber is, and once more if the user goes on; the call
before is cancelled then. What they find is shown whenever it comes.
"""

from collections.abc import Awaitable, Callable

from ultraandchat.audio.frame import Samples
from ultraandchat.engines.base import Transcript
from ultraandchat.turn.events import Utterance


class WholeUtterance:
    """One for all conversations. `find` gives an utterance's words, raises `EngineError`, and frees
    its model when it is cancelled."""

    def __init__(self, find: Callable[[Utterance], Awaitable[Transcript]]) -> None:
        self._find = find

    def open(self, on_partial: Callable[[str], None]) -> "WholeUtteranceStream":
        """`on_partial` is never called: before the whole is there, nothing is known."""
        return WholeUtteranceStream(self._find)


class WholeUtteranceStream:
    """One conversation's ear for words; it keeps nothing of the conversation."""

    def __init__(self, find: Callable[[Utterance], Awaitable[Transcript]]) -> None:
        self._find = find

    def begin(self) -> None:
        """Nothing to prepare."""

    def feed(self, samples: Samples) -> None:
        """Not kept: `transcribe` is given the whole."""

    async def transcribe(self, utterance: Utterance) -> Transcript:
        """The words of this sound, as they were found."""
        return await self._find(utterance)

    def hurry(self) -> None:
        """Nothing that was found so far could be taken instead."""

    async def aclose(self) -> None:
        """Nothing is held; whoever waits in `transcribe` is cancelled by its own task."""
