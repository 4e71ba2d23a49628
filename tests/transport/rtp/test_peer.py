"""One connection that answers: real offers, candidates of all kinds, and an end that leaves nothing."""

import asyncio
import gc
import random
import socket
import threading
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription

from tests.support.rtc_caller import RtcCaller
from tests.support.serving import eventually
from tests.transport.rtp.test_sdp import GOOD, recorded, without
from ultraandchat.transport.ice_server import IceServer
from ultraandchat.transport.reach import Reach
from ultraandchat.transport.relay import Relay
from ultraandchat.transport.relay_account import RelayAccount
from ultraandchat.transport.rtp.peer import Peer
from ultraandchat.transport.rtp.sdp import MOST_CANDIDATES, BadOffer
from ultraandchat.transport.wire import CandidateInit

FILES = Path("/proc/self/fd")


class NoPhone:
    """The test carries the descriptions itself."""


@asynccontextmanager
async def answering() -> AsyncIterator[Peer]:
    peer = Peer("127.0.0.1", Reach())
    try:
        yield peer
    finally:
        await peer.aclose()


@asynccontextmanager
async def calling() -> AsyncIterator[RtcCaller]:
    caller = RtcCaller(NoPhone())  # type: ignore[arg-type]
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


# --- offers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOOD)
async def test_what_browsers_offer_is_answered(name: str) -> None:
    async with answering() as peer:
        description = SessionDescription.parse(await answer(peer, recorded(name)))
        offered = SessionDescription.parse(recorded(name))
        assert [m.kind for m in description.media] == [m.kind for m in offered.media]
        audio = description.media[0]
        assert [codec.mimeType for codec in audio.rtp.codecs] == ["audio/opus"]
        assert audio.rtp.codecs[0].payloadType == peer.payload_type == offered.media[0].fmt[0]
        assert audio.rtcp_mux
        assert audio.direction == "sendrecv"
        assert {one.ip for one in audio.ice_candidates} == {"127.0.0.1"}


async def test_a_relay_that_does_not_answer_holds_the_answer_up_for_its_time_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ultraandchat.transport.rtp.bypass.RELAY_S", 0.1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = IceServer("turn", "127.0.0.1", silent.getsockname()[1], "udp")
        peer = Peer("127.0.0.1", Reach(relay=lambda: Relay(server, RelayAccount("a", "b"))))
        try:
            description = SessionDescription.parse(await answer(peer, recorded("chromium_voice")))
        finally:
            await peer.aclose()
        assert [one.type for one in description.media[0].ice_candidates] == ["host"]
        assert silent.recv(2048)  # it was asked


async def test_the_answer_names_the_stream_that_is_sent() -> None:
    async with answering() as peer:
        description = SessionDescription.parse(await answer(peer, recorded("chromium_voice")))
        assert {one.ssrc for one in description.media[0].ssrc} == {peer.packets.ssrc}


async def test_a_bad_offer_is_refused_with_what_is_wrong() -> None:
    async with answering() as peer:
        with pytest.raises(BadOffer, match="only sound"):
            await answer(peer, recorded("chromium_video"))


async def test_any_change_of_a_real_offer_is_answered_or_refused() -> None:
    """What aiortc would stumble over behind the parser is the peer's fault too."""
    chance = random.Random(3)
    answered = 0
    for _ in range(120):
        lines = recorded(chance.choice(GOOD)).split("\r\n")
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(lines))
            if chance.random() < 0.5:
                lines.pop(at)
            elif lines[at]:
                cut = chance.randrange(len(lines[at]))
                lines[at] = lines[at][:cut] + chance.choice(" :/0aA9é") + lines[at][cut + 1 :]
        async with answering() as peer:
            with suppress(BadOffer):
                await answer(peer, "\r\n".join(lines))
                answered += 1
    assert 20 < answered < 120


@pytest.mark.parametrize("candidates", [True, False])
async def test_an_offer_that_says_there_are_no_more_candidates_connects(candidates: bool) -> None:
    async with answering() as peer, calling() as caller:
        offer = await caller.offer()
        assert "a=end-of-candidates" in offer
        if not candidates:
            offer = without("a=candidate", offer=offer)
        await caller.accepts(await answer(peer, offer))
        async with asyncio.timeout(20):
            await peer.connected


async def test_an_offer_with_a_data_channel_connects_too() -> None:
    async with answering() as peer, calling() as caller:
        caller.connection.createDataChannel("words")
        await connect(peer, caller)


async def test_candidates_may_come_later() -> None:
    async with answering() as peer, calling() as caller:
        offer = await caller.offer()
        lines = [x for x in offer.splitlines() if x.startswith("a=candidate")]
        await caller.accepts(await answer(peer, without("a=candidate", "a=end", offer=offer)))
        for line in lines:
            await peer.add(CandidateInit(line.removeprefix("a="), sdpMid="0", sdpMLineIndex=0))
        await peer.add(CandidateInit("", sdpMid="0"))
        async with asyncio.timeout(20):
            await peer.connected


