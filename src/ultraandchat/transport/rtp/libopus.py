"""libopus itself, through ctypes: decodes at the rate that is wanted, conceals, corrects, adapts.

PyAV's wheel carries it beside FFmpeg, so nothing more is to be installed; the system's is the second
place to look. Why this and no binding of others: docs/decisions/0013-libopus-through-ctypes.md.
"""

import contextlib
import ctypes
import ctypes.util
import weakref
from collections.abc import Iterator
from ctypes import POINTER, c_char_p, c_int, c_int32, c_void_p
from pathlib import Path
from typing import Final

import av
import numpy as np

from ultraandchat.audio.frame import HEARING_RATE, PLAYOUT_RATE, Samples
from ultraandchat.transport.rtp.opus_payload import LONGEST, OPUS_RATE, OpusError

APPLICATION_VOIP: Final = 2048
APPLICATION_RESTRICTED_LOWDELAY: Final = 2051
SET_BITRATE: Final = 4002
SET_MAX_BANDWIDTH: Final = 4004
SET_COMPLEXITY: Final = 4010
SET_INBAND_FEC: Final = 4012
SET_PACKET_LOSS_PERC: Final = 4014
SET_SIGNAL: Final = 4024
GET_LOOKAHEAD: Final = 4027
RESET_STATE: Final = 4028
SIGNAL_VOICE: Final = 3001
BANDWIDTH_SUPERWIDEBAND: Final = 1104
"""Numbers of opus_defines.h; all of them are in every libopus since 1.1."""

FRAME = PLAYOUT_RATE // 50
"""Samples of one encoded frame: 20 ms."""

LARGEST_PACKET = 1276
"""Bytes: the TOC and the largest frame (RFC 6716 section 3.2.1)."""

SIGNATURES = {
    "opus_get_version_string": (c_char_p, ()),
    "opus_strerror": (c_char_p, (c_int,)),
    "opus_decoder_create": (c_void_p, (c_int32, c_int, POINTER(c_int))),
    "opus_decoder_destroy": (None, (c_void_p,)),
    "opus_decode": (c_int, (c_void_p, c_char_p, c_int32, c_void_p, c_int, c_int)),
    "opus_decoder_ctl": (c_int, (c_void_p, c_int)),
    "opus_encoder_create": (c_void_p, (c_int32, c_int, c_int, POINTER(c_int))),
    "opus_encoder_destroy": (None, (c_void_p,)),
    "opus_encode_float": (c_int32, (c_void_p, c_void_p, c_int, c_void_p, c_int32)),
    "opus_encoder_ctl": (c_int, (c_void_p, c_int)),
}
"""Result and arguments. The ctl functions are variadic: what is asked comes after these, typed."""


