"""Looks at clips in a process of their own: `python -m ultraandchat.engines.chatterbox.clip_process look FILE…`, or
`make` with a file on its standard input.

What FFmpeg does with a file that was made to hurt it happens there: it may crash, or take its seconds and its
memory, and the server says that the file cannot be used. Both functions block: call them in a thread.
"""

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from ultraandchat.engines.chatterbox.clips import Clip, UnfitClip, check, wav

MODULE = "ultraandchat.engines.chatterbox.clip_process"

START_S = 20.0
"""For the interpreter and numpy, 0.3 s on a free machine; a busy one may take its time."""
EACH_S = 5.0
"""For one clip. Five minutes of Opus, the slowest, took 0.8 s."""

MEMORY_BYTES = 2_000_000_000
"""Of address space; a minute of eight channels at 192 kHz, the largest clip, took 0.63 GB with the interpreter."""

CRASHED = "it could not be read: its reader crashed or took too long"

LOG = logging.getLogger("ultraandchat.model")


class Finding(msgspec.Struct, frozen=True):
    """What is known of one clip, as the processes tell each other."""

    seconds: float = 0.0
    """Of what would be heard of it: without the silence around it, 30 at most."""
    fault: str = ""
    """Why it cannot be a voice, in one sentence; empty where it can."""
    remark: str = ""
    """What will be heard of its faults; empty for none."""


def look(paths: Sequence[Path]) -> list[Finding]:
    """What is found of each of these files, in their order. Never raises."""
    found: list[Finding] = []
    while len(found) < len(paths):
        rest = paths[len(found) :]
        out = _run(["look", *map(str, rest)], None, START_S + EACH_S * len(rest))
        lines = [line for line in out.split(b"\n")[:-1] if line][: len(rest)]
        found += [msgspec.json.decode(line, type=Finding) for line in lines]
        if len(lines) < len(rest):  # the next one stopped it
            found.append(Finding(fault=CRASHED))
    return found


def make(data: bytes | bytearray) -> tuple[Finding, bytes]:
    """What is found of an uploaded file, and the clip to be kept of it: a WAV of our own making. `UnfitClip`."""
    # As a file, not through a pipe: that takes 4,000 turns of Python, which the server's loop waits for.
    with tempfile.TemporaryFile() as given:
        try:
            given.write(data)
            given.seek(0)
        except OSError as error:
            raise UnfitClip(f"the server has no room to look at it ({error.strerror})") from None
        out = _run(["make"], given, START_S + EACH_S)
    head, _, made = out.partition(b"\n")
    if not head:
        raise UnfitClip(CRASHED)
    found = msgspec.json.decode(head, type=Finding)
    if found.fault:
        raise UnfitClip(found.fault)
    return found, made


def _run(arguments: list[str], given: IO[bytes] | None, within_s: float) -> bytes:
    """What the process wrote until it ended, crashed or ran out of time."""
    command = [sys.executable, "-P", "-m", MODULE, *arguments]
    try:
        ran = subprocess.run(
            command,
            stdin=given or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=within_s,
            check=False,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # it would take memory for each core
        )
    except subprocess.TimeoutExpired as late:
        LOG.warning("looking at a clip took more than %.0f s", within_s)
        return late.stdout or b""
    except OSError as error:
        LOG.warning("no process for looking at clips can be started (%s)", error.strerror)
        return b""
    if ran.returncode:
        LOG.warning("looking at a clip ended with %d", ran.returncode)
    return ran.stdout


def _found(source: Path | bytes) -> tuple[Finding, Clip | None]:
    try:
        clip = check(source)
    except UnfitClip as unfit:
        return Finding(fault=unfit.reason), None
    return Finding(round(clip.seconds, 2), "", clip.remark), clip


def _bound(seconds: int) -> None:
    """Whatever a file does here, also after the server has gone."""
    if sys.platform == "win32":
        return
    os.nice(10)  # behind everybody's sound
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    mode, *names = sys.argv[1:]
    _bound(round(START_S + EACH_S * max(1, len(names))))
    out = sys.stdout.buffer
    if mode == "look":
        for name in names:
            out.write(msgspec.json.encode(_found(Path(name))[0]) + b"\n")
            out.flush()
        return
    found, clip = _found(sys.stdin.buffer.read())
    made = b"" if clip is None else wav(clip)
    if clip is not None:
        # What is kept must pass later too: at the edge of a length, other silence may be found around it.
        found = msgspec.structs.replace(_found(made)[0], remark=found.remark)
    out.write(msgspec.json.encode(found) + b"\n" + (b"" if found.fault else made))


if __name__ == "__main__":
    main()
