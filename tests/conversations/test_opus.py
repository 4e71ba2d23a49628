"""A conversation in Opus over `/ws` on the real server: heard, answered, offered only where it is."""

from itertools import pairwise

import aiohttp
import numpy as np
import pytest

from tests.support.opus_phone import OpusPhone
from tests.support.serving import phone, phone_of, serving
from tests.transport.contract import tone
from ultraandchat.audio.frame import HEARING_RATE, Samples
from ultraandchat.server import app
from ultraandchat.transport.rtp.opus import Opus, OpusUnavailable
from ultraandchat.transport.wire import ReplyDone, Say

QUICK = "turn.endpoint_ms=200"
REPLY_S = 0.4

with_and_without_webrtc = pytest.mark.parametrize(
    "settings", [(), ("webrtc.enabled=false",)], ids=["beside WebRTC", "without WebRTC"]
)


def words(seconds: float = 0.5) -> Samples:
    """A voice, and the silence that ends its turn."""
    return np.concatenate([tone(seconds, HEARING_RATE), np.zeros(HEARING_RATE, np.float32)])


async def codecs(url: str) -> list[str]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/config.json") as answer:
        found: list[str] = (await answer.json())["websocket"]["codecs"]
        return found


@with_and_without_webrtc
async def test_a_turn_spoken_in_opus_is_answered_in_opus(settings: tuple[str, ...]) -> None:
    async with (
        serving(QUICK, *settings) as server,
        phone_of(OpusPhone, server.url) as caller,
    ):
        assert await codecs(server.url) == ["opus", "pcm16"]
        await caller.asks_for_opus()
        await caller.begins()
        await caller.speaks(words())
        done = await caller.until(ReplyDone)
        assert isinstance(done, ReplyDone)
        assert (bool(done.heard), done.cut) == (True, False)
        assert {frame.rate for frame in caller.frames} == {caller.rate}
        # A machine that is held up makes pauses, and each has the end of the sound before in a packet.
        assert len(caller.sound) / caller.rate == pytest.approx(REPLY_S, abs=0.15)
        assert np.max(np.abs(caller.sound)) > 0.1
        steps = [b.position - a.position for a, b in pairwise(caller.frames)]
        assert all(step > 0 and step % 960 == 0 for step in steps)


@with_and_without_webrtc
async def test_who_asks_for_nothing_hears_pcm_and_may_speak_either(
    settings: tuple[str, ...],
) -> None:
    async with (
        serving(QUICK, *settings) as server,
        phone_of(OpusPhone, server.url) as caller,
    ):
        await caller.begins()
        await caller.speaks(words())
        assert isinstance(await caller.until(ReplyDone), ReplyDone)
        assert {frame.rate for frame in caller.frames} == {24_000}


async def test_a_server_without_opus_offers_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Opus:
        raise OpusUnavailable("none here")

    monkeypatch.setattr(app, "find_opus", nowhere)
    async with serving("webrtc.enabled=false") as server, phone(server.url) as caller:
        assert await codecs(server.url) == ["pcm16"]
        await caller.begins()
        await caller.tells(Say("hello"))
        await caller.until(ReplyDone)
        assert len(caller.sound) / caller.rate == pytest.approx(REPLY_S, abs=0.05)
