"""What the bypass stands on in aiortc, aioice and pylibsrtp; and two peers who talk past them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aioice.ice
import pylibsrtp
import pytest
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from tests.support.serving import eventually
from ultraandchat.transport.rtp.bypass import (
    LARGEST_DATAGRAM,
    MOST_QUEUED,
    MOST_REMOTE,
    MOST_STREAMS,
    Bypass,
)
from ultraandchat.transport.rtp.packet import RtpPacket, build, parse


class End:
    """One of two peers in this process; packets that came to it, and those it refused."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self.transceiver: RTCRtpTransceiver = self.connection.addTransceiver("audio")
        self.packets = Bypass(self.connection, self.transceiver)
        self.packets.gather_at(lambda found: ["127.0.0.1"])
        self.rtp: list[RtpPacket] = []
        self.rtcp: list[bytes] = []
        self.packets.listen(lambda data: self.rtp.append(parse(data)), self.rtcp.append)

    @property
    def dtls(self) -> Any:
        return self.transceiver.receiver.transport

    @property
    def ice(self) -> Any:
        return self.dtls.transport._connection

    @property
    def socket(self) -> Any:
        (protocol,) = self.ice._protocols
        return protocol

    async def describe(self, description: Any) -> RTCSessionDescription:
        await self.connection.setLocalDescription(description)
        self.packets.attach()
        return self.connection.localDescription

    async def aclose(self) -> None:
        await self.connection.close()
        self.packets.detach()


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[End, End]]:
    """Two ends, connected over 127.0.0.1."""
    ours, theirs = End(), End()
    offer = await theirs.describe(await theirs.connection.createOffer())
    await ours.connection.setRemoteDescription(offer)
    await theirs.connection.setRemoteDescription(
        await ours.describe(await ours.connection.createAnswer())
    )
    await eventually(
        lambda: (
            {ours.connection.connectionState, theirs.connection.connectionState} == {"connected"}
        )
    )
    try:
        yield ours, theirs
    finally:
        await ours.aclose()
        await theirs.aclose()


def packet(number: int, *, ssrc: int = 7, payload: bytes = b"sound") -> bytes:
    return build(RtpPacket(96, False, number, 960 * number, ssrc, payload))


# --- private names ---------------------------------------------------------------------------------


def check(where: object, *names: str) -> None:
    missing = [name for name in names if not hasattr(where, name)]
    assert not missing, f"{where!r} has no {missing} any more: src/…/rtp/bypass.py stands on them"


async def test_the_private_names_that_the_bypass_uses_are_there() -> None:
    async with talking() as (ours, _):
        check(ours.transceiver.sender, "_ssrc", "send")
        check(ours.transceiver.receiver, "transport", "receive")
        check(ours.dtls, "transport", "_rx_srtp", "_tx_srtp")
        check(ours.dtls.transport, "_connection")
        check(
            ours.ice,
            "_protocols",
            "_nominated",
            "_queue",
            "_remote_candidates",
            "get_component_candidates",
        )
        pair = ours.ice._nominated[1]
        check(pair, "protocol", "remote_addr", "local_candidate", "remote_candidate")
        check(pair.local_candidate, "type", "transport")
        check(ours.ice._remote_candidates[0], "_network_host", "port")
        check(ours.socket, "datagram_received", "transport")
        check(ours.socket.transport, "max_size", "get_write_buffer_size", "sendto", "abort")
        check(pylibsrtp.Session, "protect", "unprotect", "protect_rtcp", "unprotect_rtcp")
        check(pylibsrtp, "Error")


async def test_they_are_what_they_were() -> None:
    async with talking() as (ours, theirs):
        assert isinstance(ours.transceiver.sender._ssrc, int)
        assert isinstance(ours.dtls._tx_srtp, pylibsrtp.Session)
        assert isinstance(ours.dtls._rx_srtp, pylibsrtp.Session)
        assert isinstance(ours.ice._queue, asyncio.Queue)
        assert ours.ice._nominated[1].remote_addr == (
            "127.0.0.1",
            theirs.socket.transport.get_extra_info("sockname")[1],
        )
        known = {(one._network_host, one.port) for one in ours.ice._remote_candidates}
        assert ours.ice._nominated[1].remote_addr in known


async def test_the_socket_asks_the_instance_what_to_do_with_a_datagram() -> None:
    """asyncio looks the method up for each datagram, so that ours can stand before it."""
    seen: list[bytes] = []

    async with talking() as (ours, theirs):
        assert "datagram_received" in vars(ours.socket)
        vars(ours.socket)["datagram_received"] = lambda data, address: seen.append(data)
        theirs.packets.send(packet(1))
        await eventually(lambda: bool(seen))
    assert "datagram_received" in vars(aioice.ice.StunProtocol)


