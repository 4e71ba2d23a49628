"""Packets and gaps to sound on one unbroken media timeline: decoded, recovered, concealed, silent."""

import numpy as np

from ultraandchat.audio.frame import AudioFrame, Samples
from ultraandchat.transport.rtp.correction import carries_correction
from ultraandchat.transport.rtp.media_time import RTP_RATE, Gap
from ultraandchat.transport.rtp.opus import OpusDecoder, OpusError, duration
from ultraandchat.transport.rtp.packet import RtpPacket
from ultraandchat.transport.rtp.reorder import Placed

CONCEALED_MS = 120
"""Of a long gap only its beginning is invented: a vowel may go on for so long, and a longer guess would
be heard as speech where nobody knows what was said. It is also the most libopus makes in one call."""


class Decoding:
    """One caller's decoder. Whatever the packets were, as much sound comes out as media time went by."""

    def __init__(self, decoder: OpusDecoder, *, recovers: bool) -> None:
        """`recovers`: the decoder uses in-band error correction (`Opus.recovers`)."""
        self.position = 0
        """Of the next sample, at the decoder's rate."""
        self.received = 0
        """Packets that were decoded."""
        self.failed = 0
        """Packets that could not be."""
        self.recovered = 0
        """Lost packets whose sound came with the one after them."""
        self.concealed = 0
        """Samples invented, at the decoder's rate."""
        self._decoder = decoder
        self._rate = decoder.rate
        self._recovers = recovers
        self._carry = 0  # what is left of dividing gaps at 48 kHz to samples

    def restart(self) -> None:
        """Another stream begins; the timeline goes on."""
        self._decoder.reset()

    def feed(self, placed: list[Placed]) -> list[AudioFrame]:
        """In order; a gap of lost packets stands in front of the packet that follows it."""
        frames: list[AudioFrame] = []
        for at, item in enumerate(placed):
            if isinstance(item, RtpPacket):
                self._place(self._decoded(item.payload), frames)
                continue
            samples = self._at_rate(item)
            following = placed[at + 1] if at + 1 < len(placed) else None
            if item.lost and isinstance(following, RtpPacket):
                self._bridge(samples, following.payload, frames)
            else:
                self._place(np.zeros(samples, np.float32), frames)
        return frames

    def _place(self, samples: Samples, frames: list[AudioFrame]) -> None:
        if len(samples):
            frames.append(AudioFrame(samples, self._rate, self.position))
            self.position += len(samples)

    def _at_rate(self, gap: Gap) -> int:
        samples, self._carry = divmod(gap.samples * self._rate + self._carry, RTP_RATE)
        return samples

    def _decoded(self, payload: bytes) -> Samples:
        try:
            samples = self._decoder.decode(payload)
        except OpusError:
            self.failed += 1
            return self._concealed(duration(payload, self._rate))
        self.received += 1
        return samples

    def _bridge(self, samples: int, following: bytes, frames: list[AudioFrame]) -> None:
        """Sound for `samples` that were lost in front of the packet `following`."""
        end = min(samples, duration(following, self._rate))
        guess = min(samples - end, self._rate * CONCEALED_MS // 1000)
        if guess:
            self._place(self._concealed(guess), frames)
        self._place(np.zeros(samples - end - guess, np.float32), frames)
        if end:
            self._place(self._recovered(following, end), frames)

    def _concealed(self, samples: int) -> Samples:
        self.concealed += samples
        return self._decoder.conceal(samples)

    def _recovered(self, following: bytes, samples: int) -> Samples:
        try:
            made = self._decoder.recover(following, samples)
        except OpusError:
            return self._concealed(samples)
        if self._recovers and carries_correction(following):
            self.recovered += 1
        else:
            self.concealed += samples  # the decoder had to invent it after all
        return made
