"""One TCP connection of a caller's, from being accepted to being lost.

It is *pending* until its first packet has shown whose it is, and *bound* to that peer from then on. A
stranger gets no byte and no reason; a peer that does not read is sent no more than can wait.
"""

import asyncio
import socket
import struct
import sys
from contextlib import suppress
from typing import Protocol, TypeAlias, cast

from ultraandchat.transport.ice_tcp.framing import Framing, TooLong, framed

LARGEST_FIRST = 600
"""Bytes of the first packet: a STUN check of a browser has about 100 to 150."""
LARGEST_PACKET = 2_048
"""Bytes of a later one, as over UDP: DTLS flights leave in pieces of 1,500 at most, RTP has 1,300."""
MOST_UNSENT_BYTES = 4_096
"""Of media that the kernel did not take yet: about half a second of sound; what comes then is too late."""
MOST_UNSENT_CONTROL_BYTES = 4 * MOST_UNSENT_BYTES
"""STUN and DTLS are not dropped before: a handshake has 3,000 bytes, and cannot do without any of them."""
NOTSENT_BYTES = 2_048
"""What the kernel keeps beyond what is on its way: more of it waits here, where it can be counted."""
GONE_MS = 20_000
"""A peer that acknowledges nothing for so long is gone (RFC 5482); the stalls seen to recover had 4 s."""
RETRY_MS = 1_000
"""TCP doubles the time between two tries to send again; behind a black hole of 3 s it would wait up to 3 s more
for the next one. It tries at least so often where the kernel can be told (Linux 6.15)."""
TCP_RTO_MAX_MS = 44
"""From linux/tcp.h: Python does not name it yet."""
LAST_ACK = struct.Struct("=56xI")
"""`tcpi_last_ack_recv` in the `tcp_info` of linux/tcp.h: milliseconds."""
KEEPALIVE_S = (10, 5, 2)
"""The same for a connection on which nothing is sent: idle, between two probes, how many."""

Address: TypeAlias = tuple[str, int]


class PassiveEnd(Protocol):
    """Whose packets they are: one peer."""

    def received(self, packet: bytes, address: Address) -> None: ...
    def left(self, connection: "TcpConnection") -> None: ...


class Door(Protocol):
    """Where connections come in."""

    def accepted(self, connection: "TcpConnection") -> None:
        """It is there; it may be bound or refused at once."""

    def opened(self, connection: "TcpConnection", first: bytes) -> None:
        """Its first packet came: bind it, or refuse it."""

    def refused(self, connection: "TcpConnection", reason: str) -> None:
        """It was closed without having been bound."""

    def left(self, connection: "TcpConnection") -> None:
        """It is lost, whatever it was."""


class TcpConnection(asyncio.BufferedProtocol):
    """See above. `end` is there while it is bound."""

    def __init__(self, door: Door) -> None:
        self.address: Address = ("", 0)
        self.end: PassiveEnd | None = None
        self.order = 0
        """Of the packet that came last, among all of this peer's."""
        self._door = door
        self._framing = Framing(LARGEST_FIRST)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def bind(self, end: PassiveEnd) -> None:
        """It belongs to this peer from now on."""
        self.end = end
        self._stop_timer()
        self._framing.grow(LARGEST_PACKET)

    def refuse_in(self, seconds: float, reason: str) -> None:
        """Refuse it then, unless it is bound before: an instant that no byte puts off."""
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.refuse, reason)

    def refuse(self, reason: str) -> None:
        """Close it without a word; the reason is for the count."""
        if self.is_open and self.end is None:
            self._door.refused(self, reason)
            self.abort()

    def send(self, packet: bytes, *, media: bool) -> bool:
        """One packet; False where it was dropped: too much waits already, or the connection is lost."""
        most = MOST_UNSENT_BYTES if media else MOST_UNSENT_CONTROL_BYTES
        transport = self._transport
        if transport is None or transport.get_write_buffer_size() > most:
            return False
        transport.write(framed(packet))
        return True

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    @property
    def unsent(self) -> int:
        """Bytes that the kernel did not take yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def was_answered(self, within_s: float) -> bool:
        """The peer's kernel has acknowledged something in that time: what is sent gets there, whatever
        becomes of what is sent to us. False where the system does not tell."""
        if self._transport is None or not hasattr(socket, "TCP_INFO"):
            return False
        line = self._transport.get_extra_info("socket")
        told = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_ACK.size)
        (age_ms,) = LAST_ACK.unpack(told)
        return bool(age_ms < 1000 * within_s)

    def close(self, within_s: float) -> None:
        """Close it once what was sent is on its way, or after so long."""
        transport, self._transport = self._transport, None
        self._stop_timer()
        if transport is not None:
            transport.close()
            if transport.get_write_buffer_size():
                self._timer = asyncio.get_running_loop().call_later(within_s, transport.abort)

    def abort(self) -> None:
        """Close it at once."""
        transport, self._transport = self._transport, None
        self._stop_timer()
        if transport is not None:
            transport.abort()

    # --- what asyncio calls -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        _tune(transport.get_extra_info("socket"))
        peer = transport.get_extra_info("peername")
        if peer is None:  # it is lost already
            self.abort()
            return
        self.address = (peer[0], peer[1])
        self._door.accepted(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._framing.room

    def buffer_updated(self, nbytes: int) -> None:
        self._framing.filled(nbytes)
        try:
            while self._transport is not None and (packet := self._framing.next()) is not None:
                if self.end is None:
                    self._door.opened(self, packet)
                else:
                    self.end.received(packet, self.address)
        except TooLong:
            self.refuse("too long")
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._stop_timer()
        self._door.left(self)
        if self.end is not None:
            self.end.left(self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _tune(connection: socket.socket) -> None:
    """Each packet at once, little in the kernel, and an end to peers that vanish."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    idle_s, between_s, probes = KEEPALIVE_S
    for name, value in (  # not every system has all of them
        ("TCP_NOTSENT_LOWAT", NOTSENT_BYTES),
        ("TCP_USER_TIMEOUT", GONE_MS),
        ("TCP_KEEPIDLE", idle_s),
        ("TCP_KEEPINTVL", between_s),
        ("TCP_KEEPCNT", probes),
    ):
        if (option := getattr(socket, name, None)) is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
    if sys.platform == "linux":
        with suppress(OSError):  # an older kernel
            connection.setsockopt(socket.IPPROTO_TCP, TCP_RTO_MAX_MS, RETRY_MS)
