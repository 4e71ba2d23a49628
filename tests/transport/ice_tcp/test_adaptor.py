"""What ICE-TCP stands on in aioice, and two peers who connect over it: the answer, re-dials, both ways at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aioice.ice
import pytest
from aioice.candidate import Candidate
from aiortc.sdp import SessionDescription

from tests.support.ice_tcp_caller import IceTcpCaller
from tests.support.rtc_caller import RtcCaller
from tests.support.serving import eventually
from tests.transport.ice_tcp.strangers import Taken
from tests.transport.rtp.test_bypass import packet
from tests.transport.rtp.test_sdp import GOOD, recorded, without
from ultraandchat.transport.ice_tcp.adaptor import (
    UFRAG_CHARS,
    PassiveCandidate,
    lengthen_name,
    priority,
)
from ultraandchat.transport.ice_tcp.listener import IceTcp
from ultraandchat.transport.ice_tcp.passive import PassiveTransport
from ultraandchat.transport.reach import Reach
from ultraandchat.transport.rtp.peer import Peer
from ultraandchat.transport.wire import CandidateInit

HOST = "127.0.0.1"


@asynccontextmanager
async def answering(
    *, udp: bool = False, host: str = HOST, announce: tuple[str, int] | None = None
) -> AsyncIterator[tuple[Peer, IceTcp]]:
    async with IceTcp(host, announce=announce) as listener:
        peer = Peer(host, Reach(udp=udp, tcp=listener))
        try:
            yield peer, listener
        finally:
            await peer.aclose()


class NoPhone:
    """The test carries the descriptions itself."""


@asynccontextmanager
async def calling(kind: type[RtcCaller] = IceTcpCaller) -> AsyncIterator[Any]:
    caller = kind(NoPhone())  # type: ignore[arg-type]
    try:
        yield caller
    finally:
        await caller.aclose()


async def answer(peer: Peer, offer: str) -> str:
    return await peer.answer(offer, bitrate=32_000, fec=True)


async def connect(peer: Peer, caller: RtcCaller) -> None:
    await caller.accepts(await answer(peer, await caller.offer()))
    async with asyncio.timeout(20):
        await peer.connected
    await caller.until_state("connected")


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[Peer, IceTcpCaller, IceTcp]]:
    async with answering() as (peer, listener), calling() as caller:
        await connect(peer, caller)
        yield peer, caller, listener


def ice(peer: Peer) -> Any:
    return peer.packets._ice


# --- private names ---------------------------------------------------------------------------------


def check(where: object, *names: str) -> None:
    missing = [name for name in names if not hasattr(where, name)]
    assert not missing, f"{where!r} has no {missing} any more: src/…/ice_tcp/adaptor.py uses them"


async def test_the_private_names_that_the_adaptor_uses_are_there() -> None:
    async with talking() as (peer, _, _):
        check(ice(peer), "_local_username", "local_username", "local_password", "_protocols")
        check(ice(peer), "_check_list", "_nominated", "get_component_candidates")
        (pair,) = ice(peer)._check_list
        check(pair, "task", "state", "protocol", "remote_addr")
        check(aioice.ice.CandidatePair.State, "WAITING", "IN_PROGRESS")
        check(aioice.ice.StunProtocol, "datagram_received", "connection_made", "connection_lost")
        check(Candidate, "can_pair_with")


async def test_they_are_what_they_were() -> None:
    async with talking() as (peer, _, listener):
        assert ice(peer).local_username == ice(peer)._local_username
        (protocol,) = ice(peer)._protocols
        assert isinstance(protocol.transport, PassiveTransport)
        assert ice(peer)._nominated[1].protocol is protocol
        assert ice(peer)._nominated[1].local_candidate.tcptype == "passive"
        assert listener.counts["bound"] == 1


async def test_a_candidate_that_waits_is_paired_with_nobody() -> None:
    """Nor does anything else begin a check: the peer's comes first."""
    async with answering() as (peer, _):
        await answer(peer, recorded("chromium_voice"))
        assert ice(peer)._local_candidates
        assert not ice(peer)._check_list
        (ours,) = ice(peer)._local_candidates
        assert isinstance(ours, PassiveCandidate)
        assert not ours.can_pair_with(ours)


def test_names_are_long_enough_to_meet_nobody() -> None:
    class Named:
        _local_username = "abcd"

    names = set()
    for _ in range(1_000):
        lengthen_name(named := Named())
        aioice.ice.validate_username(named._local_username)
        names.add(named._local_username)
    assert len(names) == 1_000
    assert {len(name) for name in names} == {UFRAG_CHARS}


# --- the answer ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOOD)
async def test_the_answer_says_where_to_dial_and_nothing_else(name: str) -> None:
    """With a port that a router maps: no address of this machine is told to anybody."""
    async with answering(host="0.0.0.0", announce=("203.0.113.7", 13_007)) as (peer, _):
        lines = (await answer(peer, recorded(name))).splitlines()
        (line,) = {line for line in lines if line.startswith("a=candidate:")}
        _, text = line.split(" ", 1)
        assert text == "1 tcp 1520435199 203.0.113.7 13007 typ host tcptype passive"
        assert {line for line in lines if line.startswith("c=")} == {"c=IN IP4 203.0.113.7"}
        assert not [one for one in ice(peer)._protocols if not one.local_candidate.tcptype]
        assert HOST not in "".join(lines)