ODD = [
    CandidateInit("nonsense", sdpMid="0"),
    CandidateInit("candidate:1 1 udp 1 192.0.2.9 5000 typ host"),  # of no stream
    CandidateInit("candidate:1 1 udp 1 192.0.2.9 5000 typ host", sdpMid="x", sdpMLineIndex=-5),
    CandidateInit("candidate:1 2 udp 1 127.0.0.1 5000 typ host", sdpMid="0"),
    CandidateInit("candidate:1 1 udp 1 127.0.0.1 70000 typ host", sdpMid="0"),
    CandidateInit("candidate:1 1 udp 1 x.local 5000 typ host", sdpMid="0"),
    CandidateInit("candidate:1 1 udp -7 192.0.2.9 5000 typ dance", sdpMid="0"),
]


async def test_odd_candidates_harm_nothing() -> None:
    async with answering() as peer, calling() as caller:
        offer = await caller.offer()
        await caller.accepts(await answer(peer, offer))
        for one in ODD:
            await peer.add(one)
        async with asyncio.timeout(20):
            await peer.connected


async def test_more_candidates_than_a_browser_has_are_passed_over() -> None:
    """The one that would connect comes behind them; the caller's own checks still do."""
    async with answering() as peer, calling() as caller:
        offer = without("a=candidate", offer=await caller.offer())
        answered = await answer(peer, offer)
        for port in range(4_000, 4_000 + 20 * MOST_CANDIDATES):
            text = f"candidate:1 1 udp 1 192.0.2.9 {port} typ host"
            await peer.add(CandidateInit(text, sdpMid="0"))
        await caller.accepts(answered)
        async with asyncio.timeout(20):
            await peer.connected


async def test_a_candidate_after_the_end_is_passed_over() -> None:
    peer = Peer("127.0.0.1", Reach())
    await answer(peer, recorded("chromium_voice"))
    await peer.aclose()
    await peer.add(CandidateInit("candidate:1 1 udp 1 192.0.2.9 5000 typ host", sdpMid="0"))


# --- the end ---------------------------------------------------------------------------------------


async def test_who_hangs_up_ends_it_at_once() -> None:
    async with answering() as peer, calling() as caller:
        await connect(peer, caller)
        await caller.connection.close()
        async with asyncio.timeout(20):
            assert await peer.over == "the caller closed it"


async def test_a_handshake_with_another_certificate_ends_it() -> None:
    async with answering() as peer, calling() as caller:
        offer = await caller.offer()
        lines = [
            line[:-2] + ("00" if line.endswith("11") else "11") if "a=fingerprint" in line else line
            for line in offer.splitlines()
        ]
        await caller.accepts(await answer(peer, "\r\n".join(lines) + "\r\n"))
        async with asyncio.timeout(20):
            assert await peer.over == "the connection could not be secured"
        assert not peer.connected.done()


async def test_closing_says_goodbye_and_may_be_done_twice() -> None:
    async with answering() as peer, calling() as caller:
        await connect(peer, caller)
        await peer.aclose()
        await peer.aclose()
        assert peer.over.result() == "closed"
        await caller.until_state("closed")


async def test_closing_that_is_cancelled_is_done_to_its_end() -> None:
    gc.collect()  # what tests before this one left open, and would be gone afterwards
    before = len(list(FILES.iterdir()))
    tasks = len(asyncio.all_tasks())
    async with calling() as caller:
        peer = Peer("127.0.0.1", Reach())
        await connect(peer, caller)
        closing = asyncio.get_running_loop().create_task(peer.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await caller.until_state("closed")
    await eventually(lambda: len(list(FILES.iterdir())) == before)
    await eventually(lambda: len(asyncio.all_tasks()) == tasks)


@pytest.mark.parametrize("when", ["new", "answered", "connected"])
async def test_a_closed_peer_leaves_nothing(when: str) -> None:
    gc.collect()  # what tests before this one left open, and would be gone afterwards
    tasks, threads = len(asyncio.all_tasks()), set(threading.enumerate())
    before = len(list(FILES.iterdir()))

    async def live() -> weakref.ref[Peer]:
        async with calling() as caller, answering() as peer:
            if when == "answered":
                await answer(peer, recorded("chromium_voice"))
            elif when == "connected":
                await connect(peer, caller)
            return weakref.ref(peer)

    left = await live()
    await eventually(lambda: len(asyncio.all_tasks()) == tasks)
    gc.collect()
    assert left() is None
    assert set(threading.enumerate()) <= threads
    await eventually(lambda: len(list(FILES.iterdir())) == before)
