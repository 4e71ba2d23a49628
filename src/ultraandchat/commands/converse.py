"""`ultraandchat converse`: a wav file is the caller, in real time, here or against a running server."""

import argparse
import asyncio
import sys
from contextlib import AbstractAsyncContextManager

import numpy as np
from babel.localtime import LOCALTZ
from rich.console import Console
from rich.text import Text

from ultraandchat.audio.frame import FRAME_MS, HEARING_RATE, PLAYOUT_RATE, Samples
from ultraandchat.commands.address import ServerAddress
from ultraandchat.commands.caller import Caller
from ultraandchat.commands.lines import Line, LineError, dial, open_here
from ultraandchat.commands.wav import NotWav, read_wav, write_wav
from ultraandchat.config import Config, ConfigError
from ultraandchat.transport.frames import PCM_RATE
from ultraandchat.transport.wire import Bye, Hello

WELCOME_S = 20.0
"""A server that has not answered `hello` by then will not."""


SETTLED_S = 0.3
"""The file begins when nobody has spoken for this long."""

LONGEST_GREETING_S = 20.0
"""Whoever greets for longer is talked over."""


def run(config: Config, options: argparse.Namespace) -> int:
    """Have the conversation, print it, write its sound."""
    console = Console(highlight=False, soft_wrap=True)

    def show(who: str, text: str) -> None:
        label = Text(f"{who}:".ljust(7) if who else " " * 7, style="bold")
        console.print(label + Text(text, style="" if who else "dim"))

    try:
        recorded = read_wav(options.wav, HEARING_RATE)
    except NotWav as error:
        raise ConfigError(str(error)) from None
    if options.output is not None and not options.output.parent.is_dir():
        raise ConfigError(f"{options.output}: there is no folder {options.output.parent}")
    if recorded.warning:
        print(f"ultraandchat: {recorded.warning}", file=sys.stderr)
    caller = Caller(PCM_RATE if options.url else PLAYOUT_RATE, show)
    hello = Hello(language="en", timezone=getattr(LOCALTZ, "key", ""))
    line = (
        dial(ServerAddress.read(options.url, options.fingerprint), caller, hello)
        if options.url
        else open_here(config, caller, hello)
    )
    try:
        asyncio.run(_converse(line, caller, recorded.samples, options))
    except LineError as error:
        print(f"ultraandchat: {error}", file=sys.stderr)
        return 1
    if not caller.turns:
        print("ultraandchat: the agent was given no turn: no speech was found", file=sys.stderr)
    return 0


async def _converse(
    opening: AbstractAsyncContextManager[Line],
    caller: Caller,
    samples: Samples,
    options: argparse.Namespace,
) -> None:
    try:
        async with opening as line:
            await _talk(line, caller, samples)
    finally:  # after Ctrl-C too: what was heard is worth keeping
        caller.close()
        if options.output is not None and caller.recording.begun is not None:
            pcm = caller.recording.pcm()
            try:
                write_wav(options.output, pcm, caller.recording.rate)
            except OSError as error:
                raise LineError(f"{options.output}: {error.strerror}") from None


async def _talk(line: Line, caller: Caller, samples: Samples) -> None:
    """A greeting is heard out; then the file in real time, then silence until all is said."""
    await _welcomed(caller)
    now = asyncio.get_running_loop().time
    begun, opened = now(), 0
    sent = -1  # samples of the file; below 0 it has not begun
    step = HEARING_RATE * FRAME_MS // 1000
    silence = np.zeros(step, np.float32)
    while caller.closed is None:
        if sent < 0 and (caller.quiet(now(), SETTLED_S) or now() - begun > LONGEST_GREETING_S):
            sent, caller.recording.begun = 0, now()
        elif sent >= len(samples) and caller.finished(now()):
            break
        frame = samples[sent : sent + step] if 0 <= sent < len(samples) else silence
        sent += len(frame) if sent >= 0 else 0
        opened += len(frame)
        await asyncio.sleep(begun + opened / HEARING_RATE - now())
        await line.say(frame)
    _complain_if_closed(caller)
    await line.tell(Bye())


async def _welcomed(caller: Caller) -> None:
    try:
        async with asyncio.timeout(WELCOME_S):
            await caller.answered.wait()
    except TimeoutError:
        raise LineError(f"the server did not answer within {WELCOME_S:.0f} s") from None
    _complain_if_closed(caller)


def _complain_if_closed(caller: Caller) -> None:
    if caller.closed is not None:
        wait = caller.closed.retry_after_s
        again = f"; try again in {wait:.0f} s" if wait else ""
        raise LineError(f"the server ended the conversation: {caller.closed.text}{again}")
