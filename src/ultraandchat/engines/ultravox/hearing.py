"""What was heard, as the language model takes it: embeddings by digest, kept while there is room."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from ultraandchat.engines.ultravox.request import Sound

KEPT = 8192
"""Tokens' worth of embeddings: twice a window's, 22 minutes of sound, 64 MiB with 4096 numbers of bf16 each."""

REMEMBERED = 65_536
"""Digests of which the length is known, long after the embeddings are gone."""


class Hearing:
    """Embeds each sound once. Used by one thread."""

    def __init__(self, loaded: Any) -> None:
        self._loaded = loaded
        self._held: OrderedDict[str, Any] = OrderedDict()
        self._held_tokens = 0
        self._tokens: OrderedDict[str, int] = OrderedDict()

    def sizes(self, sounds: Mapping[str, Sound]) -> dict[str, int]:
        """Digest → tokens, of those whose length is known, from their samples or from earlier."""
        found: dict[str, int] = {}
        for digest, sound in sounds.items():
            if digest not in self._tokens and sound.pcm is not None:
                self._tokens[digest] = self._loaded.audio_tokens(len(sound.pcm))
                if len(self._tokens) > REMEMBERED:
                    self._tokens.popitem(last=False)
            if digest in self._tokens:
                found[digest] = self._tokens[digest]
        return found

    def held(self, sounds: Iterable[Sound]) -> dict[str, Any]:
        """Digest → embeddings (tokens, hidden), of those that are there."""
        found = {s.digest: self._held[s.digest] for s in sounds if s.digest in self._held}
        for digest in found:
            self._held.move_to_end(digest)
        return found

    def hear(self, sound: Sound) -> Any:
        """The embeddings of `sound`, whose samples must be there; those longest unused are let go."""
        (embedded,) = self._loaded.embed_audio([sound.pcm])
        self._held_tokens += len(embedded) - len(self._held.pop(sound.digest, ()))
        self._held[sound.digest] = embedded
        while self._held_tokens > KEPT and len(self._held) > 1:
            self._held_tokens -= len(self._held.popitem(last=False)[1])
        return embedded

    def forget(self) -> None:
        """All embeddings, for their memory."""
        self._held.clear()
        self._held_tokens = 0
