"""The whole system in one file: a wav is the caller, the reply is written to another.

    python examples/file_to_file.py question.wav answer.wav

The engines are scripted: they know no words and answer with a tone. Change `profile` to "demo" and
the same lines hold a real conversation.
"""

import asyncio
import sys
from pathlib import Path

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE, PLAYOUT_RATE, Samples, to_pcm16
from ultraandchat.commands.wav import read_wav, write_wav
from ultraandchat.config import Config
from ultraandchat.engines.open import open_engines
from ultraandchat.events import ReplyBegun, ReplyClosed, ReplyDropped, SessionEvent, WordsHeard
from ultraandchat.playout.ticker import Ticker
from ultraandchat.session import Session
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import Hello


async def speak(line: MemoryTransport, speech: Samples) -> None:
    """In real time, and then a second of silence: that is what ends a turn."""
    loop = asyncio.get_running_loop()
    sound, step = np.concatenate([speech, np.zeros(HEARING_RATE, np.float32)]), HEARING_RATE // 50
    begun = loop.time()
    for at in range(0, len(sound), step):
        await asyncio.sleep(begun + at / HEARING_RATE - loop.time())
        await line.say(sound[at : at + step])


async def main(question: Path, answer: Path) -> None:
    config = Config.load(overrides=["engines.profile=scripted", "engines.scripted.clause_s=0.5"])
    idle = asyncio.Event()

    def observe(event: SessionEvent) -> None:
        match event:
            case WordsHeard(text=text, final=True):
                print(f"you:   {text}")
            case ReplyBegun():
                idle.clear()
            case ReplyClosed(text=text):
                print(f"agent: {text}")
                idle.set()
            case ReplyDropped():
                idle.set()

    async with open_engines(config.engines) as engines, asyncio.TaskGroup() as tasks:
        ticker, line = Ticker(), MemoryTransport()
        session = Session(
            engines,
            ticker,
            name="example",
            turn=config.turn,
            playout=config.playout,
            config=config.session,
            observe=observe,
        )
        session.attach(line, Hello())
        ticking = tasks.create_task(ticker.run())
        tasks.create_task(session.run())
        await speak(line, read_wav(question, HEARING_RATE).samples)
        async with asyncio.timeout(60):
            await idle.wait()
        session.stop(CloseReason.PEER_LEFT)
        ticking.cancel()
    write_wav(answer, to_pcm16(line.heard()), PLAYOUT_RATE)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
