"""With which history an utterance is answered: its words are asked for with the same one, and so read no
more than is read already. Bounded, and empty unless Ultravox itself writes down what is said.
"""

import asyncio

from ultraandchat.engines.ultravox.told import Told
from ultraandchat.turn.events import Utterance

WAIT_S = 0.2
"""For the reply to be asked, which begins in the same moment; a turn that is not answered has none."""

MOST = 32
"""Utterances whose words nobody has asked for yet; two for each of 16 conversations."""


class Answered:
    """Histories by utterance, each asked for once."""

    def __init__(self) -> None:
        self._histories: dict[Utterance, tuple[Told, ...]] = {}
        self._noted = asyncio.Event()

    def note(self, utterance: Utterance, history: tuple[Told, ...]) -> None:
        """It is answered with this history."""
        self._histories[utterance] = history
        while len(self._histories) > MOST:
            del self._histories[next(iter(self._histories))]
        self._noted.set()
        self._noted = asyncio.Event()

    async def take(self, utterance: Utterance) -> tuple[Told, ...]:
        """The history; empty where it is not answered soon."""
        try:
            async with asyncio.timeout(WAIT_S):
                while utterance not in self._histories:
                    await self._noted.wait()
        except TimeoutError:
            return ()
        return self._histories.pop(utterance)
