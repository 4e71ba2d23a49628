"""Your own voice in the system: a class with two properties, a few words about itself and one generator. This one hums.

    python examples/own_synthesizer.py hum.wav "Good morning. How are you?"

A real one would run its model in a process of its own (`engines/worker.py`) and yield sound as it is
made. The contract that `tests/engines/contract.py` runs against every engine is in `engines/base.py`.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np

from ultraandchat.audio.frame import PLAYOUT_RATE, Samples, to_pcm16
from ultraandchat.commands.wav import write_wav
from ultraandchat.dialogue.actions import Action
from ultraandchat.dialogue.reading import Reading
from ultraandchat.engines.base import Manner, SpeechSynthesizer, Voice
from ultraandchat.reply import recite


class Humming:
    """Hums each word at a pitch of its own, five words a second."""

    rate = 16_000
    voices = ("low", "high")

    def manner(self, voice: Voice) -> Manner:
        """Plain English, however short a clause."""
        return Manner()

    async def synthesize(self, clause: str, voice: Voice) -> AsyncGenerator[Samples, None]:
        """A block for every word, so that the first is heard while the rest is made."""
        base = 220.0 if voice.name == "high" else 110.0
        for word in clause.split():
            hz = base * (1 + len(word) / 12)
            time = np.arange(int(0.2 / voice.speed * self.rate)) / self.rate
            envelope = np.minimum(1, np.minimum(time, time[::-1]) / 0.02)
            yield (0.2 * envelope * np.sin(2 * np.pi * hz * time)).astype(np.float32)
            await asyncio.sleep(0)  # a model would be at work here


class Recorder:
    """Takes the reply's sound, as `session.py` does."""

    voice = Voice("high")

    def __init__(self) -> None:
        self.blocks: list[Samples] = []

    def clause_written(self, clause: int, text: str) -> None:
        print(f"clause {clause}: {text}")

    async def sound(self, clause: int, samples: Samples) -> None:
        self.blocks.append(samples)

    def clause_done(self, clause: int) -> None: ...

    def act(self, action: Action) -> None: ...

    def written(self, reading: Reading) -> None: ...


async def main(file: Path, text: str) -> None:
    voice: SpeechSynthesizer = Humming()
    recorder = Recorder()
    await recite(text, voice, recorder)
    sound = np.concatenate(recorder.blocks)
    write_wav(file, to_pcm16(sound), PLAYOUT_RATE)
    print(f"{len(sound) / PLAYOUT_RATE:.2f} s of humming in {file}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), " ".join(sys.argv[2:])))
