"""One offer: refused, too slowly answered, never connected, or connected and over."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.rtc_caller import RtcCaller
from tests.transport.rtp.test_sdp import recorded
from ultraandchat.transport import attempt as attempts
from ultraandchat.transport.attempt import Attempt, Candidates
from ultraandchat.transport.reach import Reach
from ultraandchat.transport.rtp.peer import Peer
from ultraandchat.transport.rtp.sdp import BadOffer
from ultraandchat.transport.webrtc_config import WebRtcConfig

SHORT = WebRtcConfig(connect_timeout_s=0.2, fallback_s=0.1)


@asynccontextmanager
async def trying(offer: str) -> AsyncIterator[Attempt]:
    peer = Peer("127.0.0.1", Reach())
    try:
        yield Attempt(peer, offer, Candidates(8), asyncio.get_running_loop().time)
    finally:
        await peer.aclose()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records]


@pytest.fixture(autouse=True)
def _follow(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ultraandchat.webrtc")


async def test_a_bad_offer_is_refused_and_written_down(caplog: pytest.LogCaptureFixture) -> None:
    async with trying("v=0\r\n") as attempt:
        with pytest.raises(BadOffer):
            await attempt.answered(SHORT)
        assert lines(caplog) == ["offer refused"]


async def test_an_answer_that_takes_too_long_is_given_up(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "ANSWER_S", 0.0)
    async with trying(recorded("chromium_voice")) as attempt:
        with pytest.raises(TimeoutError):
            await attempt.answered(SHORT)
        assert vars(caplog.records[0])["fields"] == {"reason": attempts.LATE}


async def test_nobody_at_the_other_end_is_no_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with trying(recorded("chromium_voice")) as attempt:
        await attempt.answered(SHORT)
        assert not await attempt.connected()
        assert attempt.ended() == "nothing connected in 0.2 s"
        assert lines(caplog) == ["path offered", "path not connected"]


async def test_a_caller_connects_and_leaves(caplog: pytest.LogCaptureFixture) -> None:
    caller = RtcCaller(None)  # type: ignore[arg-type]
    async with trying(await caller.offer()) as attempt:
        await caller.accepts(await attempt.answered(WebRtcConfig()))
        assert await attempt.connected()
        await caller.aclose()
        async with asyncio.timeout(20):
            await attempt.peer.over
        assert attempt.ended() == "the caller closed it"
        assert lines(caplog) == ["path offered", "path connected", "path lost"]
