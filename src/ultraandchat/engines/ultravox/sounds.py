"""What the worker holds of the users' sound: each utterance by its digest, with samples only when new.

The model keeps what it made of an utterance under that digest, so a history is told again without its
sound. A process that was started anew holds nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from weakref import WeakKeyDictionary

from ultraandchat.turn.events import Utterance

DIGEST_BYTES = 16
"""128 bits: no two utterances of a server's life are ever taken for one another."""


@dataclass(slots=True)
class _Known:
    digest: str
    life: int | None = None  # the process that was sent the samples


class Sounds:
    """Shared by all conversations. Forgets an utterance when its conversation does."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Utterance, _Known] = WeakKeyDictionary()

    def digest(self, utterance: Utterance) -> str:
        """Of its samples; computed once, 1 ms for 30 s of speech."""
        return self._of(utterance).digest

    def held(self, utterance: Utterance, life: int | None) -> bool:
        """The process `life` (its pid) was given the samples and has answered since."""
        return life is not None and self._of(utterance).life == life

    def hold(self, utterances: Iterable[Utterance], life: int | None) -> None:
        """The process `life` has worked on these."""
        for utterance in utterances:
            self._of(utterance).life = life

    def _of(self, utterance: Utterance) -> _Known:
        known = self._known.get(utterance)
        if known is None:
            digest = blake2b(utterance.pcm.tobytes(), digest_size=DIGEST_BYTES).hexdigest()
            known = self._known[utterance] = _Known(digest)
        return known