async def test_each_address_has_a_candidate_the_first_one_the_best() -> None:
    async with answering(host="0.0.0.0", udp=True) as (peer, listener):
        media = SessionDescription.parse(await answer(peer, recorded("chromium_voice"))).media[0]
        tcp = [one for one in media.ice_candidates if one.protocol == "tcp"]
        udp = [one for one in media.ice_candidates if one.protocol == "udp"]
        found = [one.ip for one in udp if one.ip != HOST]
        assert [(one.ip, one.port) for one in tcp] == listener.reached_at(found)
        assert [one.priority for one in tcp] == sorted({one.priority for one in tcp}, reverse=True)
        assert max(one.priority for one in tcp) < min(one.priority for one in udp)
        assert len({one.foundation for one in media.ice_candidates}) == len(media.ice_candidates)


def test_the_priority_is_the_one_browsers_have_for_it() -> None:
    assert priority(1, 0) == 1_520_435_199
    assert priority(1, 1) == 1_520_434_943


# --- connecting ------------------------------------------------------------------------------------


async def test_packets_go_both_ways() -> None:
    async with talking() as (peer, caller, _):
        came: list[bytes] = []
        peer.packets.listen(came.append, came.append)
        for number in range(20):
            caller.packets.send(packet(number, ssrc=caller.packets.ssrc))
        await eventually(lambda: len(came) == 20)
        assert peer.packets.route == caller.packets.route == "tcp"
        assert peer.packets.send(packet(1, ssrc=peer.packets.ssrc, payload=b"\xf8\xff\xfe"))
        await eventually(lambda: len(caller.arrived) == 1)


@pytest.mark.parametrize("candidates", [True, False])
async def test_an_offer_that_says_there_are_no_more_candidates_connects(candidates: bool) -> None:
    async with answering() as (peer, _), calling() as caller:
        offer = await caller.offer()
        assert "a=end-of-candidates" in offer
        if not candidates:
            offer = without("a=candidate", offer=offer)
        await caller.accepts(await answer(peer, offer))
        async with asyncio.timeout(20):
            await peer.connected


async def test_a_caller_who_trickles_the_end_of_its_candidates_connects() -> None:
    async with answering() as (peer, _), calling() as caller:
        offer = without("a=candidate", "a=end", offer=await caller.offer())
        answered = await answer(peer, offer)
        await peer.add(CandidateInit("", sdpMid="0", sdpMLineIndex=0))
        await peer.add(
            CandidateInit("candidate:1 1 tcp 1518280447 127.0.0.1 9 typ host tcptype active", "0")
        )
        await caller.accepts(answered)
        async with asyncio.timeout(20):
            await peer.connected


async def test_an_ipv6_peer_connects() -> None:
    async with answering(host="::1") as (peer, _), calling() as caller:
        caller.dials_from("::1")
        await connect(peer, caller)
        assert caller.pair.remote_addr[0] == "::1"


async def test_callers_over_udp_are_not_held_up_by_the_tcp_candidate() -> None:
    async with answering(udp=True) as (peer, listener), calling(RtcCaller) as caller:
        await connect(peer, caller)
        assert peer.packets.route == "udp"
        assert listener.counts["accepted"] == 0


# --- lost connections ------------------------------------------------------------------------------


@pytest.mark.parametrize("same_port", [True, False])
async def test_a_caller_whose_connection_was_reset_goes_on(same_port: bool) -> None:
    async with talking() as (peer, caller, listener):
        came: list[bytes] = []
        peer.packets.listen(came.append, came.append)
        caller.is_reset(same_port=same_port)
        await eventually(lambda: listener.bound == 0)
        assert not peer.packets.send(packet(1, ssrc=peer.packets.ssrc, payload=b"\xf8\xff\xfe"))
        assert listener.dropped == 1
        if not same_port:
            caller.nominates()
        caller.packets.send(packet(1, ssrc=caller.packets.ssrc))
        await eventually(lambda: len(came) == 1)
        await eventually(
            lambda: peer.packets.send(packet(2, ssrc=peer.packets.ssrc, payload=b"\xf8\xff\xfe"))
        )
        await eventually(lambda: len(caller.arrived) > 0)
        assert caller.connection.connectionState == "connected"
        assert not peer.over.done()
        assert listener.counts["redialled"] == same_port


async def test_a_way_that_was_given_up_for_another_is_taken_when_the_caller_comes_back_to_it() -> (
    None
):
    """aioice cancels the checks that still run once one pair is chosen, and forgets to let them run
    again: the answer to the caller's choice would go over the way it has left."""
    async with talking() as (peer, caller, _):
        pair = ice(peer)._nominated[1]
        running = asyncio.get_running_loop().create_task(asyncio.Event().wait())
        running.cancel()
        await asyncio.wait({running})
        pair.task, pair.state = running, aioice.ice.CandidatePair.State.IN_PROGRESS
        pair.nominated = pair.remote_nominated = False
        del ice(peer)._nominated[1]
        caller.nominates()
        await eventually(lambda: peer.packets.route == "tcp")


# --- the end ---------------------------------------------------------------------------------------


async def test_closing_closes_the_connections_and_forgets_the_name() -> None:
    async with answering() as (peer, listener), calling() as caller:
        await connect(peer, caller)
        await peer.aclose()
        await caller.until_state("closed")
        assert listener.bound == 0
        listener.register(ice(peer).local_username, "x", Taken())
