"""A voice that is a tone, with as many voices as a library has clips: `ultraandchat serve` with it as a program, too.

`python -m tests.support.collected FOLDER serve …`; the profile must be scripted.
"""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tests.support.serving import scripted
from ultraandchat.engines.base import Engines
from ultraandchat.engines.chatterbox.library import Library
from ultraandchat.engines.scripted import ScriptedSpeech
from ultraandchat.engines.settings import EnginesConfig, ScriptedSettings


class CollectedSpeech(ScriptedSpeech):
    """A tone by every name of the library."""

    def __init__(self, library: Library) -> None:
        super().__init__(ScriptedSettings(first_sound_ms=0, clause_s=0.4))
        self.library = library

    @property
    def voices(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("default", *(one.name for one in self.library.voices() if not one.fault))


def engines_with(library: Library) -> Engines:
    return replace(scripted(), speech=CollectedSpeech(library))


if __name__ == "__main__":
    from ultraandchat.cli import main
    from ultraandchat.server import app

    folder = Path(sys.argv.pop(1))

    @asynccontextmanager
    async def opened(config: EnginesConfig, **_: object) -> AsyncGenerator[Engines, None]:
        yield engines_with(Library(folder))

    app.real_engines = opened
    raise SystemExit(main())
