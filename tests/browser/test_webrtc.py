"""Sound over WebRTC in a real browser, and every way in which it comes to go over the WebSocket."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from bench.serving import Crowd, Serving
from tests.browser.conftest import PATIENCE_MS, Visit, say
from tests.support.speaking import listening, speak, spoken

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]

NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
"""As behind a firewall that lets nothing but TCP out: Chromium then has no address to offer."""

RECEIVED = 'ultraandchat_page_rtp_packets_total{what="received"}'

PEER = """async () => {
  const socket = new WebSocket(`ws://${location.host}/ws`);
  const taken = [];
  const waiting = [];
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") return;
    const message = JSON.parse(data);
    if (waiting.length) waiting.shift()(message);
    else taken.push(message);
  };
  const next = () => (taken.length ? taken.shift() : new Promise((take) => waiting.push(take)));
  const peer = async () => {
    const pc = new RTCPeerConnection();
    pc.addTransceiver("audio");
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== "complete") await new Promise((on) => setTimeout(on, 20));
    socket.send(JSON.stringify({ type: "offer", sdp: pc.localDescription.sdp }));
    return pc;
  };
  const packets = async (pc) => {
    for (const entry of (await pc.getStats()).values())
      if (entry.type === "inbound-rtp") return entry.packetsReceived;
    return 0;
  };
  const more = async (pc) => {
    const before = await packets(pc);
    while ((await packets(pc)) < before + 25) await new Promise((on) => setTimeout(on, 20));
    return pc.connectionState;
  };
  await new Promise((open) => (socket.onopen = open));
  const first = await peer();
  const answer = await next();
  await first.setRemoteDescription({ type: "answer", sdp: answer.sdp });
  const begun = await more(first);
  await peer();
  const second = await next();
  const after = await more(first);
  socket.close();
  return { answer: answer.type, begun, second, after };
}"""
"""A caller with two offers on one connection. Chromium gives it addresses: the page has a microphone."""


def reported(page: Visit, name: str) -> float:
    """A number of the last measurement; waits for it."""
    page.page.wait_for_selector(f"#path[data-{name}]")
    value = page.page.locator("#path").get_attribute(f"data-{name}")
    assert value is not None
    return float(value)


def until(page: Visit, true: Callable[[], bool]) -> None:
    for _ in range(PATIENCE_MS // 100):
        if true():
            return
        page.page.wait_for_timeout(100)
    raise AssertionError("it did not come true")


def network(page: Visit) -> Callable[[int], None]:
    """Lets Chromium lose that many of a hundred packets of the page's WebRTC, both ways.

    It asks at the opening of a socket whether there is such a network at all: a latency of 1 ms
    from the beginning makes that so.
    """
    session = page.page.context.new_cdp_session(page.page)
    session.send("Network.enable")

    def lose(percent: int) -> None:
        conditions = {"offline": False, "latency": 1, "packetLoss": percent}
        unlimited = {"downloadThroughput": -1, "uploadThroughput": -1}
        session.send("Network.emulateNetworkConditions", {**conditions, **unlimited})

    lose(0)
    return lose


def test_how_the_path_fares_is_shown_and_told_to_the_server(
    start: Start, browse: Browse, visit: Open
) -> None:
    server = start()
    with Crowd() as crowding:
        page = visit(browse(say(20.0)), server).talk().over("webrtc")
        page.page.locator("#details").click()
        first = reported(page, "received")
        until(page, lambda: reported(page, "received") >= first + 50)
        assert 0 <= reported(page, "rtt-ms") < 1000 * crowding()
        assert 0 <= reported(page, "jitter-ms") < 500 * crowding()
    assert reported(page, "lost") == 0
    until(page, lambda: server.metrics()[RECEIVED] >= first)
    shown = page.page.locator("#connection").inner_text()
    assert "WebRTC over UDP" in shown
    assert re.search(r"Connected in\n\d+.ms", shown)
    for name in ("Round trip", "Jitter", "Packets lost to here", "Filled in"):
        assert name in shown


def test_the_address_asks_for_the_websocket(start: Start, browse: Browse, visit: Open) -> None:
    server = start()
    page = visit(browse(), f"http://localhost:{server.port}/?transport=websocket")
    page.talk().over("websocket")
    assert "WebSocket" not in page.sentence("")  # it is as it was asked to be
    page.type("talk to me")
    page.heard()
    assert server.metrics().get(RECEIVED, 0) == 0


def test_a_network_without_udp_falls_back_in_time_and_says_so(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(None, NO_UDP), start("webrtc.tcp=off"), before=listening)
    page.page.wait_for_selector("#start:enabled")
    with Crowd() as crowding:
        clicked = time.perf_counter()
        page.talk().over("websocket")
        # 2.5 s, and what a busy machine adds.
        assert 2.5 <= time.perf_counter() - clicked < 8.0 * crowding()
    assert "no sound came over WebRTC within 2.5 s" in page.sentence("WebSocket now")
    speak(page.page, say("lj001_0008"))
    assert page.said()
    page.heard()


def test_a_relay_that_does_not_answer_falls_back(start: Start, browse: Browse, visit: Open) -> None:
    server = start(
        "webrtc.ice_transport_policy=relay",
        "webrtc.turn=turn:127.0.0.1:9?transport=udp",
        "webrtc.turn_username=nobody",
        "webrtc.turn_credential=nothing",
        "webrtc.fallback_s=1",
    )
    page = visit(browse(), server).talk().over("websocket")
    assert page.sentence("within 1 s")
    page.type("talk to me")
    page.heard()


def test_a_path_that_dies_in_mid_conversation_moves_to_the_websocket(
    start: Start, browse: Browse, visit: Open
) -> None:
    """Chromium drops every packet of the page's WebRTC from then on, as a network that fails."""
    server = start("engines.scripted.clauses=1", "engines.scripted.clause_s=2")
    page = visit(browse(), server, before=listening)
    lose = network(page)
    page.talk().over("webrtc")
    speak(page.page, say("lj001_0008"))
    page.heard()
    lose(100)
    page.over("websocket")
    assert page.sentence("Sound goes over a WebSocket now")
    speak(page.page, say("lj001_0002"))
    page.page.wait_for_selector('#captions li[data-who=agent][data-turn="2"]')
    page.heard()
    assert page.page.locator("html").get_attribute("data-phase") == "talking"


