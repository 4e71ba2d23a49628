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
from aioice.ice import CandidatePair
from aiortc import RTCPeerConnection, RTCRtpTransceiver

from ultraandchat.transport.ice_tcp.active import dial_only
from ultraandchat.transport.ice_tcp.adaptor import lengthen_name, wait_for_tcp
from ultraandchat.transport.ice_tcp.listener import IceTcp
from ultraandchat.transport.ice_tcp.passive import PassiveTransport
from ultraandchat.transport.relay import Relay

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

RELAY_S = 1.5
"""For a TURN server to give us an address: four round trips, TLS included. The caller waits for our answer."""

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

    def gather_at(
        self,
        chosen: Callable[[list[str]], list[str]],
        tcp: IceTcp | None = None,
        relay: Relay | None = None,
    ) -> None:
        """Host candidates at `chosen(addresses of this machine)`; aioice leaves out 127.0.0.1. With
        `tcp` behind them those of its listener, where this peer is known from then on; with `relay`
        the address that it gives us, if it does so in time."""
        gather = self._ice.get_component_candidates
        if tcp is not None:
            lengthen_name(self._ice)
        if relay is not None:
            server, account = relay
            self._ice.turn_server = (server.host, server.port)
            self._ice.turn_ssl, self._ice.turn_transport = server.tls, server.transport
            self._ice.turn_username, self._ice.turn_password = account

        async def at_ours(component: int, addresses: list[str], timeout: int = 5) -> Any:
            candidates = await gather(component, chosen(addresses), RELAY_S)
            if tcp is not None:
                candidates += wait_for_tcp(self._ice, component, tcp, tcp.reached_at(addresses))
            return candidates

        self._ice.get_component_candidates = at_ours

    def dial(self) -> None:
        """No candidate but one that dials the TCP candidates it is told of, as a caller's."""
        dial_only(self._ice)

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
            # Relays have none.
            getattr(protocol.transport, "abort", protocol.transport.close)()
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

    def gets_there(self, within_s: float) -> bool:
        """What was sent in that time came through, as far as can be told: over TCP, where both ways
        of a connection stall and recover by themselves."""
        pair = self._ice._nominated.get(1)
        transport = None if pair is None else pair.protocol.transport
        return isinstance(transport, PassiveTransport) and transport.was_answered(
            pair.remote_addr, within_s
        )

    @property
    def pair(self) -> str:
        """What kinds of address those packets travel between, ours first."""
        pair = self._ice._nominated.get(1)
        return "" if pair is None else _kinds(pair)

    def tried(self) -> list[str]:
        """Each pair of addresses that was checked, by its kinds, and what became of it."""
        return [f"{_kinds(pair)} {pair.state.name.lower()}" for pair in self._ice._check_list]

    def _put(self, data: bytes) -> bool:
        pair = self._ice._nominated.get(1)
        if pair is None:
            return False
        transport = pair.protocol.transport
        if isinstance(transport, PassiveTransport):
            return transport.send_media(data, pair.remote_addr)
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
            self._revive()
            datagram_received(data, address)
        except (ValueError, LookupError, struct.error):
            self.refused += 1

    def _revive(self) -> None:
        """Once one pair is chosen aioice cancels the checks that still run, and would never begin
        them anew: a peer that comes to like one of those better would be answered over the other."""
        for pair in self._ice._check_list:
            if pair.task is not None and pair.task.cancelled():
                pair.task = None
                pair.state = CandidatePair.State.WAITING

    def _is_known(self, address: Any) -> bool:
        """Of somebody who passed an ICE check or is in the offer."""
        return any(
            candidate.port == address[1] and candidate._network_host == address[0]
            for candidate in self._ice._remote_candidates
        )


def _kinds(pair: Any) -> str:
    ours, theirs = pair.local_candidate, pair.remote_candidate
    return f"{ours.type}/{ours.transport}-{theirs.type}"


async def _nothing(_parameters: object) -> None:
    """In place of aiortc's sending and receiving."""


def _ignore(_packet: bytes) -> None:
    """Before somebody listens, and after."""
