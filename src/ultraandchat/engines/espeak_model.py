"""espeak-ng inside its worker process, GPL-3.0-or-later: no other process ever loads it.

The library of espeakng-loader through ctypes; where that wheel does not exist (Linux on Arm), the
system's `espeak-ng` program, whose sound is read as it is made.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from ultraandchat.audio.frame import Pcm16, Samples, from_pcm16, to_pcm16
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.trim import trimmed
from ultraandchat.engines.worker_wire import Progress, Stop

RATE = 22_050
"""Hz of every voice of espeak-ng."""

VOICES = ("en-us", "en-us+f3", "en-gb-x-rp", "en-gb-x-rp+f3", "en-gb-scotland")
"""English, as flite; `+f3` is the female variant. 1.52 knows plain British as "en" only, 1.51 as "en-gb"."""

WORDS_A_MINUTE = 175
"""espeak-ng's own speed; it accepts 80…450."""

REMEDY = "Install it: pip install 'ultraandchat[demo]', or apt install espeak-ng."

# speak_lib.h of espeak-ng 1.51 and 1.52
_SYNCHRONOUS = 2
_BLOCK_MS = 60
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_RATE_PARAMETER = 1
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def open_model(progress: Progress) -> "EspeakLibrary | EspeakProgram":
    """The library where it loads, else the program, else `EngineUnavailable`."""
    try:
        return EspeakLibrary()
    except (ImportError, OSError, EngineUnavailable):
        program = shutil.which("espeak-ng")
        if program is None:
            raise EngineUnavailable("espeak", "it is not installed", REMEDY) from None
        return EspeakProgram(program)


class EspeakLibrary:
    """In this process. It makes a clause in a few ms, so all of it is made before the first block leaves."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        # The folder that holds espeak-ng-data; espeak-ng takes at most 159 characters and says so by −1.
        data = os.fsencode(espeakng_loader.get_data_path())
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, _BLOCK_MS, data, _DONT_EXIT)
        if rate != RATE:
            raise EngineUnavailable("espeak", "its library does not start", REMEDY)
        # Kept: ctypes would free it while the library still calls it.
        self._callback = _CALLBACK(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)
        self._stop: Stop = lambda: False
        self._blocks: list[Samples] = []

    def synthesize(self, stop: Stop, text: str, voice: str, speed: float) -> Iterator[Pcm16]:
        """The clause, trimmed. Cancelled within one block of 60 ms of sound, some 0.1 ms of work."""
        self._stop, self._blocks = stop, []
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise EngineError("espeak", f"it has no voice {voice}")
        self._library.espeak_SetParameter(_RATE_PARAMETER, round(WORDS_A_MINUTE * speed), 0)
        data = text.encode()
        failed = self._library.espeak_Synth(
            data, len(data) + 1, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        if failed:
            raise EngineError("espeak", f"it made no sound (error {failed})")
        pieces = list(trimmed(self._blocks, RATE))
        if pieces and not stop():
            yield to_pcm16(np.concatenate(pieces))

    def _hear(self, samples: Any, count: int, _events: int | None) -> int:
        """Called by espeak-ng for each block; 1 ends the clause."""
        if count and samples:
            block: Pcm16 = np.ctypeslib.as_array(samples, (count,))
            self._blocks.append(from_pcm16(block))
        return int(self._stop())


class EspeakProgram:
    """The system's program, once for each clause."""

    HEADER = 44
    """Bytes of the WAV header that it writes before it knows the length."""

    def __init__(self, program: str) -> None:
        self._program = program

    def synthesize(self, stop: Stop, text: str, voice: str, speed: float) -> Iterator[Pcm16]:
        """The clause as it is made, trimmed."""
        command = [self._program, "-v", voice, "-s", str(round(WORDS_A_MINUTE * speed))]
        process = subprocess.Popen(
            [*command, "-b", "1", "--stdin", "--stdout"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert process.stdin is not None
            with suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(text.encode())
            for block in trimmed(self._read(process, stop), RATE):
                yield to_pcm16(block)
            if not stop() and process.wait():
                raise EngineError("espeak", f"it ended with exit code {process.returncode}")
        finally:
            process.kill()
            process.wait()

    def _read(self, process: subprocess.Popen[bytes], stop: Stop) -> Iterator[Samples]:
        """Blocks that double from 100 ms on: soon the first, few altogether."""
        assert process.stdout is not None
        header = process.stdout.read(self.HEADER)
        if header and int.from_bytes(header[24:28], "little") != RATE:
            raise EngineError("espeak", f"its voice is not {RATE} Hz")
        size = 2 * RATE // 10
        while not stop() and (data := process.stdout.read(size)):
            yield from_pcm16(np.frombuffer(data[: len(data) // 2 * 2], "<i2"))
            size *= 2