def test_a_server_without_webrtc_is_no_trouble(start: Start, browse: Browse, visit: Open) -> None:
    page = visit(browse(), start("webrtc.enabled=false")).talk().over("websocket")
    page.page.locator("#details").click()
    facts = page.page.locator("#connection")
    expect(facts).to_contain_text("this server offers no WebRTC", timeout=PATIENCE_MS)
    page.type("talk to me")
    page.heard()


def test_who_asks_for_webrtc_alone_is_told_why_there_is_none(
    start: Start, browse: Browse, visit: Open
) -> None:
    server = start("webrtc.enabled=false")
    page = visit(browse(), f"http://localhost:{server.port}/?transport=webrtc")
    page.page.locator("#start:enabled").click()
    assert "this server offers no WebRTC" in page.sentence("WebRTC alone")
    page.page.wait_for_selector("html[data-phase=ready]")


def test_what_a_muted_page_sends_is_silent_itself(
    start: Start, browse: Browse, visit: Open
) -> None:
    """The server is not told that it is muted: it would hear her if anything of her were sent."""
    page = visit(browse(), start(), before=listening)
    page.page.evaluate("""() => {
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        if (typeof data !== "string" || JSON.parse(data).type !== "mute") send.call(this, data);
      };
    }""")
    page.talk().over("webrtc")
    page.page.locator("#mute").click()
    page.state("muted")
    speak(page.page, say("lj001_0008", 2.0))
    spoken(page.page)
    assert page.turns() == 0
    page.page.locator("#mute").click()
    speak(page.page, say("lj001_0002"))
    page.page.wait_for_selector("#captions li[data-who=user]")


def test_a_second_offer_is_refused_and_the_first_path_lives(
    start: Start, browse: Browse, visit: Open
) -> None:
    page = visit(browse(say(20.0)), start()).talk()
    seen = page.page.evaluate(PEER)
    assert seen["answer"] == "answer"
    assert seen["begun"] == seen["after"] == "connected"
    assert (seen["second"]["type"], seen["second"].get("code")) == ("error", "bad_offer")
