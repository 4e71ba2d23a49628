"""Packets on a TCP stream (RFC 4571 §2): two bytes of length, then the packet. No socket, no clock.

What is kept is never more than one packet, in a buffer made once: whoever reads is given as much room
as there is, and the rest waits in the kernel.
"""

import struct

HEADER = struct.Struct("!H")


class TooLong(ValueError):
    """A length beyond what is taken: no peer of ours wrote it."""


class Framing:
    """One stream. Its bytes are written to `room` and counted by `filled`; `next` gives what is whole."""

    def __init__(self, largest: int) -> None:
        """`largest` packet in bytes."""
        self._largest = largest
        self._buffer = bytearray(HEADER.size + largest)
        self._view = memoryview(self._buffer)
        self._begin = self._end = 0

    @property
    def room(self) -> memoryview:
        """Where the next bytes of the stream go; there is some whenever `next` has given None."""
        return self._view[self._end :]

    def filled(self, count: int) -> None:
        """So many bytes were written to `room`."""
        self._end += count

    def next(self) -> bytes | None:
        """The next whole packet, None until it is there. `TooLong` as soon as its length says so.

        Empty ones only keep a connection open (RFC 4571 §2) and are passed over.
        """
        while self._end - self._begin >= HEADER.size:
            (length,) = HEADER.unpack_from(self._buffer, self._begin)
            if length > self._largest:
                raise TooLong(f"{length} bytes")
            begin = self._begin + HEADER.size
            if begin + length > self._end:
                break
            self._begin = begin + length
            if length:
                return bytes(self._view[begin : self._begin])
        if self._begin == self._end:  # nearly always: a packet comes whole and alone
            self._begin = self._end = 0
        elif self._begin:
            self._move(self._buffer)
        return None

    def grow(self, largest: int) -> None:
        """Longer packets are taken from now on; what has come already stays."""
        self._largest = largest
        self._move(bytearray(HEADER.size + largest))

    def _move(self, buffer: bytearray) -> None:
        """What is left goes to the beginning of `buffer`."""
        left = self._buffer[self._begin : self._end]
        if buffer is not self._buffer:
            self._buffer, self._view = buffer, memoryview(buffer)
        self._buffer[: len(left)] = left
        self._begin, self._end = 0, len(left)


def framed(packet: bytes) -> bytes:
    """The packet as it goes on the stream, in one piece: one write makes one segment."""
    return HEADER.pack(len(packet)) + packet
