"""flite inside its worker process: the system's program, run once for each clause.

The clause goes in through stdin, because a command line can be read by every user of the machine.
The sound comes out through a file in a private folder: flite makes a clause whole before it writes,
and waits for ever when told to append to a pipe.
"""

import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ultraandchat.audio.frame import Pcm16, from_pcm16, to_pcm16
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.trim import trimmed
from ultraandchat.engines.worker_wire import Progress, Stop

RATE = 16_000
"""Hz of the voices below."""

VOICES = ("slt", "rms", "awb", "kal16")
"""flite's own that say anything at 16 kHz, the default first. (kal has 8 kHz, awb_time tells the time.)

slt: natural beside kal16's robot, and the quickest of the recorded ones. It needs 30 to 100 ms for a
clause where kal16 needs 15, which a turn can bear. Of ten phrases a small recogniser misread 10 % of
slt's words and 6 % of kal16's: kal16 is the voice for a machine to listen to."""

LONGEST_S = 20.0
"""A clause that takes longer is stuck: three minutes of sound are made in this time."""

POLL_S = 0.005
"""How often a running flite is asked whether it is ready and its reader whether it still listens."""


def open_model(progress: Progress, program: str) -> "FliteModel":
    return FliteModel(program)


class FliteModel:
    """One clause at a time."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._folder = tempfile.TemporaryDirectory(prefix="flite-")
        self._file = Path(self._folder.name, "clause.wav")
        self._voices = [name for name in VOICES if name in self._listed()]
        if not self._voices:
            raise EngineUnavailable(
                "flite", f"it has none of the voices {', '.join(VOICES)}", "apt install flite"
            )

    def voices(self, stop: Stop) -> list[str]:
        """Those that are installed, the default first."""
        return self._voices

    def synthesize(self, stop: Stop, text: str, voice: str, speed: float) -> Iterator[Pcm16]:
        """The clause in one piece, trimmed."""
        stretch = f"duration_stretch={1 / speed:.3f}"
        command = [self._program, "-voice", voice, "--setf", stretch]
        command += ["-f", "/dev/stdin", "-o", str(self._file)]
        if not self._run(command, text, stop):
            return
        sound = self._made()
        # Else a failure of the next clause would say this one again.
        self._file.unlink()
        pieces = list(trimmed([from_pcm16(sound)], RATE))
        if pieces:
            yield to_pcm16(np.concatenate(pieces))

    def _run(self, command: list[str], text: str, stop: Stop) -> bool:
        """Whether it ran to its end; false where nobody wants the sound any more."""
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            assert process.stdin is not None
            with process.stdin as stdin:
                stdin.write(text.encode() + b"\n")
            until = time.monotonic() + LONGEST_S
            while process.poll() is None:
                if stop():
                    return False
                if time.monotonic() > until:
                    raise EngineError("flite", "it did not finish a clause in time")
                time.sleep(POLL_S)
        except BrokenPipeError:
            process.wait()
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            raise EngineError("flite", f"it ended with exit code {process.returncode}")
        return True

    def _made(self) -> Pcm16:
        try:
            with wave.open(str(self._file)) as file:
                if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
                    raise EngineError("flite", f"its voice is not {RATE} Hz, mono, 16 bit")
                return np.frombuffer(file.readframes(file.getnframes()), "<i2")
        except (OSError, EOFError, wave.Error) as error:
            raise EngineError("flite", "it made no sound") from error

    def _listed(self) -> list[str]:
        try:
            listing = subprocess.run(
                [self._program, "-lv"],
                capture_output=True,
                text=True,
                timeout=LONGEST_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EngineUnavailable("flite", "it does not run", "apt install flite") from error
        return listing.stdout.partition(":")[2].split()
