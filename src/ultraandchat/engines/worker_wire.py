"""What a model's process and its parent say to each other: msgpack frames, never pickles.

A frame is its length (4 bytes, big-endian) and one tagged message. Values are msgpack's own, bytes, and
numpy arrays of one dimension as int16 or float32 (NaN passes untouched). Both sides import this file,
the child perhaps in an environment of its own, so it needs numpy and msgspec only.
"""

import struct
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
import numpy as np

Stop: TypeAlias = Callable[[], bool]
"""First argument of every model method: true once nobody wants the answer any more. Asking it also
counts as a step, so a long computation that asks is known to be alive."""

LENGTH = struct.Struct(">I")
"""Of the message that follows, in bytes."""

MAX_FRAME = 64 * 2**20
"""Bytes. Six times a conversation's history as sound (six minutes of int16 at 16 kHz are 11 MB)."""

ARRAYS: dict[int, np.dtype[Any]] = {1: np.dtype("<i2"), 2: np.dtype("<f4")}
"""msgpack extension code → element type."""


class Open(msgspec.Struct, tag=True, frozen=True):
    """Parent, once: make the model by calling `factory` ("package.module:function")."""

    factory: str
    arguments: dict[str, Any]
    beat_s: float
    nice: int


class Run(msgspec.Struct, tag=True, frozen=True):
    """Parent: a new job, to be done after the ones before it."""

    job: int
    method: str
    arguments: list[Any]
    ahead: int
    """Items that may be made before the first `Credit`."""


class Credit(msgspec.Struct, tag=True, frozen=True):
    """Parent: the reader took an item, so one more may be made."""

    job: int


class Cancel(msgspec.Struct, tag=True, frozen=True):
    """Parent: nobody wants this job's answer."""

    job: int


class Loaded(msgspec.Struct, tag=True, frozen=True):
    """Child, once: the model is there."""

    load_s: float


class NotLoaded(msgspec.Struct, tag=True, frozen=True):
    """Child, once, and its last word: the model cannot be made."""

    reason: str
    remedy: str
    """What the operator can do; empty when only trying again may help."""


class Beat(msgspec.Struct, tag=True, frozen=True):
    """Child, every `beat_s`: its interpreter runs."""

    job: int | None
    """At work now; none when idle or waiting for a reader."""
    steps: int
    """Made since the process began: jobs begun, items, and questions to `Stop`."""
    rss_bytes: int | None
    """Resident memory; none where the system has no /proc."""


class Item(msgspec.Struct, tag=True, frozen=True):
    """Child: a value of this job."""

    job: int
    value: Any
    last: bool
    """A plain function's answer is its only and last item."""


class Done(msgspec.Struct, tag=True, frozen=True):
    """Child: the job is over, finished or cancelled."""

    job: int


class Failed(msgspec.Struct, tag=True, frozen=True):
    """Child: the model raised an exception in this job."""

    job: int
    reason: str


ParentMessage: TypeAlias = Open | Run | Credit | Cancel
ChildMessage: TypeAlias = Loaded | NotLoaded | Beat | Item | Done | Failed


def encode(message: ParentMessage | ChildMessage) -> bytes:
    """The whole frame. `TypeError` for a value that cannot travel, `ValueError` for one too large."""
    body = _ENCODER.encode(message)
    if len(body) > MAX_FRAME:
        raise ValueError(f"a value of {len(body)} bytes; the limit is {MAX_FRAME}")
    return LENGTH.pack(len(body)) + body


def from_parent(body: bytes) -> ParentMessage:
    """`msgspec.DecodeError` if it is none."""
    message: ParentMessage = _decoded(_PARENT, body)
    return message


def from_child(body: bytes) -> ChildMessage:
    """`msgspec.DecodeError` if it is none."""
    message: ChildMessage = _decoded(_CHILD, body)
    return message


def _decoded(decoder: msgspec.msgpack.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(type(error).__name__) from None


def _to_wire(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim == 1:
        for code, kind in ARRAYS.items():
            if value.dtype == kind:
                return msgspec.msgpack.Ext(code, value.tobytes())
    if isinstance(value, np.floating | np.integer | np.bool_):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot travel between processes")


def _from_wire(code: int, data: memoryview) -> Any:
    kind = ARRAYS.get(code)
    if kind is None or len(data) % kind.itemsize:
        raise msgspec.DecodeError("not an array")
    # Copied: else one small array would keep the whole frame alive, and nobody could write into it.
    return np.frombuffer(data, kind).copy()


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_to_wire)
_PARENT = msgspec.msgpack.Decoder(ParentMessage, ext_hook=_from_wire)
_CHILD = msgspec.msgpack.Decoder(ChildMessage, ext_hook=_from_wire)
