"""Both ends of a connection in one process: tests, examples, benchmarks and `converse`."""

import asyncio
from collections.abc import AsyncGenerator

import numpy as np

from ultraandchat.audio.frame import FRAME_MS, HEARING_RATE, PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.events import Quality
from ultraandchat.transport.base import CloseReason, Received
from ultraandchat.transport.wire import ClientMessage, Closing, Flush, ServerMessage

MOST_WAITING = 1_000
"""Items on their way to the session: 20 s of frames. The caller waits when it is full."""


class MemoryTransport:
    """The server's end; the caller's end is `say`, `tell` and `heard`.

    With `flushes` it behaves as the WebSocket does: frames arrive `lead_s` early and a flush takes
    back those whose instant has not come.
    """

    name = "memory"

    def __init__(
        self, *, lead_s: float = 0.0, patience_s: float = 0.0, flushes: bool = False
    ) -> None:
        self.lead_s = lead_s
        self.patience_s = patience_s
        self.flushes = flushes
        self.stalled = False
        """Set it to have the network stall."""
        self.messages: list[tuple[float, ServerMessage]] = []
        """What the server said, with the loop time of each."""
        self.frames: list[tuple[float, AudioFrame]] = []
        """The frames with sound in them, with the loop time at which each is audible."""
        self.attention: list[tuple[float, bool]] = []
        """How closely the session listens, with the loop time of each change; sound is handed over as it comes."""
        self.closed: CloseReason | None = None
        self._incoming: asyncio.Queue[Received | None] = asyncio.Queue(MOST_WAITING)
        self._position = 0
        self.left = False
        """The caller hung up."""

    # --- the server's end ---------------------------------------------------------------------

    async def received(self) -> AsyncGenerator[Received, None]:
        while (item := await self._incoming.get()) is not None:
            yield item

    def attend(self, *, closely: bool) -> None:
        self.attention.append((asyncio.get_running_loop().time(), closely))

    def play(self, frame: AudioFrame) -> None:
        self.frames.append((asyncio.get_running_loop().time(), frame))

    def silence(self, position: int) -> None:
        """Nothing is kept of silence: what is missing from `frames` was silent."""

    def flush(self) -> None:
        if self.flushes:
            now = asyncio.get_running_loop().time()
            self.frames = [(at, f) for at, f in self.frames if self._audible_at(at, f) <= now]
        self.send(Flush())

    def send(self, message: ServerMessage) -> None:
        self.messages.append((asyncio.get_running_loop().time(), message))

    def dropped(self) -> int:
        return 0

    def quality(self) -> Quality | None:
        return None

    async def aclose(self, reason: CloseReason) -> None:
        if self.closed is None:
            self.closed = reason
            self.send(Closing(reason=reason.name.lower(), text=reason.value))
        self.hang_up()

    # --- the caller's end ---------------------------------------------------------------------

    async def say(self, samples: Samples) -> None:
        """Sound at 16 kHz, sent as 20 ms frames at once; pacing is the caller's."""
        step = HEARING_RATE * FRAME_MS // 1000
        for at in range(0, len(samples), step):
            piece = np.asarray(samples[at : at + step], np.float32)
            await self._incoming.put(AudioFrame(piece, HEARING_RATE, self._position))
            self._position += len(piece)

    async def skip(self, count: int) -> None:
        """`count` samples are lost on the way."""
        self._position += count

    async def tell(self, message: ClientMessage) -> None:
        await self._incoming.put(message)

    def hang_up(self) -> None:
        """The peer is gone, with or without a word."""
        if not self.left:
            self.left = True
            if self._incoming.full():
                self._incoming.get_nowait()  # nobody will answer it any more
            self._incoming.put_nowait(None)

    def heard(self) -> Samples:
        """All sound so far on one timeline at 48 kHz, from the first frame on, silence between."""
        if not self.frames:
            return np.zeros(0, np.float32)
        first = self.frames[0][1].position
        made = np.zeros(max(f.end for _, f in self.frames) - first, np.float32)
        for _, frame in self.frames:
            made[frame.position - first : frame.end - first] = frame.samples
        return made

    def _audible_at(self, sent: float, frame: AudioFrame) -> float:
        """When the frame is heard: as far behind its sending as it was sent ahead."""
        first_at, first = self.frames[0]
        return max(sent, first_at + (frame.position - first.position) / PLAYOUT_RATE)
