"""A wire between browser and server that a test may cut: a TCP relay in a thread of its own."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BLOCK = 65_536
LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing is a reset, as of a router that forgot the connection."""


class Wire:
    """Relays each connection to that port. `reset` cuts those there are, `hole` swallows what comes."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._silent_until = 0.0
        self._closed = False
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self) -> None:
        """Every connection there is ends at both ends, without a goodbye."""
        open_now, self._open = self._open, []
        for one in open_now:
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def hole(self, seconds: float) -> None:
        """Nothing gets through for so long, and nobody is told. What came meanwhile comes late."""
        self._silent_until = time.monotonic() + seconds

    def close(self) -> None:
        self._closed = True
        self._listening.close()
        self.reset()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                if self._closed:
                    return
                near.close()  # the server is not there
                continue
            self._open += (near, far)
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(BLOCK):
                while (rest := self._silent_until - time.monotonic()) > 0:
                    time.sleep(rest)
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire(port: int) -> Iterator[Wire]:
    made = Wire(port)
    try:
        yield made
    finally:
        made.close()