class LibopusDecoder:
    """One stream at `rate`, mono. As `OpusDecoder` says; 25 µs for 20 ms at 16 kHz."""

    def __init__(self, native: ctypes.PyDLL, rate: int) -> None:
        self.rate = rate
        error = c_int()
        self._state = native.opus_decoder_create(rate, 1, error)
        if error.value or not self._state:
            raise ValueError(f"no decoder at {rate} Hz: {_why(native, error.value)}")
        weakref.finalize(self, native.opus_decoder_destroy, self._state).atexit = False
        self._native = native
        self._opus_decode = native.opus_decode
        # 16 bits and not floats: libopus then clips softly, and junk cannot become NaN or 1e9.
        self._out = np.zeros(LONGEST * rate // OPUS_RATE, np.int16)
        self._address = self._out.ctypes.data
        self._step = rate // 400

    def decode(self, payload: bytes) -> Samples:
        if not payload:  # to libopus that means: conceal
            raise OpusError("the Opus payload is empty")
        return self._made(payload, len(self._out), 0)

    def recover(self, payload: bytes, samples: int) -> Samples:
        if not payload:
            raise OpusError("the Opus payload is empty")
        whole = self._rounded(samples)
        last = min(whole, len(self._out))
        # In front of what the payload can hold, libopus conceals by itself.
        near = self._made(payload, last, 1) if last else np.zeros(0, np.float32)
        if whole == samples == last:
            return near
        return np.concatenate([self.conceal(whole - last), near])[whole - samples :]

    def conceal(self, samples: int) -> Samples:
        whole = self._rounded(samples)
        if 0 < whole <= len(self._out):
            return self._made(None, whole, 0)[:samples]
        most = len(self._out)
        pieces = [self._made(None, min(whole - start, most), 0) for start in range(0, whole, most)]
        return np.concatenate([np.zeros(0, np.float32), *pieces])[:samples]

    def reset(self) -> None:
        self._native.opus_decoder_ctl(self._state, RESET_STATE)

    def _rounded(self, samples: int) -> int:
        """Up to whole 2.5 ms: libopus makes nothing shorter."""
        return -(-samples // self._step) * self._step

    def _made(self, payload: bytes | None, room: int, fec: int) -> Samples:
        size = len(payload) if payload else 0
        count = self._opus_decode(self._state, payload, size, self._address, room, fec)
        if count < 0:
            raise OpusError(f"libopus: {_why(self._native, count)}")
        return np.multiply(self._out[:count], np.float32(1 / 32768), dtype=np.float32)


class LibopusEncoder:
    """One stream, mono, 48 kHz, 20 ms a payload. As `OpusEncoder` says."""

    def __init__(self, native: ctypes.PyDLL, *, bitrate: int, complexity: int, fec: bool) -> None:
        # Only SILK carries error correction. CELT alone takes half the time and 4 ms less lookahead, and
        # at 32 kbit/s its spectrum is as near to the original's.
        application = APPLICATION_VOIP if fec else APPLICATION_RESTRICTED_LOWDELAY
        error = c_int()
        self._state = native.opus_encoder_create(PLAYOUT_RATE, 1, application, error)
        if error.value or not self._state:
            raise ValueError(f"no encoder: {_why(native, error.value)}")
        weakref.finalize(self, native.opus_encoder_destroy, self._state).atexit = False
        self._native = native
        self._opus_encode = native.opus_encode_float
        self._in = np.zeros(FRAME, np.float32)
        self._in_address = self._in.ctypes.data
        self._out = np.zeros(LARGEST_PACKET, np.uint8)
        self._out_address = self._out.ctypes.data
        self._set(SET_COMPLEXITY, complexity)
        self._set(SET_SIGNAL, SIGNAL_VOICE)
        # Voices are made at 16 to 24 kHz: nothing is above 12 kHz, and the error correction fits earlier.
        self._set(SET_MAX_BANDWIDTH, BANDWIDTH_SUPERWIDEBAND)
        self._set(SET_INBAND_FEC, int(fec))
        self._bitrate = self._loss_percent = -1
        self.adapt(bitrate=bitrate, loss_percent=0)
        lookahead = c_int()
        native.opus_encoder_ctl(self._state, GET_LOOKAHEAD, ctypes.byref(lookahead))
        self.lookahead = lookahead.value

    def encode(self, samples: Samples) -> bytes:
        if len(samples) != FRAME:
            raise ValueError(f"a frame to encode has {FRAME} samples, not {len(samples)}")
        self._in[:] = samples
        count = self._opus_encode(
            self._state, self._in_address, FRAME, self._out_address, LARGEST_PACKET
        )
        if count < 0:
            raise ValueError(f"libopus: {_why(self._native, count)}")
        return self._out[:count].tobytes()

    def adapt(self, *, bitrate: int, loss_percent: int) -> None:
        bitrate = min(max(bitrate, 6_000), 510_000)
        loss_percent = min(max(loss_percent, 0), 100)
        if bitrate != self._bitrate:
            self._set(SET_BITRATE, bitrate)
            self._bitrate = bitrate
        if loss_percent != self._loss_percent:
            self._set(SET_PACKET_LOSS_PERC, loss_percent)
            self._loss_percent = loss_percent

    def reset(self) -> None:
        self._native.opus_encoder_ctl(self._state, RESET_STATE)

    def _set(self, request: int, value: int) -> None:
        error = self._native.opus_encoder_ctl(self._state, request, c_int(value))
        if error:
            raise ValueError(f"libopus takes no {value}: {_why(self._native, error)}")


class Libopus:
    """One loaded library. Raises OSError where there is none, AttributeError where it lacks something."""

    conceals = True
    recovers = True

    def __init__(self, path: str, whose: str) -> None:
        # PyDLL keeps the interpreter's lock. These calls take 20 to 200 µs; to give the lock away for that
        # can cost 5 ms to get it back from a busy thread (measured: 5.2 ms against 0.05 ms).
        native = ctypes.PyDLL(path)
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(native, name)
            function.restype = result
            function.argtypes = arguments
        self._native = native
        self.name = f"{native.opus_get_version_string().decode()} ({whose})"

    def decoder(self, rate: int = HEARING_RATE) -> LibopusDecoder:
        return LibopusDecoder(self._native, rate)

    def encoder(self, *, bitrate: int, complexity: int, fec: bool) -> LibopusEncoder:
        return LibopusEncoder(self._native, bitrate=bitrate, complexity=complexity, fec=fec)

    @classmethod
    def found(cls) -> Iterator["Libopus"]:
        """Every usable one, the best first. What does not load or lacks a function is passed over."""
        seen = ""
        for path, whose in _places():
            if whose != seen:
                with contextlib.suppress(OSError, AttributeError):
                    yield cls(path, whose)
                    seen = whose


def _places() -> Iterator[tuple[str, str]]:
    package = Path(av.__file__).parent
    beside = [*package.parent.glob("av.libs/libopus[-.]*"), *package.glob(".dylibs/libopus[-.]*")]
    for path in sorted(beside):
        yield str(path), "of PyAV"
    yield "libopus.so.0", "of the system"
    if elsewhere := ctypes.util.find_library("opus"):  # asks ldconfig, or a compiler: slow, so last
        yield elsewhere, "of the system"


def _why(native: ctypes.PyDLL, error: int) -> str:
    message: bytes = native.opus_strerror(error)
    return message.decode()