async def test_sockets_read_no_more_than_a_packet_needs() -> None:
    async with talking() as (ours, theirs):
        assert ours.socket.transport.max_size == LARGEST_DATAGRAM
        before = ours.packets.refused
        address = ours.socket.transport.get_extra_info("sockname")
        theirs.socket.transport.sendto(b"\x80" * 60_000, address)
        await eventually(lambda: ours.packets.refused == before + 1)


async def test_neither_a_decoder_thread_nor_a_task_for_each_way_is_begun() -> None:
    """aiortc awaits `sender.send` and `receiver.receive`, which would begin them, once connected."""
    awaited: list[str] = []

    def notes(name: str) -> Callable[[object], Any]:
        async def nothing(parameters: object) -> None:
            awaited.append(name)

        return nothing

    threads = set(threading.enumerate())
    ours, theirs = End(), End()
    vars(ours.transceiver.sender)["send"] = notes("send")
    vars(ours.transceiver.receiver)["receive"] = notes("receive")
    offer = await theirs.describe(await theirs.connection.createOffer())
    await ours.connection.setRemoteDescription(offer)
    await theirs.connection.setRemoteDescription(
        await ours.describe(await ours.connection.createAnswer())
    )
    await eventually(lambda: awaited == ["send", "receive"])
    await eventually(lambda: theirs.connection.connectionState == "connected")
    assert set(threading.enumerate()) <= threads
    running = " ".join(repr(task.get_coro()) for task in asyncio.all_tasks())
    assert "RTCRtpSender" not in running
    assert "RTCRtpReceiver" not in running
    await ours.aclose()
    await theirs.aclose()


# --- a live pair -----------------------------------------------------------------------------------


async def test_packets_go_both_ways() -> None:
    async with talking() as (ours, theirs):
        for number in range(20):
            assert ours.packets.send(packet(number, ssrc=ours.packets.ssrc))
            assert theirs.packets.send(packet(number, ssrc=theirs.packets.ssrc))
        await eventually(lambda: len(ours.rtp) == len(theirs.rtp) == 20)
        assert [one.sequence for one in ours.rtp] == list(range(20))
        assert {one.ssrc for one in ours.rtp} == {theirs.packets.ssrc}
        assert {one.payload for one in theirs.rtp} == {b"sound"}
        assert ours.packets.route == theirs.packets.route == "udp"


async def test_reports_go_both_ways() -> None:
    report = bytes.fromhex("80c9000100000007")  # a receiver report about nothing
    async with talking() as (ours, theirs):
        assert ours.packets.send_rtcp(report)
        assert theirs.packets.send_rtcp(report)
        await eventually(lambda: ours.rtcp == theirs.rtcp == [report])
        assert not ours.rtp


async def test_before_and_after_the_connection_nothing_is_sent() -> None:
    end = End()
    assert not end.packets.send(packet(1))
    assert end.packets.route == ""
    async with talking() as (ours, _):
        pass
    assert not ours.packets.send(packet(1))
    assert not ours.packets.send_rtcp(bytes.fromhex("80c9000100000007"))
    await end.aclose()


async def test_what_is_not_authentic_is_refused_and_counted() -> None:
    async with talking() as (ours, theirs):
        theirs.packets.send(packet(1))
        await eventually(lambda: len(ours.rtp) == 1)
        address = ours.socket.transport.get_extra_info("sockname")
        forged = [packet(2, payload=bytes(80)), b"\x80\xc8" + bytes(60), b"\x80\x60", b"\xbf"]
        for data in forged:
            theirs.socket.transport.sendto(data, address)
        await eventually(lambda: ours.packets.refused == len(forged))
        theirs.packets.send(packet(3))
        await eventually(lambda: len(ours.rtp) == 2)


async def test_a_packet_comes_once_however_often_it_is_sent() -> None:
    async with talking() as (ours, theirs):
        sealed = theirs.dtls._tx_srtp.protect(packet(1))
        address = ours.socket.transport.get_extra_info("sockname")
        for _ in range(5):
            theirs.socket.transport.sendto(sealed, address)
        await eventually(lambda: ours.packets.refused == 4)
        assert len(ours.rtp) == 1


async def test_a_peer_with_ever_new_streams_is_not_followed_for_ever() -> None:
    """libsrtp would keep each of them, and walk the list of them for every packet."""
    async with talking() as (ours, theirs):
        for ssrc in range(1, 3 * MOST_STREAMS):
            theirs.packets.send(packet(1, ssrc=ssrc))
        await eventually(lambda: ours.packets.refused == 2 * MOST_STREAMS - 1)
        assert len(ours.rtp) == MOST_STREAMS
        theirs.packets.send(packet(2, ssrc=1))
        await eventually(lambda: len(ours.rtp) == MOST_STREAMS + 1)


async def test_a_socket_that_takes_no_more_loses_packets() -> None:
    async with talking() as (ours, _):
        vars(ours.socket)["transport"] = Full(ours.socket.transport)
        assert not ours.packets.send(packet(1))
        vars(ours.socket)["transport"] = vars(ours.socket)["transport"].whole


