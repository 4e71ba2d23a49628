"""From rung to rung in a real browser: what is tried, when sound moves, and what is told of it."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bench.serving import Serving
from tests.browser.conftest import Visit, say
from tests.browser.test_webrtc import NO_UDP, network, until

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]

NO_TCP = "webrtc.tcp=off"
LATE = """
  const take = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    const lines = sdp.split("\\r\\n");
    const addresses = lines.filter((line) => line.startsWith("a=candidate:"));
    const rest = lines.filter((line) => !addresses.includes(line)).join("\\r\\n");
    globalThis.release = () => {
      for (const line of addresses) this.addIceCandidate({ candidate: line.slice(2), sdpMLineIndex: 0 });
    };
    return take.call(this, { type, sdp: rest });
  };
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    const message = typeof data === "string" ? JSON.parse(data) : {};
    if (message.type === "ice-candidate") return;
    if (message.type === "offer") message.sdp = message.sdp.replace(/a=candidate:.*\\r\\n/g, "");
    send.call(this, typeof data === "string" ? JSON.stringify(message) : data);
  };
"""
"""The server's addresses reach the browser's ICE when the test releases them, and the browser's never the server."""


def way(page: Visit) -> str | None:
    return page.page.locator("html").get_attribute("data-path")


def details(page: Visit) -> None:
    page.page.locator("#details").click()
    page.page.locator("#log summary").click()


def test_a_server_without_any_way_for_webrtc_speaks_over_the_websocket_at_once(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(), start("webrtc.udp=off", NO_TCP))
    took_s: list[float] = []
    while len(took_s) < 3:  # the best of three: the machine may be busy
        page.page.wait_for_selector("#start:enabled")
        clicked = time.monotonic()
        page.talk().over("websocket")
        took_s.append(time.monotonic() - clicked)
        if took_s[-1] < 2.5:
            break
        page.page.locator("#end").click()
    assert min(took_s) < 2.5
    details(page)
    assert "webrtc.udp is off" in page.page.locator("#connection").inner_text()
    page.type("talk to me")
    page.heard()


def test_what_was_tried_in_vain_is_told_here_and_there_and_not_waited_for_again(
    start: Start, browse: Browse, visit: Open, tmp_path: Path
) -> None:
    """UDP is impossible and nothing else is offered: ten seconds, then it is given up."""
    page = visit(browse(say(30.0), NO_UDP), start(NO_TCP))
    details(page)
    page.talk().over("websocket")
    failed = re.compile(r"WebRTC failed after 1\d\.\d")  # 10 s, and what a busy machine adds
    page.page.locator("#log-lines li", has_text=failed).wait_for()
    assert "No pair of addresses could be tried" in page.page.locator("#connection").inner_text()
    until(page, lambda: "within 10 s" in (tmp_path / "server.log").read_text())
    page.page.locator("#end").click()
    page.talk().over("websocket")
    assert "in the last hour" in page.page.locator("#connection").inner_text()


def test_webrtc_that_connects_late_takes_over_at_the_end_of_the_turn(
    start: Start, browse: Browse, visit: Open
) -> None:
    # An attempt is given up after 10 s: it begins early in them to speak, and speaks for longer than they last.
    slow = ("engines.scripted.clauses=2", "engines.scripted.clause_s=6")
    server = start(*slow, "webrtc.fallback_s=0.5")
    page = visit(browse(say(30.0)), server, before=lambda page: page.add_init_script(LATE))
    details(page)
    page.talk().over("websocket")
    page.type("talk to me")
    page.heard()
    page.page.evaluate("() => globalThis.release()")
    page.page.locator("#log-lines li", has_text="carried sound after").wait_for()
    assert way(page) == "websocket", "the agent speaks"
    page.over("webrtc")
    assert page.page.locator("html").get_attribute("data-state") == "listening"
    assert page.page.locator("#captions li[data-who=agent][data-final=true]").count() == 1
    assert page.page.locator("#captions s.unheard").count() == 0
    page.type("and again")
    page.page.wait_for_selector('#captions li[data-who=agent][data-turn="2"]')
    page.heard()


def test_a_path_that_dies_comes_back_at_the_end_of_a_turn(
    start: Start, browse: Browse, visit: Open
) -> None:
    server = start(NO_TCP, "engines.scripted.clauses=2", "engines.scripted.clause_s=6")
    page = visit(browse(say(60.0)), server)
    lose = network(page)
    details(page)
    page.talk().over("webrtc")
    page.type("talk to me")
    page.heard()
    lose(100)
    page.over("websocket")
    lose(0)
    page.page.locator("#log-lines li", has_text="carried sound after").nth(1).wait_for()
    page.over("webrtc")
    assert "was lost" in page.page.locator("#connection").inner_text()
    assert page.page.locator("#captions s.unheard").count() == 0
    page.type("and again")
    page.heard()


def test_the_network_test_tells_of_each_rung(start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(), start())
    page.page.locator("#details").click()
    page.page.locator("#test-network:enabled").click()
    result = page.page.locator("#network-test[data-relay]")
    result.wait_for()
    page.page.wait_for_selector("#test-network:enabled")
    told = result.inner_text()
    assert re.search(r"WebSocket\nworks, in \d+", told)
    assert re.search(r"WebRTC over TCP\nworks, in \d+", told)
    assert re.search(r"WebRTC over UDP\nworks, in \d+", told)
    assert "not offered: webrtc.turn names no server" in told
    page.talk()
    assert page.page.locator("#test-network").is_disabled()


def test_the_network_test_says_what_is_blocked(start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(None, NO_UDP), start(NO_TCP))
    page.page.locator("#details").click()
    page.page.locator("#test-network:enabled").click()
    page.page.locator("#network-test[data-udp=silent]").wait_for()
    told = page.page.locator("#network-test").inner_text()
    assert "A firewall lets no UDP through" in told
    assert "webrtc.tcp is off" in told
