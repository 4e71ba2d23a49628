"""Who may be spoken as: the checkpoint's own voice, and those of the library's clips that can be used."""

from typing import NamedTuple

from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.library import DEFAULT, Library, VoiceFile
from ultraandchat.engines.chatterbox.variants import ENGINE


class Speaker(NamedTuple):
    """A voice as it is now."""

    voice: str
    path: str
    """Of its reference clip; empty for the checkpoint's own voice."""
    changed: int = 0
    """When the file was written: another file under the same name is another voice."""


OWN = Speaker(DEFAULT, "")


class Speakers:
    """Asked in the loop; the library knows without looking."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def all(self) -> list[Speaker]:
        """Those that can be used, the default first."""
        return [OWN, *(_speaker(one) for one in self._library.voices() if not one.fault)]

    def named(self, name: str) -> Speaker:
        """`EngineError` where there is none, or it cannot be used."""
        if name == DEFAULT:
            return OWN
        for one in self._library.voices():
            if one.name == name:
                if one.fault:
                    raise EngineError(ENGINE, f"the voice {name} is of no use: {one.fault}")
                return _speaker(one)
        raise EngineError(ENGINE, f"there is no voice {name}")


def _speaker(one: VoiceFile) -> Speaker:
    return Speaker(one.name, str(one.path), one.changed)
