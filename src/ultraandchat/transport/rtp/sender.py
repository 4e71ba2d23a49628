"""Frames become RTP packets: Opus where there is sound, one stored packet where there is none.

Pure: what to send is returned. Silence is sent, not left out (decision 15): the caller's jitter
buffer stays in step, loss can be told from silence, and addresses in between stay open.
"""

import numpy as np

from ultraandchat.audio.frame import FRAME_MS, PLAYOUT_RATE, AudioFrame, Samples
from ultraandchat.transport.rtp.opus import OpusEncoder
from ultraandchat.transport.rtp.packet import RtpPacket, build

FRAME = PLAYOUT_RATE * FRAME_MS // 1000
NOTHING: Samples = np.zeros(FRAME, np.float32)
NOTHING.flags.writeable = False
SILENT_PACKET = b"\xf8\xff\xfe"
"""20 ms of nothing, mono: a CELT frame whose silence flag is set (RFC 6716 §4.3). It stands for itself:
a decoder needs nothing of the packets before it."""

SMOOTHING = 0.3
"""Of the reported loss: a report covers 25 to 75 packets, so one lost packet in it says little."""
HEAVY_LOSS, LIGHT_LOSS = 0.1, 0.02
"""Above the first the path may be full: less is sent. Below the second it is tried with more."""
FEWER, MORE = 0.8, 1.05
LEAST_BITRATE = 12_000
"""Below it speech in wide band with error correction is no better than without (RFC 6716 §2.1.1)."""
TOLD_EARLY = 1.5
"""The encoder is told this much more loss than there was, so that the correction is there when needed."""


class RtpSender:
    """One stream of the agent's voice."""

    def __init__(
        self,
        encoder: OpusEncoder,
        *,
        bitrate: int,
        payload_type: int,
        ssrc: int,
        first_sequence: int,
        first_timestamp: int,
    ) -> None:
        """Numbers begin anywhere, as RFC 3550 §5.1 wants; the caller draws them."""
        self.packets = 0
        self.octets = 0
        """Of payload, as a sender report counts."""
        self.timestamp = first_timestamp
        """Of the newest packet."""
        self.loss = 0.0
        """Share of our packets that do not arrive, by the peer's reports, smoothed."""
        self.bitrate = bitrate
        """Bits a second now."""
        self._most = bitrate
        self._encoder = encoder
        self._payload_type = payload_type
        self._ssrc = ssrc
        self._sequence = first_sequence
        self._origin = first_timestamp
        self._quiet = True  # the stored packet is what the peer hears

    def sound(self, frame: AudioFrame) -> bytes:
        """The packet of 20 ms at 48 kHz."""
        begins, self._quiet = self._quiet, False
        return self._packet(frame.position, self._encoder.encode(frame.samples), marker=begins)

    def silence(self, position: int) -> bytes:
        """The packet of 20 ms of nothing that stand at `position`."""
        if self._quiet:
            return self._packet(position, SILENT_PACKET)
        # The encoder holds its look-ahead back: the end of the sound is in this packet.
        payload = self._encoder.encode(NOTHING)
        self._encoder.reset()  # as the decoder will be, after a packet that stands for itself
        self._quiet = True
        return self._packet(position, payload)

    def reported(self, loss: float) -> None:
        """The peer's receiver report: the share it lost since the last one, 0…1."""
        self.loss += SMOOTHING * (loss - self.loss)
        if self.loss > HEAVY_LOSS:
            self.bitrate = max(int(self.bitrate * FEWER), min(LEAST_BITRATE, self._most))
        elif self.loss < LIGHT_LOSS:
            self.bitrate = min(int(self.bitrate * MORE), self._most)
        percent = round(100 * TOLD_EARLY * self.loss)
        self._encoder.adapt(bitrate=self.bitrate, loss_percent=min(percent, 100))

    def _packet(self, position: int, payload: bytes, *, marker: bool = False) -> bytes:
        self.timestamp = (self._origin + position) & 0xFFFFFFFF
        packet = RtpPacket(
            self._payload_type, marker, self._sequence, self.timestamp, self._ssrc, payload
        )
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        return build(packet)
