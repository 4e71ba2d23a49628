"""One WebSocket: bad input answered, floods closed, slow peers bounded."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.opus_phone import OPUS, OpusPhone
from tests.support.serving import Phone, eventually, phone, phone_of
from tests.transport.contract import play, take, tone
from ultraandchat.audio.frame import PLAYOUT_RATE, AudioFrame
from ultraandchat.transport.base import CloseReason, ProtocolError
from ultraandchat.transport.limits import Limits
from ultraandchat.transport.voice import Coding
from ultraandchat.transport.websocket import WebSocketTransport
from ultraandchat.transport.wire import (
    HEADER,
    MAX_SOUND_BYTES,
    MAX_TEXT_BYTES,
    Closing,
    Error,
    Flush,
    Interrupt,
    Ping,
    Pong,
    UsePath,
)

Accepted = asyncio.Queue[WebSocketTransport]
CODING = Coding(OPUS, bitrate=32_000, complexity=2)


@asynccontextmanager
async def accepting(
    limits: Limits | None = None,
    refused: list[str] | None = None,
    coding: Coding | None = CODING,
) -> AsyncIterator[tuple[str, Accepted]]:
    """A server that turns every connection into a transport; the test is its session."""
    accepted: Accepted = asyncio.Queue(16)
    over = asyncio.Event()

    async def connect(request: web.Request) -> web.WebSocketResponse:
        transport = await WebSocketTransport.accept(
            request,
            limits or Limits(),
            heartbeat_s=15.0,
            refused=(refused if refused is not None else []).append,
            coding=coding,
        )
        await accepted.put(transport)
        async with asyncio.TaskGroup() as group:
            carrying = group.create_task(transport.run())
            await over.wait()
            await transport.aclose(CloseReason.SERVER_STOPPING)
            carrying.cancel()
        return transport.peer

    app = web.Application()
    app.router.add_get("/ws", connect)
    async with TestServer(app) as server:
        try:
            yield str(server.make_url("/")).rstrip("/"), accepted
        finally:
            over.set()


def sound(position: int = 0, samples: int = 320, odd: int = 0) -> bytes:
    return HEADER.pack(1, 1, 0, position) + b"\0" * (2 * samples + odd)


async def drain(transport: WebSocketTransport) -> ProtocolError | None:
    """Take everything until the connection ends; the error it ended with."""
    try:
        async for _ in transport.received():
            pass
    except ProtocolError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("junk", "code"),
    [
        ("{", "not_json"),
        ("[1, 2]", "bad_message"),
        ('{"type": "dance"}', "unknown_type"),
        ('{"type": "mute"}', "bad_message"),
        ('{"type": "mute", "muted": true, "more": 1}', "bad_message"),
        (b"\x00\x01", "bad_sound"),
        (b"\xff" * 100, "bad_sound"),
        (sound(odd=1), "bad_sound"),
    ],
)
async def test_what_is_not_understood_is_answered_and_the_caller_stays(
    junk: str | bytes, code: str
) -> None:
    refused: list[str] = []
    async with accepting(refused=refused) as (url, accepted), phone(url) as caller:
        transport = await accepted.get()
        if isinstance(junk, str):
            await caller.socket.send_str(junk)
        else:
            await caller.socket.send_bytes(junk)
        await caller.tells(Interrupt())
        assert await take(transport, 1) == [Interrupt()]
        error = await caller.until(Error)
        assert isinstance(error, Error)
        assert error.code == code
        assert refused == [code]


@pytest.mark.parametrize(
    "big", [b"\x01" * (MAX_SOUND_BYTES + 2), b"\x01" * 1_000_000, "x" * (MAX_TEXT_BYTES + 1)]
)
async def test_what_is_too_big_closes_with_1009(big: str | bytes) -> None:
    async with accepting() as (url, accepted), phone(url) as caller:
        transport = await accepted.get()
        async with asyncio.TaskGroup() as group:
            draining = group.create_task(drain(transport))
            with suppress(ConnectionError):
                if isinstance(big, str):
                    await caller.socket.send_str(big)
                else:
                    await caller.socket.send_bytes(big)
            assert await caller.until_closed() == 1009
            await draining
        assert transport.ended
        assert transport.ended[0] is CloseReason.PROTOCOL


async def flooded(caller: Phone, transport: WebSocketTransport, item: str | bytes) -> Closing:
    """The goodbye to a caller who sends `item` far too often: all at once, by a clock that stands still,
    as a machine may be too busy for a flood."""
    now = asyncio.get_running_loop().time()
    transport._clock = lambda: now
    async with asyncio.TaskGroup() as group:
        draining = group.create_task(drain(transport))
        with suppress(ConnectionError):
            for _ in range(1_500):
                if isinstance(item, str):
                    await caller.socket.send_str(item)
                else:
                    await caller.socket.send_bytes(item)
        assert await caller.until_closed() == 1008
        assert isinstance(await draining, ProtocolError)
    closing = caller.messages[-1]
    assert isinstance(closing, Closing)
    assert closing.reason == "protocol"
    return closing


async def test_a_flood_of_messages_is_closed_with_the_reason() -> None:
    async with accepting() as (url, accepted), phone(url) as caller:
        closing = await flooded(caller, await accepted.get(), '{"type":"interrupt"}')
        assert "too many messages" in closing.text


async def test_a_flood_of_sound_is_closed_with_the_reason() -> None:
    async with accepting() as (url, accepted), phone(url) as caller:
        closing = await flooded(caller, await accepted.get(), sound())
        assert "faster than real time" in closing.text


async def test_a_flood_of_junk_is_answered_a_few_times_and_closed() -> None:
    async with accepting() as (url, accepted), phone(url) as caller:
        closing = await flooded(caller, await accepted.get(), b"junk")
        assert "refused" in closing.text
        assert sum(isinstance(m, Error) for m in caller.messages) < 20


async def test_a_caller_who_says_nothing_is_closed() -> None:
    limits = Limits(idle_timeout_s=0.05)
    async with accepting(limits) as (url, accepted), phone(url) as caller:
        transport = await accepted.get()
        async with asyncio.TaskGroup() as group:
            group.create_task(drain(transport))
            assert await caller.until_closed() == 1008
        assert caller.messages == [Closing("timed_out", "nothing was heard from the caller")]


async def test_a_flush_takes_back_what_is_not_sent_yet() -> None:
    async with accepting() as (url, accepted), phone(url) as caller:
        transport = await accepted.get()
        play(transport, tone(0.2, PLAYOUT_RATE))
        transport.flush()
        transport.send(Pong(1))
        await caller.until(Pong)
        assert caller.messages == [Flush(), Pong(1)]
        assert len(caller.sound) == 0


async def test_a_reply_after_silence_begins_anew_at_its_position() -> None:
    async with accepting() as (url, accepted), phone(url) as caller:
        transport = await accepted.get()
        play(transport, tone(0.04, PLAYOUT_RATE), start=0)
        transport.silence(1_920)
        play(transport, tone(0.04, PLAYOUT_RATE), start=48_000)
        transport.silence(49_920)
        transport.send(Pong(1))
        await caller.until(Pong)
        starts = [b.position for a, b in pairwise(caller.frames) if b.position != a.end]
        assert starts == [24_000]


async def test_a_position_beyond_32_bits_wraps() -> None:
    async with accepting() as (url, accepted), phone(url) as caller:
        transport = await accepted.get()
        transport.play(AudioFrame(np.ones(960, np.float32), PLAYOUT_RATE, 2 * (2**32 + 480)))
        transport.send(Pong(1))
        await caller.until(Pong)
        assert caller.frames[0].position == 480


@asynccontextmanager
async def deaf_caller(url: str, says: str = "") -> AsyncIterator[None]:
    """Shakes hands on a small receive buffer, says one message, and then reads nothing."""
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        line.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(line, (host, int(port)))
        await loop.sock_sendall(
            line,
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        )
        if says:  # masked with zeros (RFC 6455 §5.3)
            head = bytes([0x81, 0x80 | len(says), 0, 0, 0, 0])
            await loop.sock_sendall(line, head + says.encode())
        yield


async def test_sound_for_a_caller_who_does_not_read_is_dropped_and_counted() -> None:
    async with accepting() as (url, accepted), deaf_caller(url):
        transport = await accepted.get()
        lost = 0
        for n in range(400):
            play(transport, tone(0.02, PLAYOUT_RATE), start=n * 960)
            await asyncio.sleep(0)
            lost += transport.dropped()
        assert lost > 100
        assert transport.stalled


async def test_a_caller_who_does_not_read_messages_is_cut_off() -> None:
    async with accepting() as (url, accepted), deaf_caller(url):
        transport = await accepted.get()
        async with asyncio.timeout(20):
            while not transport.ended:
                transport.send(Closing("x", "y" * 1_000))
                await asyncio.sleep(0)
        assert transport.ended == (CloseReason.PROTOCOL, "the caller reads too slowly")
        assert await drain(transport) is None


async def test_closing_a_caller_who_does_not_read_takes_no_longer_than_it_may() -> None:
    async with accepting() as (url, accepted), deaf_caller(url):
        transport = await accepted.get()
        for n in range(200):
            play(transport, tone(0.02, PLAYOUT_RATE), start=n * 960)
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            await transport.aclose(CloseReason.SERVER_STOPPING)
        assert transport.ended


async def test_a_caller_who_vanishes_ends_it_without_an_error() -> None:
    async with accepting() as (url, accepted), phone(url) as caller:
        transport = await accepted.get()
        await caller.tells(Ping(1))
        assert caller.socket._response.connection is not None
        transport_of_caller = caller.socket._response.connection.transport
        assert transport_of_caller is not None
        transport_of_caller.abort()
        assert await drain(transport) is None
        await eventually(lambda: transport.peer.closed)


# --- Opus --------------------------------------------------------------------------------------------


async def opus_asked(caller: OpusPhone, transport: WebSocketTransport) -> None:
    await caller.asks_for_opus()
    assert await take(transport, 1) == [UsePath("websocket", "opus")]


async def test_the_codec_changes_in_mid_reply_and_positions_go_on() -> None:
    async with accepting() as (url, accepted), phone_of(OpusPhone, url) as caller:
        transport = await accepted.get()
        whole = tone(0.4, PLAYOUT_RATE)
        play(transport, whole[:9_600])
        await opus_asked(caller, transport)
        play(transport, whole[9_600:14_400], start=9_600)
        await caller.tells(UsePath("websocket", "pcm16"))
        await take(transport, 1)
        play(transport, whole[14_400:], start=14_400)
        transport.silence(19_200)
        transport.send(Pong(1))
        await caller.until(Pong)
        rates = [frame.rate for frame in caller.frames]
        assert rates == sorted(rates[:10]) + rates[10:]  # PCM16, Opus, PCM16
        assert {24_000, 48_000} == set(rates)
        seconds = [(f.position / f.rate, f.end / f.rate) for f in caller.frames]
        gaps = [b[0] - a[1] for a, b in pairwise(seconds)]
        assert max(gaps) < 0.002  # what the resampler held when the codec changed


async def test_opus_is_at_its_position_modulo_32_bits() -> None:
    async with accepting() as (url, accepted), phone_of(OpusPhone, url) as caller:
        transport = await accepted.get()
        await opus_asked(caller, transport)
        transport.play(AudioFrame(tone(0.02, PLAYOUT_RATE), PLAYOUT_RATE, 2**32 + 960))
        transport.send(Pong(1))
        await caller.until(Pong)
        assert [frame.position for frame in caller.frames] == [960]


async def test_a_server_without_opus_says_so_and_goes_on_in_pcm() -> None:
    async with accepting(coding=None) as (url, accepted), phone_of(OpusPhone, url) as caller:
        transport = await accepted.get()
        await opus_asked(caller, transport)
        error = await caller.until(Error)
        assert isinstance(error, Error)
        assert (error.code, "PCM16" in error.text) == ("no_codec", True)
        play(transport, tone(0.02, PLAYOUT_RATE))
        transport.silence(960)
        transport.send(Pong(1))
        await caller.until(Pong)
        assert {frame.rate for frame in caller.frames} == {24_000}


async def test_a_flush_takes_back_opus_that_is_not_sent_yet_and_the_next_word_is_clean() -> None:
    async with accepting() as (url, accepted), phone_of(OpusPhone, url) as caller:
        transport = await accepted.get()
        await opus_asked(caller, transport)
        play(transport, tone(0.2, PLAYOUT_RATE, 3_000.0))
        transport.flush()
        play(transport, tone(0.2, PLAYOUT_RATE), start=48_000)
        transport.send(Pong(1))
        await caller.until(Pong)
        assert caller.frames[0].position == 48_000
        alone = OPUS.decoder(PLAYOUT_RATE)
        again = np.concatenate([alone.decode(packet) for packet in caller.packets])
        np.testing.assert_array_equal(caller.sound, again)


@pytest.mark.parametrize(
    "payload",
    [b"\xf8\xff\xfe", b"\xe0\xff\xfe", b"\xfb\x06" + b"\xff\xfe" * 6],
    ids=["20 ms", "2.5 ms", "120 ms"],
)
async def test_a_flood_of_packets_is_closed_whatever_they_hold(payload: bytes) -> None:
    async with accepting() as (url, accepted), phone(url) as caller:
        packet = HEADER.pack(1, 3, 0, 0) + payload
        closing = await flooded(caller, await accepted.get(), packet)
        assert "faster than real time" in closing.text


async def test_a_flood_of_packets_that_are_no_opus_is_closed() -> None:
    refused: list[str] = []
    async with accepting(refused=refused) as (url, accepted), phone(url) as caller:
        closing = await flooded(caller, await accepted.get(), HEADER.pack(1, 3, 0, 0) + b"\xff")
        assert "refused" in closing.text
        assert 0 < len(refused) < 200


async def test_little_opus_waits_below_for_a_caller_who_does_not_read() -> None:
    """What was handed to the socket cannot be taken back: it must be as little sound as with PCM16."""
    asks = '{"type":"use_path","path":"websocket","codec":"opus"}'
    async with accepting() as (url, accepted), deaf_caller(url, says=asks):
        transport = await accepted.get()
        await take(transport, 1)
        handed = 0
        for n in range(1_500):
            play(transport, tone(0.02, PLAYOUT_RATE), start=n * 960)
            await asyncio.sleep(0)
            handed += 1 - transport.dropped()
        assert handed < 150  # 3 s, of which most is in the receiver's own buffer
