"""One caller's sound from decrypted RTP packets to frames: what is taken, what is refused, what it
was like. Told the time; nothing waits here.

A sender's packets cannot harm: what is too much is dropped before it costs anything, a second stream
is not mixed in, and media time cannot run faster than the limits of every other transport.
"""

from collections import Counter

from ultraandchat.audio.frame import AudioFrame
from ultraandchat.events import Quality
from ultraandchat.transport.limits import SOUND_BURST_S, Bucket, Limits
from ultraandchat.transport.rtp.decoding import Decoding
from ultraandchat.transport.rtp.media_time import RTP_RATE, Gap
from ultraandchat.transport.rtp.opus import OpusDecoder, OpusError, duration
from ultraandchat.transport.rtp.packet import BadPacket, RtpPacket, parse
from ultraandchat.transport.rtp.reception import Reception, ReceptionReport
from ultraandchat.transport.rtp.reorder import Placed, Reordering

PACKETS_PER_S = 200.0
"""In a steady stream: twice the packets of the shortest frames browsers send (10 ms)."""
PACKET_BURST = 500.0
"""At once: a stall of 4 s (the longest seen to recover) delivers 200 packets of 20 ms together."""

FLOOD_S = 5.0
"""Refusing for so long without a pause of `FLOOD_PAUSE_S` is a flood: a burst is over sooner."""
FLOOD_PAUSE_S = 1.0

GONE_S = 2.0
"""A stream silent for so long is over, and another may take its place at once."""
HANDOVER_S = 0.5
"""After so long it may, if the new one has sent `HANDOVER_PACKETS` meanwhile: longer than the 400 ms
between two packets of a silent DTX sender."""
HANDOVER_PACKETS = 25


class RtpReceiver:
    """Takes packets as they arrive and gives the sound of one stream, in order and without holes."""

    def __init__(self, decoder: OpusDecoder, *, payload_type: int, recovers: bool = True) -> None:
        """Frames come at `decoder.rate`; `payload_type` is what Opus has in the answer; `recovers` as
        `Opus.recovers`, so that what is only concealed is counted as that."""
        self.refusals: Counter[str] = Counter()
        """Packets dropped, by reason: "flood", "no rtp", "stream", "payload type", "payload"."""
        self._payload_type = payload_type
        self._rate = decoder.rate
        self._packets = Bucket(PACKETS_PER_S, PACKET_BURST)
        self._sound = Bucket(Limits().sound_speed, SOUND_BURST_S)
        self._reordering = Reordering()
        self._decoding = Decoding(decoder, recovers=recovers)
        self._reception: Reception | None = None
        self._heard_at = 0.0
        self._rival: int | None = None  # another stream, and its packets since ours was heard
        self._rival_packets = 0
        self._flood_began = self._flooded_at = -FLOOD_PAUSE_S
        self._told = (0,) * 6

    @property
    def flood(self) -> bool:
        """More came than is taken, for longer than a burst lasts: a reason to close."""
        return self._flooded_at - self._flood_began > FLOOD_S

    def take(self, data: bytes, now: float) -> list[AudioFrame]:
        """One decrypted packet; the frames it makes ready."""
        if not self._packets.take(now):
            self._flooded(now)
            return []
        try:
            packet = parse(data)
        except BadPacket:
            self.refusals["no rtp"] += 1
            return []
        reception = self._reception
        if reception is None or packet.ssrc != reception.ssrc:
            if not self._follows(packet, now):
                return []
            reception = self._begin(packet.ssrc)
        self._heard_at = now
        self._rival_packets = 0
        if packet.payload_type != self._payload_type:
            # Comfort noise or a key tone: it has its place in the sequence, and no sound for us.
            self.refusals["payload type"] += 1
            packet = packet._replace(payload=b"")
        try:
            length = duration(packet.payload, RTP_RATE) if packet.payload else 0
        except OpusError:  # it is as good as lost, and concealed as such
            self.refusals["payload"] += 1
            return []
        if length and not self._sound.take(now, length / RTP_RATE):
            self._flooded(now)
            return []
        reception.take(packet.sequence, packet.timestamp, now)
        return self._sounded(self._reordering.put(packet, length, now), now)

    def tick(self, now: float) -> list[AudioFrame]:
        """What has become ready without a packet; to be called every 20 ms."""
        placed = self._reordering.due(now)
        return self._sounded(placed, now) if placed else []

    def report(self) -> ReceptionReport | None:
        """For the sender, about the time since the last report; None before there was a stream."""
        return self._reception.report() if self._reception is not None else None

    def quality(self, now: float) -> Quality:
        """What happened since the last call."""
        order, decoding = self._reordering, self._decoding
        refused = self.refusals.total() + order.strayed + decoding.failed
        total = (
            decoding.received,
            order.lost,
            decoding.recovered,
            order.late,
            refused,
            decoding.concealed,
        )
        received, lost, recovered, late, refused, concealed = (
            count - before for count, before in zip(total, self._told, strict=True)
        )
        self._told = total
        jitter = self._reception.jitter if self._reception is not None else 0.0
        return Quality(
            received=received,
            lost=lost,
            recovered=recovered,
            late=late,
            refused=refused,
            concealed_s=concealed / self._rate,
            jitter_ms=1000 * jitter / RTP_RATE,
            wait_ms=1000 * order.bound.at(now),
        )

    def _sounded(self, placed: list[Placed], now: float) -> list[AudioFrame]:
        if len(placed) > 1 or (placed and isinstance(placed[0], Gap)):
            # Timestamps may claim any silence; media time that runs away from the clock is not followed.
            placed = [
                item
                for item in placed
                if isinstance(item, RtpPacket) or self._sound.take(now, item.samples / RTP_RATE)
            ]
        return self._decoding.feed(placed)

    def _follows(self, packet: RtpPacket, now: float) -> bool:
        """Whether this packet of another stream begins the one to be heard from now on."""
        if packet.payload_type != self._payload_type:
            self.refusals["payload type"] += 1
            return False
        if self._reception is None:
            return True
        if packet.ssrc != self._rival:
            self._rival, self._rival_packets = packet.ssrc, 0
        self._rival_packets += 1
        silent_s = now - self._heard_at
        insists = silent_s >= HANDOVER_S and self._rival_packets >= HANDOVER_PACKETS
        if silent_s >= GONE_S or insists:
            return True
        self.refusals["stream"] += 1
        return False

    def _begin(self, ssrc: int) -> Reception:
        if self._reception is not None:
            self._reordering.restart()
            self._decoding.restart()
        self._reception = Reception(ssrc)
        return self._reception

    def _flooded(self, now: float) -> None:
        self.refusals["flood"] += 1
        if now - self._flooded_at > FLOOD_PAUSE_S:
            self._flood_began = now
        self._flooded_at = now