class Full:
    """A socket whose buffer is full."""

    def __init__(self, whole: Any) -> None:
        self.whole = whole

    def get_write_buffer_size(self) -> int:
        return 100_000

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)


# --- strangers -------------------------------------------------------------------------------------

STRANGER = ("192.0.2.7", 4_000)


async def test_what_a_stranger_sends_waits_for_nobody() -> None:
    async with talking() as (ours, _):
        for first in (20, 22, 63, 64, 79, 4, 255):
            ours.socket.datagram_received(bytes([first]) * 100, STRANGER)
        assert ours.ice._queue.empty()


async def test_of_the_peer_a_bounded_number_of_datagrams_waits() -> None:
    async with talking() as (ours, theirs):
        peer = theirs.socket.transport.get_extra_info("sockname")
        for _ in range(10 * MOST_QUEUED):
            ours.socket.datagram_received(b"\x17" * 50, peer)
        assert ours.ice._queue.qsize() <= MOST_QUEUED


HEADER = bytes.fromhex("000100082112a442") + bytes(12)
NO_STUN = {
    "an attribute shorter than its kind": HEADER + bytes.fromhex("0024000200000000"),
    "no STUN behind its first byte": b"\x01" * 30,
    "one byte": b"\x00",
    "a length that does not fit": HEADER,
}


@pytest.mark.parametrize("name", NO_STUN)
async def test_stun_that_cannot_be_read_is_counted_and_goes_no_further(name: str) -> None:
    """aioice would raise struct.error in the callback, or hand it to DTLS as data."""
    async with talking() as (ours, _):
        ours.socket.datagram_received(NO_STUN[name], STRANGER)
        assert ours.packets.refused == 1
        assert ours.ice._queue.empty()


async def test_an_empty_datagram_ends_nothing() -> None:
    """aiortc's DTLS task looks at the first byte of all that is handed on, and dies where there is none."""
    async with talking() as (ours, theirs):
        ours.socket.datagram_received(b"", STRANGER)
        ours.socket.datagram_received(b"", theirs.socket.transport.get_extra_info("sockname"))
        assert ours.ice._queue.empty()
        theirs.packets.send(packet(1))
        await eventually(lambda: len(ours.rtp) == 1)
        assert ours.connection.connectionState == "connected"


async def test_a_check_without_a_priority_is_refused() -> None:
    async with talking() as (ours, theirs):
        request = theirs.ice.build_request(theirs.ice._nominated[1], nominate=False)
        del request.attributes["PRIORITY"]
        request.add_message_integrity(ours.ice.local_password.encode())
        ours.socket.datagram_received(bytes(request), STRANGER)
        assert ours.packets.refused == 1


async def test_a_peer_with_ever_new_addresses_is_not_followed_for_ever() -> None:
    async with talking() as (ours, theirs):
        request = theirs.ice.build_request(theirs.ice._nominated[1], nominate=False)
        request.add_message_integrity(ours.ice.local_password.encode())
        for port in range(2_000, 2_000 + 2 * MOST_REMOTE):
            ours.socket.datagram_received(bytes(request), ("127.0.0.1", port))
        assert len(ours.ice._remote_candidates) <= MOST_REMOTE


async def test_an_error_of_ours_is_told_once_and_nothing_more_is_taken() -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: told.append(context.get("exception"))
    )

    def fails(data: bytes) -> None:
        raise ZeroDivisionError("a fault")

    async with talking() as (ours, theirs):
        ours.packets.listen(fails, ours.rtcp.append)
        for number in range(5):
            theirs.packets.send(packet(number))
        theirs.packets.send_rtcp(bytes.fromhex("80c9000100000007"))
        await eventually(lambda: ours.packets.failed)
        await eventually(lambda: not ours.socket.transport.get_write_buffer_size())
        theirs.packets.send(packet(9))
        await asyncio.sleep(0.05)
        assert [type(error) for error in told] == [ZeroDivisionError]
        assert not ours.rtcp
        assert ours.connection.connectionState == "connected"


async def test_letting_go_closes_sockets_that_were_left_open() -> None:
    async with talking() as (ours, _):
        left = ours.socket.transport
        ours.packets.detach()
        assert left.is_closing()
        assert "datagram_received" not in vars(ours.socket)


@pytest.mark.parametrize("found", [[], ["192.0.2.1"]])
async def test_addresses_are_chosen_by_whoever_says_so(found: list[str]) -> None:
    end = End()
    asked: list[list[str]] = []

    def chosen(addresses: list[str]) -> list[str]:
        asked.append(addresses)
        return ["127.0.0.1"]

    end.packets.gather_at(chosen)
    candidates = await end.ice.get_component_candidates(1, found)
    assert asked[-1] in (found, ["127.0.0.1"])
    assert {one.host for one in candidates} == {"127.0.0.1"}
    await end.aclose()
