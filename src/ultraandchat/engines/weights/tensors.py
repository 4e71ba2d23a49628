"""What a safetensors file holds, read from its header: names, types and shapes.

Nothing is loaded, so a checkpoint that does not fit is refused in milliseconds and by name. No torch here.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from ultraandchat.engines.base import EngineUnavailable

FETCH_AGAIN = "Delete it and start again, so that it is downloaded anew."

MAX_HEADER = 100_000_000
"""Bytes; the safetensors library's own limit."""

LENGTH = struct.Struct("<Q")
"""Of the header, at the beginning of a file."""

ITEM_BYTES = {
    "F64": 8, "I64": 8, "F32": 4, "I32": 4, "BF16": 2, "F16": 2, "I16": 2,
    "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
"""safetensors type → bytes of one element."""

LOADABLE = frozenset({"F32", "F16", "BF16"})
"""Types that weights may have: anything else is some quantisation's packing."""

Shape: TypeAlias = tuple[int, ...]

Size: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor where it lies."""

    file: Path
    name: str
    """In that file; `Checkpoint` knows the same tensor by a shorter name."""
    dtype: str
    shape: Shape


class _Entry(msgspec.Struct):
    """As a header has it."""

    dtype: str
    shape: tuple[Size, ...]
    data_offsets: tuple[Size, Size]


def compare(
    expected: Mapping[str, Shape],
    found: Mapping[str, Stored],
    where: Path,
    engine: str,
    also: frozenset[str] = frozenset(),
    kinds: frozenset[str] = LOADABLE,
) -> None:
    """`EngineUnavailable` of this engine unless `found` has exactly the expected tensors, and perhaps those of `also`,
    stored as one of `kinds`.

    One sentence that names the first tensor that differs, with expected and found shape.
    """
    faults = [
        f"{name} {list(shape)} is missing" for name, shape in expected.items() if name not in found
    ]
    for name, tensor in found.items():
        if name not in expected:
            if name not in also:
                faults.append(f"{name} {list(tensor.shape)} has no place in this model")
        elif tensor.shape != expected[name]:
            faults.append(
                f"{name} is {list(tensor.shape)} where {list(expected[name])} is expected"
            )
        elif tensor.dtype not in kinds:
            one_of = ", ".join(sorted(kinds, reverse=True))
            faults.append(f"{name} is stored as {tensor.dtype}, which is not one of {one_of}")
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise EngineUnavailable(
            engine,
            f"the tensors in {where} do not fit its configuration: {faults[0]}{more}",
            "Use a released checkpoint, or download it again.",
        )


def header(file: Path, engine: str) -> dict[str, Stored]:
    """Every tensor of a file. `EngineUnavailable` of this engine when it is cut short or no safetensors file.

    Raises `OSError` where it cannot be read.
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        head = opened.read(LENGTH.size)
        length = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
        if not 2 <= length <= MAX_HEADER:
            raise EngineUnavailable(engine, f"{file} is no safetensors file", FETCH_AGAIN)
        text = opened.read(length)
    if len(text) < length:
        raise _cut_short(engine, file, LENGTH.size + length, size)
    tensors, end = _entries(engine, file, text)
    if LENGTH.size + length + end > size:
        raise _cut_short(engine, file, LENGTH.size + length + end, size)
    return tensors


def _entries(engine: str, file: Path, text: bytes) -> tuple[dict[str, Stored], int]:
    """The tensors that a header lists, and where the last one ends."""
    tensors, end = {}, 0
    try:
        for name, raw in msgspec.json.decode(text, type=dict[str, msgspec.Raw]).items():
            if name == "__metadata__":
                continue
            entry = msgspec.json.decode(raw, type=_Entry)
            width, (begin, end_of_this) = ITEM_BYTES.get(entry.dtype), entry.data_offsets
            if width is not None and math.prod(entry.shape) * width != end_of_this - begin:
                raise ValueError(name)
            tensors[name] = Stored(file, name, entry.dtype, entry.shape)
            end = max(end, end_of_this)
    except ValueError:  # msgspec's errors are, too
        raise EngineUnavailable(engine, f"{file} is no safetensors file", FETCH_AGAIN) from None
    return tensors, end


def _cut_short(engine: str, file: Path, promised: int, size: int) -> EngineUnavailable:
    return EngineUnavailable(
        engine, f"{file} is cut short: {size} of {promised} bytes are there", FETCH_AGAIN
    )
