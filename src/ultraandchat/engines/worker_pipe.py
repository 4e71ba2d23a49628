"""The child's end of its connection to the server."""

import os
import socket
import threading

from ultraandchat.engines.worker_wire import (
    LENGTH,
    MAX_FRAME,
    ChildMessage,
    ParentMessage,
    encode,
    from_parent,
)


class Pipe:
    """Frames to and from the parent. When the parent is gone, so is this process."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()

    def send(self, message: ChildMessage) -> None:
        frame = encode(message)
        try:
            with self._sending:
                self._connection.sendall(frame)
        except OSError:
            os._exit(0)

    def receive(self) -> ParentMessage:
        (length,) = LENGTH.unpack(self._exactly(LENGTH.size))
        if length > MAX_FRAME:
            os._exit(1)
        return from_parent(self._exactly(length))

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            try:
                more = self._connection.recv(min(count - len(data), 2**20))
            except OSError:
                more = b""
            if not more:
                os._exit(0)
            data += more
        return bytes(data)
