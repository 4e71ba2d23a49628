"""Frames between a model's process and its parent: what goes in comes out, anything else is refused."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ultraandchat.engines.worker_wire import (
    LENGTH,
    MAX_FRAME,
    Beat,
    Item,
    Run,
    encode,
    from_child,
    from_parent,
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
sound = arrays.arrays(np.float32, st.integers(0, 50)) | arrays.arrays(np.int16, st.integers(0, 50))


@given(values)
def test_plain_values_come_out_as_they_went_in(value: Any) -> None:
    assert from_child(encode(Item(1, value, last=False))[LENGTH.size :]) == Item(
        1, value, last=False
    )


@given(sound)
def test_arrays_come_out_as_they_went_in_and_may_be_written_to(array: np.ndarray[Any, Any]) -> None:
    back = from_parent(encode(Run(1, "feed", [array], 2))[LENGTH.size :])
    assert isinstance(back, Run)
    assert back.arguments[0].dtype == array.dtype
    np.testing.assert_array_equal(back.arguments[0], array)
    assert back.arguments[0].flags.writeable


@pytest.mark.parametrize("value", [object(), np.zeros((2, 2), np.float32), np.zeros(3, complex)])
def test_a_value_that_cannot_travel_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot travel"):
        encode(Item(1, value, last=True))


def test_a_value_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="limit"):
        encode(Item(1, bytes(MAX_FRAME), last=True))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_decode_error(data: bytes) -> None:
    for read in (from_child, from_parent):
        try:
            read(data)
        except msgspec.DecodeError:
            continue


@given(
    st.sampled_from([Item(1, {"a": [1.5, b"x", "é"]}, last=False), Beat(None, 3, 4)]),
    st.integers(0, 80),
    st.integers(0, 255),
)
def test_a_damaged_message_is_a_message_or_a_decode_error(
    message: Item | Beat, place: int, byte: int
) -> None:
    data = bytearray(encode(message)[LENGTH.size :])
    data[place % len(data)] = byte
    try:
        from_child(bytes(data))
    except msgspec.DecodeError:
        return


def test_deep_nesting_is_a_decode_error() -> None:
    nothing = encode(Item(1, None, last=False))[LENGTH.size :]
    with pytest.raises(msgspec.DecodeError):
        from_child(nothing.replace(b"\xa5value\xc0", b"\xa5value" + b"\x91" * 100_000))
