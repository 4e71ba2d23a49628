"""How much sound may lie below us, handed to the socket and out of reach: what waits longer than that
waits in `outgoing.py`, where it can be dropped."""

import asyncio
import socket

UNSENT_BYTES = {"pcm16": 8_192, "opus": 1_024}
"""In asyncio's buffer, and as much unsent in the kernel's: 170 ms of PCM16 each, or at 32 kbit/s 230 ms
of Opus."""


def keep_little(wire: asyncio.Transport | None, codec: str) -> None:
    """Send each frame at once, and take no more than `UNSENT_BYTES` of what cannot be sent yet."""
    if wire is None or wire.is_closing():
        return
    unsent = UNSENT_BYTES[codec]
    wire.set_write_buffer_limits(high=unsent)
    line: socket.socket | None = wire.get_extra_info("socket")
    if line is None or line.family not in (socket.AF_INET, socket.AF_INET6):
        return
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, unsent)
