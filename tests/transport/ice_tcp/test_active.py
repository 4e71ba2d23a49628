"""The caller's side: it dials when there is something to send, and again when it has to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aioice import Connection
from aioice.ice import StunProtocol

from tests.support.serving import eventually
from tests.transport.ice_tcp.strangers import OWN_HOST, PASSWORD, UFRAG, Taken, request
from ultraandchat.transport.ice_tcp.active import MOST_WAITING, ActiveTransport, dial_only
from ultraandchat.transport.ice_tcp.listener import IceTcp

HOST = "127.77.0.3"
"""No other program here listens there, so that a port of it can be listened on again."""


@asynccontextmanager
async def dialling() -> AsyncIterator[tuple[ActiveTransport, Taken]]:
    taken = Taken()
    transport = ActiveTransport(taken, OWN_HOST)  # type: ignore[arg-type]
    try:
        yield transport, taken
    finally:
        transport.close()
        await asyncio.sleep(0)


async def test_what_is_sent_before_the_connection_is_there_comes_in_order() -> None:
    async with IceTcp(HOST) as listener, dialling() as (transport, _):
        taken = Taken()
        listener.register(UFRAG, PASSWORD, taken)
        sent = [request(), b"\x80one", b"\x80two"]
        for packet in sent:
            transport.sendto(packet, listener.announced)
        await eventually(lambda: len(taken.packets) == len(sent))
        assert [packet for packet, _ in taken.packets] == sent
        assert listener.counts["accepted"] == 1


async def test_a_connection_that_was_reset_is_dialled_again_with_the_next_packet() -> None:
    async with IceTcp(HOST) as listener, dialling() as (transport, heard):
        peer = listener.register(UFRAG, PASSWORD, Taken())
        transport.sendto(request(), listener.announced)
        await eventually(lambda: listener.bound == 1)
        before = transport.reset(listener.announced)
        await eventually(lambda: listener.bound == 0)
        transport.sendto(request(), listener.announced)
        await eventually(lambda: listener.bound == 1)
        peer.sendto(b"\x00nobody", before)
        (address,) = peer.addresses
        peer.sendto(b"\x00answer", address)
        await eventually(lambda: heard.packets == [(b"\x00answer", listener.announced)])


async def test_where_nobody_listens_packets_are_lost_and_it_is_tried_again() -> None:
    async with IceTcp(HOST) as gone:
        pass
    address = gone.announced
    async with dialling() as (transport, _):
        for _ in range(3 * MOST_WAITING):
            transport.sendto(b"\x80lost", address)
        taken = Taken()
        async with IceTcp(HOST, address[1]) as listener:
            listener.register(UFRAG, PASSWORD, taken)

            def came() -> bool:
                transport.sendto(request(), address)
                return any(packet[0] < 4 for packet, _ in taken.packets)

            await eventually(came)


async def test_it_has_one_candidate_of_each_family_which_nobody_can_dial() -> None:
    ice: Any = Connection(ice_controlling=True)
    dial_only(ice)
    await ice.gather_candidates()
    for candidate, host in zip(ice.local_candidates, ("127.0.0.1", "::1"), strict=True):
        assert (candidate.host, candidate.transport, candidate.port) == (host, "tcp", 9)
        assert candidate.tcptype == "active"
    for protocol in ice._protocols:
        assert isinstance(protocol, StunProtocol)
        assert isinstance(protocol.transport, ActiveTransport)
    await ice.close()


async def test_told_where_to_dial_from_it_has_that_candidate_alone() -> None:
    ice: Any = Connection(ice_controlling=True)
    dial_only(ice, OWN_HOST)
    await ice.gather_candidates()
    (candidate,) = ice.local_candidates
    assert candidate.host == OWN_HOST
    await ice.close()
