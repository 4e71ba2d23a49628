"""Packets past aiortc: from the socket to SRTP to us, and back, without its queues, tasks and threads.

aiortc hands each packet from datagram callback to queue to task to another queue to a decoder thread,
and each outgoing frame through a task and a thread pool: 80 ms of delay and most of its time. Here
everything stays aiortc's until the DTLS handshake is done; from then on RTP and RTCP are taken out in
the datagram callback and sent straight to the socket. All private names of aiortc and aioice that this
needs are touched in this file only; `tests/transport/rtp/test_bypass.py` fails when one of them moves.
"""

import struct
from collections.abc import Callable
from typing import Any

import pylibsrtp
from aioice import stun
from aiortc import RTCPeerConnection, RTCRtpTransceiver

LARGEST_DATAGRAM = 2_048
"""Bytes. asyncio would reserve 256 KiB for each packet; DTLS flights have up to 1,500, RTP at most 1,300."""
MOST_QUEUED = 64
"""Datagrams that are no media and wait for aiortc: a DTLS flight has less than ten."""
MOST_REMOTE = 128
"""Addresses that passed an ICE check: aioice keeps each, and starts checks of its own to it. 32 are
offered at most; a peer whose address goes on changing is no peer."""
MOST_STREAMS = 32
"""libsrtp keeps each stream (SSRC) it has seen, in a list that it walks for every packet. A browser has one."""
MOST_UNSENT_BYTES = 4_096
"""What the socket did not take yet; beyond it (half a second of sound) packets are dropped, as the
network would."""

Packet = Callable[[bytes], None]


class Bypass:
    """The media path of one peer connection with one audio transceiver.

    `prepare` before the descriptions are applied, `attach` once candidates are gathered.
    """

    def __init__(self, connection: RTCPeerConnection, transceiver: RTCRtpTransceiver) -> None:
        self.ssrc: int = transceiver.sender._ssrc
        """Ours; the description names it."""
        self.refused = 0
        """Packets that failed their authentication, had no session, or were no STUN that can be read."""
        self.failed = False
        """Taking a packet raised: an error of ours, told to the loop; nothing more is taken."""
        self._dtls: Any = transceiver.receiver.transport
        self._ice: Any = self._dtls.transport._connection
        self._rtp: Packet = _ignore
        self._rtcp: Packet = _ignore
        self._attached: list[Any] = []
        self._streams: set[bytes] = set()
        # They would start a decoder thread and four tasks; what they would carry goes past them.
        setattr(transceiver.sender, "send", _nothing)  # noqa: B010 - mypy forbids the assignment
        setattr(transceiver.receiver, "receive", _nothing)  # noqa: B010

    def listen(self, rtp: Packet, rtcp: Packet) -> None:
        """Who takes decrypted packets; called in the datagram callback."""
        self._rtp, self._rtcp = rtp, rtcp

    def gather_at(self, chosen: Callable[[list[str]], list[str]]) -> None:
        """Host candidates at `chosen(addresses of this machine)`; aioice leaves out 127.0.0.1."""
        gather = self._ice.get_component_candidates

        async def at_ours(component: int, addresses: list[str], timeout: int = 5) -> Any:
            return await gather(component, chosen(addresses), timeout)

        self._ice.get_component_candidates = at_ours

    def attach(self) -> None:
        """Take media out of the sockets, which exist once candidates are gathered."""
        for protocol in self._ice._protocols:
            protocol.transport.max_size = LARGEST_DATAGRAM
            protocol.datagram_received = self._past(protocol.datagram_received)
            self._attached.append(protocol)

    def detach(self) -> None:
        """Let go of the sockets: of their callbacks, so that nothing keeps a closed connection in
        memory, and of those that aiortc did not come to close."""
        for protocol in {*self._attached, *self._ice._protocols}:
            vars(protocol).pop("datagram_received", None)
            protocol.transport.abort()
        self._attached.clear()
        vars(self._ice).pop("get_component_candidates", None)
        self._rtp = self._rtcp = _ignore

    def send(self, packet: bytes) -> bool:
        """One RTP packet to the peer; False where it was dropped: not connected, or the socket is full."""
        srtp = self._dtls._tx_srtp
        return srtp is not None and self._put(srtp.protect(packet))

    def send_rtcp(self, packet: bytes) -> bool:
        """One compound RTCP packet to the peer."""
        srtp = self._dtls._tx_srtp
        return srtp is not None and self._put(srtp.protect_rtcp(packet))

    @property
    def route(self) -> str:
        """How packets travel now: "udp", "tcp", "relay"; empty before a pair was chosen."""
        pair = self._ice._nominated.get(1)
        if pair is None:
            return ""
        local, remote = pair.local_candidate, pair.remote_candidate
        return "relay" if "relay" in (local.type, remote.type) else str(local.transport).lower()

    def _put(self, data: bytes) -> bool:
        pair = self._ice._nominated.get(1)
        if pair is None:
            return False
        transport = pair.protocol.transport
        unsent = getattr(transport, "get_write_buffer_size", None)  # relays have none
        if unsent is not None and unsent() > MOST_UNSENT_BYTES:
            return False
        transport.sendto(data, pair.remote_addr)
        return True

    def _past(
        self, datagram_received: Callable[[bytes, Any], None]
    ) -> Callable[[bytes, Any], None]:
        def received(data: bytes, address: Any) -> None:
            first = data[0] if data else -1
            if 128 <= first < 192:  # RFC 7983: RTP and RTCP
                self._media(data)
            elif 0 <= first < 4:
                self._check(datagram_received, data, address)
            elif data and self._ice._queue.qsize() < MOST_QUEUED and self._is_known(address):
                datagram_received(data, address)

        return received

    def _media(self, data: bytes) -> None:
        srtp = self._dtls._rx_srtp
        if srtp is None or len(data) < 12:
            self.refused += 1
            return
        report = 192 <= data[1] < 224  # RFC 5761 §4
        stream = data[4:8] if report else data[8:12]
        if len(self._streams) >= MOST_STREAMS and stream not in self._streams:
            self.refused += 1
            return
        try:
            opened = srtp.unprotect_rtcp(data) if report else srtp.unprotect(data)
        except (pylibsrtp.Error, ValueError):  # the second: longer than it takes
            self.refused += 1
            return
        self._streams.add(stream)
        take = self._rtcp if report else self._rtp
        taken = False
        try:
            take(opened)
            taken = True
        finally:
            if not taken:  # once, not fifty times a second; the path ends of it
                self.failed = True
                self._rtp = self._rtcp = _ignore

    def _check(
        self, datagram_received: Callable[[bytes, Any], None], data: bytes, address: Any
    ) -> None:
        """STUN, which anybody may send. aioice takes what it cannot read for data, and queues it without
        a bound; its parser raises where lengths inside do not fit, and a check without a priority fails."""
        if len(self._ice._remote_candidates) >= MOST_REMOTE and not self._is_known(address):
            self.refused += 1
            return
        try:
            stun.parse_message(data)
            datagram_received(data, address)
        except (ValueError, LookupError, struct.error):
            self.refused += 1

    def _is_known(self, address: Any) -> bool:
        """Of somebody who passed an ICE check or is in the offer."""
        return any(
            candidate.port == address[1] and candidate._network_host == address[0]
            for candidate in self._ice._remote_candidates
        )


async def _nothing(_parameters: object) -> None:
    """In place of aiortc's sending and receiving."""


def _ignore(_packet: bytes) -> None:
    """Before somebody listens, and after."""
