"""Sound both ways over one connected peer: receiver, sender and reports around its packets.

Driven by two things only: packets as they arrive, and the shared ticker through `play` and `silence`,
which come once each 20 ms. It has no task and no timer of its own.
"""

from collections.abc import Callable
from dataclasses import replace
from random import randrange

import numpy as np

from ultraandchat.audio.frame import FRAME_MS, AudioFrame
from ultraandchat.events import Quality
from ultraandchat.transport.rtp.bypass import Bypass
from ultraandchat.transport.rtp.opus import Opus
from ultraandchat.transport.rtp.receiver import RtpReceiver
from ultraandchat.transport.rtp.rtcp import Reports
from ultraandchat.transport.rtp.sender import RtpSender
from ultraandchat.transport.webrtc_config import WebRtcConfig

REPORT_FRAMES = 1_000 // FRAME_MS
"""A report each second, as browsers do (RFC 3550 §6.2 allows one each 5 s / 2 with so few members)."""
TOGETHER = 3
"""Packets decoded at once while nobody speaks: 60 ms. One alone finds the caches cold and costs four
times what it costs behind another; and what follows costs once instead of three times."""
KEPT_S = 0.06
"""A packet waits no longer for others to be decoded with."""
DEAD_S = 10.0
"""A browser sends 50 packets of sound a second, muted or not, and reports beside them; ICE would notice
after 30 s that it is gone (RFC 7675 §5.1)."""
STALLED_S = 0.5
"""A caller whose packets stop for so long hears nothing either, most likely: the network is gone, for a
moment or for good. What was sent meanwhile is lost; what is held is not."""
RTCP_PER_S = 50
"""Reports of the peer that are read in one second: it sends one or two, and feedback beside them."""


class RtpPath:
    """One path. `heard` is called with each frame of the caller's sound, in the packet's own callback."""

    def __init__(
        self,
        packets: Bypass,
        *,
        payload_type: int,
        name: str,
        opus: Opus,
        config: WebRtcConfig,
        clock: Callable[[], float],
        heard: Callable[[AudioFrame], None],
    ) -> None:
        self.arrived = False
        """Something of the peer's came within the last second."""
        self._packets = packets
        self._clock = clock
        self._heard = heard
        self._dropped = 0
        self._blocked = False  # the newest packet was dropped here
        self._ticks = 0
        self._closely = True
        self._kept: list[tuple[bytes, float]] = []  # packets and their arrival, fewer than TOGETHER
        self._silent_s = 0.0  # in whole seconds
        self._last: float | None = clock()  # packet of sound; None: the caller sends none
        self._came = False
        self._rtcp_left = RTCP_PER_S
        self._rtt_s: float | None = None
        self._unheard_refusals = 0
        self._receiver = RtpReceiver(
            opus.decoder(), payload_type=payload_type, recovers=opus.recovers
        )
        self._sender = RtpSender(
            opus.encoder(bitrate=config.bitrate, complexity=config.complexity, fec=config.fec),
            bitrate=config.bitrate,
            payload_type=payload_type,
            ssrc=packets.ssrc,
            first_sequence=randrange(2**15),  # RFC 3711 §3.3.1: far from the first wrap-around
            first_timestamp=0,  # the timestamp is the position: callers tell by it what they heard
        )
        self._reports = Reports(packets.ssrc, name, clock())
        packets.listen(self._rtp, self._rtcp)

    @property
    def route(self) -> str:
        """As `Bypass.route`."""
        return self._packets.route

    @property
    def trouble(self) -> str:
        """Why this path should end, if it should."""
        if self._packets.failed:
            return "the server made an error"
        if self._receiver.flood:
            return "far more packets came than sound has"
        if self._silent_s > DEAD_S:
            return f"nothing came for {DEAD_S:.0f} s"
        return ""

    @property
    def stalled(self) -> bool:
        """Packets cannot be sent, or nothing comes from a caller who sends 50 a second.

        After a black hole what comes over TCP may wait 3 s longer than what goes: each end tries again
        at its own pace. What gets there is heard.
        """
        silent = self._last is not None and self._clock() - self._last > STALLED_S
        return self._blocked or (silent and not self._packets.gets_there(STALLED_S))

    def play(self, frame: AudioFrame) -> None:
        """Send 20 ms of sound."""
        self._send(self._sender.sound(frame))

    def silence(self, position: int) -> None:
        """Send 20 ms of nothing."""
        self._send(self._sender.silence(position))

    def attend(self, *, closely: bool) -> None:
        """Closely: packets are decoded as they come. Else `TOGETHER` at a time."""
        self._closely = closely
        if closely:
            self._take_kept()

    def dropped(self) -> int:
        """Of our packets, those that the socket did not take since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def quality(self) -> Quality:
        """How the caller's packets fared since the last call."""
        quality = self._receiver.quality(self._clock())
        forged = self._packets.refused - self._unheard_refusals
        self._unheard_refusals = self._packets.refused
        rtt_ms = None if self._rtt_s is None else 1000 * self._rtt_s
        return replace(quality, refused=quality.refused + forged, rtt_ms=rtt_ms)

    def tick(self) -> None:
        """What is due each 20 ms, whatever is played: sound that waited for a lost packet, reports."""
        now = self._clock()
        if self._kept and now - self._kept[0][1] >= KEPT_S:
            self._take_kept()
        if not self._kept:  # what is missed may lie there
            for frame in self._receiver.tick(now):
                self._heard(frame)
        self._ticks += 1
        if self._ticks % REPORT_FRAMES == 0:
            self._report(now)

    def _report(self, now: float) -> None:
        self.arrived, self._came = self._came, False
        self._silent_s = 0.0 if self.arrived else self._silent_s + REPORT_FRAMES * FRAME_MS / 1000
        self._rtcp_left = RTCP_PER_S
        self._packets.send_rtcp(
            self._reports.made(
                now,
                timestamp=self._sender.timestamp,
                packets=self._sender.packets,
                octets=self._sender.octets,
                reception=self._receiver.report(),
            )
        )

    def _send(self, packet: bytes) -> None:
        self._blocked = not self._packets.send(packet)
        self._dropped += self._blocked

    def _rtp(self, data: bytes) -> None:
        self._came = True
        now = self._last = self._clock()
        if not self._closely:
            self._kept.append((data, now))
            if len(self._kept) == TOGETHER:
                self._take_kept()
            return
        for frame in self._receiver.take(data, now):
            self._heard(frame)

    def _take_kept(self) -> None:
        kept, self._kept = self._kept, []
        frames = [frame for data, at in kept for frame in self._receiver.take(data, at)]
        if len(frames) < 2:
            for frame in frames:
                self._heard(frame)
            return
        samples = np.concatenate([frame.samples for frame in frames])  # a receiver leaves no holes
        self._heard(AudioFrame(samples, frames[0].rate, frames[0].position))

    def _rtcp(self, data: bytes) -> None:
        self._came = True
        if self._last is not None and self._clock() - self._last > STALLED_S:
            self._last = None  # the network is there: the caller has no microphone now
        if self._rtcp_left == 0:
            return
        self._rtcp_left -= 1
        told = self._reports.take(data, self._clock())
        if told is not None:
            self._rtt_s = told.rtt_s if told.rtt_s is not None else self._rtt_s
            self._sender.reported(told.loss)
