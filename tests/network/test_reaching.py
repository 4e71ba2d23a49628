"""Which way the sound takes on each kind of network, by itself."""

import asyncio
from pathlib import Path

import pytest
from playwright.sync_api import Page

from bench.ear import Heard, voice
from bench.network import MAPPED, MAPPED6, Network
from bench.serving import Crowd
from bench.visiting import ADDRESS, ADDRESS6, PATIENCE_MS, begun, click, hear, microphone
from tests.network.conftest import PATIENT, Browse, Open, Start
from tests.network.firefox import firefox

pytestmark = pytest.mark.network

REPLY_S = 2.0
SPEAKS = (3.0, *(("lj001_0008", 10.0) * 3))
"""Who was not listened to yet, on a busy machine, says it again."""
SAID = "#captions li[data-who=user][data-final=true]"


def is_whole(heard: Heard, crowding: Crowd) -> None:
    """Nothing of the reply is missing, and nothing came twice; a browser that gets too little of the
    processor loses some."""
    assert heard.lost_s() < 0.15 * crowding()
    assert heard.repeated_s() < 0.15 * crowding()


def has_a_whole_turn(page: Page, crowding: Crowd) -> None:
    """The user is heard, and so is the whole answer."""
    page.wait_for_selector(SAID)
    is_whole(hear(page, lambda heard: heard.over(REPLY_S)), crowding)


def test_where_one_tcp_port_is_left_media_goes_through_it(
    net: Network, start: Start, browse: Browse, visit: Open, crowding: Crowd
) -> None:
    """It has another number outside, and neither side sees the other's address."""
    net.let_through(ice_tcp=True)
    start(*voice(REPLY_S), *MAPPED, *PATIENT)
    page = visit(browse(*SPEAKS))
    click(page)
    path, seconds = begun(page)
    assert path == "webrtc"
    assert seconds < 1.5 * crowding()
    page.locator("#details").click()
    page.locator("#connection", has_text="TCP").wait_for()
    has_a_whole_turn(page, crowding)


def test_the_same_over_ipv6(
    net: Network, start: Start, browse: Browse, visit: Open, crowding: Crowd
) -> None:
    net.let_through(ice_tcp=True)
    start(*voice(REPLY_S), *MAPPED6, *PATIENT, ipv6=True)
    page = visit(browse(*SPEAKS), ADDRESS6)
    click(page)
    path, seconds = begun(page)
    assert path == "webrtc"
    assert seconds < 1.5 * crowding()
    has_a_whole_turn(page, crowding)


async def test_the_same_in_firefox(
    net: Network, start: Start, tmp_path: Path, crowding: Crowd
) -> None:
    net.let_through(ice_tcp=True)
    start(*voice(REPLY_S), *MAPPED, *PATIENT)
    sound = microphone(tmp_path / "microphone.wav", *SPEAKS)
    with net.client.entered():
        async with firefox(tmp_path, sound) as window:
            await window.open(ADDRESS)
            await window.until("document.querySelector('#start:enabled') !== null")
            await window.evaluate("document.getElementById('start').click()")
            await window.until(f"document.querySelector({SAID!r}) !== null")
            async with asyncio.timeout(PATIENCE_MS / 1000):
                while not (heard := Heard.of(ear := await window.evaluate("window.ear"))).over(
                    REPLY_S
                ):
                    await asyncio.sleep(0.1)
            is_whole(heard, crowding)
            assert [change["path"] for change in ear["paths"]] == ["webrtc"]


def test_where_only_http_is_left_sound_goes_over_the_websocket_by_itself(
    start: Start, browse: Browse, visit: Open, crowding: Crowd
) -> None:
    start(*voice(REPLY_S))
    page = visit(browse(*SPEAKS))
    click(page)
    path, seconds = begun(page)
    assert path == "websocket"
    assert seconds < 4.0 * crowding()
    has_a_whole_turn(page, crowding)


def test_where_udp_works_udp_is_chosen(
    net: Network, start: Start, browse: Browse, visit: Open, crowding: Crowd
) -> None:
    net.let_through(udp=True)
    start(*voice(REPLY_S), *PATIENT)
    page = visit(browse(*SPEAKS))
    click(page)
    path, seconds = begun(page)
    assert path == "webrtc"
    assert seconds < 4.0 * crowding()
    page.locator("#details").click()
    page.locator("#connection", has_text="UDP").wait_for()
    has_a_whole_turn(page, crowding)
