"""What a model's process and its parent say to each other: msgpack frames, never pickles.

A frame is its length (4 bytes, big-endian) and one tagged message. Values are msgpack's own, bytes, and
numpy arrays of one dimension as int16 or float32 (NaN passes untouched). Both sides import this file,
the child perhaps in an environment of its own, so it needs numpy and msgspec only.

A model is written against the four names at the top: `Progress`, `Stop`, `STEP` and `Poisoned`.
"""

import struct
from collections.abc import Callable
from enum import Enum
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

Progress: TypeAlias = Callable[[str, int, int], None]
"""First argument of every factory: `progress(stage, done, total)`, such as `("download", bytes, bytes)`,
`("load", 3, 10)` or `("warm-up", 0, 0)`, where 0 is a total that nobody knows. A new stage ends the one
before it. May be called from any thread and as often as one likes; the same numbers again are no progress."""

Stop: TypeAlias = Callable[[], bool]
"""First argument of every model method: true once nobody wants the answer any more. Asking it also
counts as a step, so a long computation that asks is known to be alive."""


class _Step(Enum):
    STEP = "step"


STEP: Final = _Step.STEP
"""What a model's generator yields after a step that made nothing for its reader: another job has its turn."""


class Poisoned(Exception):
    """Raised by a model whose process is of no use any more, such as after an assert on the GPU.

    Its job fails, the process ends, and every other job of it is lost. Raised by a factory it says that
    the model cannot be made now; `remedy` is for the operator, and empty when trying again may help.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        """One plain sentence, fit to be shown to the user; never what the user said."""
        self.remedy = remedy


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
    at_once: int
    """Jobs that take turns; the others wait in order."""


class Run(msgspec.Struct, tag=True, frozen=True):
    """Parent: a new job, behind the ones that came before it."""

    job: int
    method: str
    arguments: list[Any]
    ahead: int
    """Items that may be made before the first `Credit`."""
    background: bool = False
    """It gets a step only when no other job can make one."""


class Credit(msgspec.Struct, tag=True, frozen=True):
    """Parent: the reader took an item, so one more may be made."""

    job: int


class Cancel(msgspec.Struct, tag=True, frozen=True):
    """Parent: nobody wants this job's answer."""

    job: int


class Progressed(msgspec.Struct, tag=True, frozen=True):
    """Child, while it loads: how far it is."""

    stage: str
    done: int
    total: int
    """0 when nobody knows it."""
    finished: list[tuple[str, float]]
    """The stages before this one, and the seconds that each took."""


class Loaded(msgspec.Struct, tag=True, frozen=True):
    """Child, once: the model is there."""

    load_s: float
    finished: list[tuple[str, float]]
    """All stages of loading, and the seconds that each took."""


class NotLoaded(msgspec.Struct, tag=True, frozen=True):
    """Child, once, and its last word: the model cannot be made."""

    reason: str
    remedy: str
    """What the operator can do; empty when only trying again may help."""


class Beat(msgspec.Struct, tag=True, frozen=True):
    """Child, every `beat_s`: its interpreter runs."""

    job: int | None
    """The one whose step is being made now; none when nothing can be done: no job, or no reader."""
    steps: int
    """Made since the process began, and questions to `Stop`. A job is stuck when it is at work and this
    stands still; one that waits for its turn or its reader is never named here."""
    rss_bytes: int | None
    """Resident memory; none where the system has no /proc."""


class Remark(msgspec.Struct, tag=True, frozen=True):
    """Child, at any time: a line for the log, never with what was said in it."""

    level: int
    """As the standard library numbers them."""
    text: str


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


class Spoilt(msgspec.Struct, tag=True, frozen=True):
    """Child, and its last word: the model said that this process is of no use any more."""

    reason: str


ParentMessage: TypeAlias = Open | Run | Credit | Cancel
ChildMessage: TypeAlias = (
    Progressed | Loaded | NotLoaded | Beat | Remark | Item | Done | Failed | Spoilt
)


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
