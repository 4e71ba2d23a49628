"""A caller on a WebSocket whose sound is Opus both ways, as a page with WebCodecs is one."""

import numpy as np

from tests.support.serving import Phone
from ultraandchat.audio.frame import PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.transport.rtp.opus import find_opus
from ultraandchat.transport.wire import (
    CODEC_OPUS,
    HEADER,
    KIND_SOUND,
    Flush,
    ServerMessage,
    UsePath,
)

OPUS = find_opus()
FRAME = 960
BITRATE = 32_000


class OpusPhone(Phone):
    """Its decoder goes on from packet to packet, and begins anew behind a flush."""

    rate = PLAYOUT_RATE

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.packets: list[bytes] = []
        """What came, without headers."""
        self._encoder = OPUS.encoder(bitrate=BITRATE, complexity=5, fec=False)
        self._decoder = OPUS.decoder(PLAYOUT_RATE)

    async def asks_for_opus(self) -> None:
        await self.tells(UsePath("websocket", "opus"))

    async def speaks(self, samples: Samples) -> None:
        """Sound at 16 kHz, in frames of 20 ms, at once."""
        at = np.arange(3 * len(samples)) / 3
        whole = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
        for start in range(0, len(whole) // FRAME * FRAME, FRAME):
            header = HEADER.pack(KIND_SOUND, CODEC_OPUS, 0, self._position)
            packet = self._encoder.encode(whole[start : start + FRAME])
            await self.socket.send_bytes(header + packet)
            self._position += FRAME

    def _heard(self, data: bytes) -> AudioFrame:
        _, codec, _, position = HEADER.unpack_from(data)
        if codec != CODEC_OPUS:
            return super()._heard(data)
        self.packets.append(data[HEADER.size :])
        return AudioFrame(self._decoder.decode(self.packets[-1]), self.rate, position)

    def _told(self, message: ServerMessage) -> None:
        super()._told(message)
        if isinstance(message, Flush):
            self._decoder.reset()
