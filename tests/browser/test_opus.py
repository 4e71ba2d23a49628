"""Sound on the WebSocket in a real browser: Opus by WebCodecs, and PCM16 where there is none or it fails."""

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, WebSocket

from bench.ear import RISE_HZ_PER_S, TONE_HZ, voice
from bench.serving import Serving
from tests.browser.conftest import Visit, over_and_over, say
from tests.browser.test_webrtc import until
from ultraandchat.transport.frames import SoundParser
from ultraandchat.transport.rtp.opus import find_opus
from ultraandchat.transport.wire import CODEC_OPUS, HEADER

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]

PCM_UP, PCM_DOWN = 648, 968
"""Bytes of 20 ms with the header."""

NO_WEBCODECS = "delete globalThis.AudioEncoder;"
FAILING_ENCODER = """
  const Real = globalThis.AudioEncoder;
  globalThis.AudioEncoder = class extends Real {
    constructor(ends) { super(ends); this.ends = ends; }
    encode(sound) {
      if (globalThis.worn && this.state !== "closed") {
        this.ends.error(new DOMException("worn out"));
        super.close();
      }
      if (this.state !== "closed") super.encode(sound);
    }
  };
"""
SILENT_ENCODER = """
  const encode = AudioEncoder.prototype.encode;
  AudioEncoder.prototype.encode = function (sound) { if (!globalThis.worn) encode.call(this, sound); };
"""
FAILING_DECODER = """
  const decode = AudioDecoder.prototype.decode;
  let given = 0;
  AudioDecoder.prototype.decode = function (chunk) {
    const junk = new EncodedAudioChunk({ type: "key", timestamp: chunk.timestamp, data: new Uint8Array([255, 255, 1, 2]) });
    decode.call(this, ++given === 50 ? junk : chunk);
  };
"""
RECORDER = """
  const heard = (globalThis.heard = []);
  const Node = globalThis.AudioWorkletNode;
  globalThis.AudioWorkletNode = class extends Node {
    constructor(context, name, options) {
      super(context, name, options);
      if (name === "playback") void this.record(context);
    }
    async record(context) {
      await context.audioWorklet.addModule(new URL("worklet/capture.js", document.baseURI));
      const ear = new Node(context, "capture", { channelCount: 1, channelCountMode: "explicit" });
      ear.port.onmessage = ({ data }) => heard.push(...data);
      this.connect(ear).connect(context.destination);
    }
  };
"""
"""What leaves the page's jitter buffer, through the microphone's worklet: PCM16 at 16 kHz."""

SOCKETS = """
  const Real = globalThis.WebSocket;
  const sockets = (globalThis.sockets = []);
  globalThis.WebSocket = class extends Real {
    constructor(...where) { super(...where); sockets.push(this); }
  };
"""


class Wire:
    """What goes over the page's WebSockets."""

    def __init__(self, script: str = "") -> None:
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.said: list[dict[str, Any]] = []
        """Messages of the page's."""
        self._script = script

    def __call__(self, page: Page) -> None:
        if self._script:
            page.add_init_script(f"{{{self._script}}}")
        page.on("websocket", self._watch)

    def _watch(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", lambda data: self._note(self.down, data))

    def _sent(self, data: str | bytes) -> None:
        if isinstance(data, str):
            self.said.append(json.loads(data))
        self._note(self.up, data)

    def counts(self) -> int:
        """How often the page told what its jitter buffer counted."""
        return sum(message["type"] == "playback" for message in self.said)

    @staticmethod
    def _note(into: list[bytes], data: str | bytes) -> None:
        if isinstance(data, bytes):
            into.append(data)


def only(server: Serving) -> str:
    return f"http://localhost:{server.port}/?transport=websocket"


def codecs(frames: list[bytes]) -> set[int]:
    return {data[1] for data in frames}


def codec(page: Visit, name: str) -> None:
    page.page.wait_for_selector(f'#path[data-codec="{name}"]')


def test_sound_on_the_websocket_is_opus_both_ways(
    demo: Serving, browse: Browse, visit: Open
) -> None:
    wire = Wire()
    page = visit(browse(over_and_over("goforward", 2.0)), only(demo), before=wire).talk()
    codec(page, "opus")
    assert page.said("go forward ten meters")
    assert "forward" in page.answer("Going").lower()
    page.heard()
    page.state("listening")
    assert codecs(wire.up[50:]) == codecs(wire.down) == {CODEC_OPUS}
    assert np.mean([len(data) for data in wire.up]) < PCM_UP / 4
    assert np.mean([len(data) for data in wire.down]) < PCM_DOWN / 4
    page.page.locator("#details").click()
    assert "WebSocket, Opus" in page.page.locator("#connection").inner_text()


def test_a_browser_without_webcodecs_speaks_and_hears_pcm(
    demo: Serving, browse: Browse, visit: Open
) -> None:
    wire = Wire(NO_WEBCODECS)
    page = visit(browse(over_and_over("goforward", 2.0)), only(demo), before=wire).talk()
    codec(page, "pcm16")
    assert page.said("go forward ten meters")
    page.heard()
    assert CODEC_OPUS not in codecs(wire.up) | codecs(wire.down)


@pytest.mark.parametrize("script", [FAILING_ENCODER, SILENT_ENCODER], ids=["fails", "is silent"])
def test_an_encoder_that_breaks_gives_way_to_pcm_and_she_is_heard(
    script: str, start: Start, browse: Browse, visit: Open
) -> None:
    wire = Wire(script)
    sound = over_and_over("lj001_0008", 12.0)
    page = visit(browse(sound), only(start()), before=wire).talk()
    codec(page, "opus")
    until(page, lambda: CODEC_OPUS in codecs(wire.up))
    page.page.evaluate("() => { globalThis.worn = true; }")
    codec(page, "pcm16")
    assert page.said()
    page.heard()
    assert CODEC_OPUS in codecs(wire.up)
    assert CODEC_OPUS not in codecs(wire.up[-50:]) | codecs(wire.down)
    page.page.locator("#details").click()
    page.page.locator("#log summary").click()
    page.page.wait_for_selector("#log-lines li:has-text('PCM16 now')")


def test_a_decoder_that_breaks_in_mid_reply_gives_way_to_pcm(
    start: Start, browse: Browse, visit: Open
) -> None:
    wire = Wire(FAILING_DECODER)
    server = start("engines.scripted.clauses=1", "engines.scripted.clause_s=6")
    page = visit(browse(), only(server), before=wire).talk()
    codec(page, "opus")
    page.type("talk to me")
    codec(page, "pcm16")
    until(page, lambda: codecs(wire.down[-50:]) == {2})  # the server obeys
    page.heard()
    page.silent()
    assert codecs(wire.down[:40]) == {CODEC_OPUS}
    assert codecs(wire.down[-50:]) == {2}


@pytest.mark.timeout(300)
def test_ten_seconds_are_heard_without_a_gap_or_a_click(
    start: Start, browse: Browse, visit: Open
) -> None:
    """What left the jitter buffer: the scripted tone, as even and as long as it was made.

    Whoever stands still for longer than the other has sound in store makes a gap, which is as it should be, and on
    a busy machine they do. So the page keeps a second here, and a reply in which server or page themselves count
    that they came too late, or the page that more came than it can store, shows nothing: another is asked for. A
    reply of which nothing was counted must be whole.
    """
    wire = Wire(RECORDER)

    def before(page: Page) -> None:
        wire(page)
        page.route("**/worklet/buffer.js", with_a_second_in_store)

    server = start("engines.scripted.clauses=1", "engines.scripted.clause_s=10")
    page = visit(browse(), only(server), before=before).talk()
    codec(page, "opus")
    page.page.locator("#details").click()  # where the page counts, too
    for _ in range(10):
        counted = came_too_late(server, page)
        page.page.evaluate("() => { heard.length = 0; }")
        page.type("talk to me")
        page.heard()
        page.page.wait_for_timeout(10_500)  # the time it speaks in
        page.state("listening").silent()
        counts_of_the_whole(page, wire)
        sound = np.array(page.page.evaluate("heard"), np.float32) / 32_768
        if came_too_late(server, page) == counted:
            assert_ten_seconds_of_tone(sound)
            return
    raise AssertionError("this machine was too busy for any of the replies")


def with_a_second_in_store(route: Route) -> None:
    """The page's own jitter buffer, with more patience; and what it throws away counts, too."""
    script = route.fetch().text()
    script, found = re.subn(r"(this\.left \+= surplus;)", r"\1 this.underruns += 1;", script)
    assert found == 1
    for name, ms in (("START", 1_000), ("MOST", 1_000), ("FULL", 1_900)):
        script, found = re.subn(rf"const {name}_MS = \d+;", f"const {name}_MS = {ms};", script)
        assert found == 1, name
    route.fulfill(body=script, content_type="text/javascript")


def counts_of_the_whole(page: Visit, wire: Wire) -> None:
    """The page counts once a second of its sound: the next but one count is of all that was."""
    told = wire.counts()
    until(page, lambda: wire.counts() > told + 1)


def came_too_late(server: Serving, page: Visit) -> tuple[float, str]:
    """How often so far, by the server's count and the page's."""
    late = 'ultraandchat_dropped_total{what="late frames"}'
    dry = page.page.locator("dt:has-text('Times it ran dry') + dd").text_content()
    return server.metrics().get(late, 0.0), dry or ""


def assert_ten_seconds_of_tone(sound: np.ndarray) -> None:
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    whole = sound[loud[0] : loud[-1] + 1]
    parts = whole[320:-640][: (len(whole) - 960) // 320 * 320].reshape(-1, 320)
    levels = np.sqrt(np.mean(np.square(parts), axis=1))
    steepest = 2 * np.pi * 440 / 16_000 * np.sqrt(2) * np.median(levels)
    assert len(whole) / 16_000 == pytest.approx(10.0, abs=0.05)
    assert np.min(levels) > 0.9 * np.max(levels)
    assert np.max(np.abs(np.diff(sound))) <= 1.3 * steepest


def test_what_the_page_sends_is_her_voice_without_a_gap(
    start: Start, browse: Browse, visit: Open
) -> None:
    """Ten seconds of it, decoded as the server does."""
    wire = Wire()
    spoken = say(6.0, "jfk", 1.0)  # by then the page has its conversation
    page = visit(browse(spoken), only(start()), before=wire).talk()
    codec(page, "opus")
    enough = 50 * len(spoken) // 16_000  # packets of 20 ms
    until(page, lambda: len(wire.up) > enough)
    packets = [data for data in wire.up if data[1] == CODEC_OPUS]
    positions = [HEADER.unpack_from(data)[3] for data in packets]
    assert {b - a for a, b in pairwise(positions)} == {960}
    parser = SoundParser(find_opus())
    heard = np.concatenate([parser.parse(data).samples for data in packets])
    loud = np.flatnonzero(np.abs(heard) > 0.02)
    hers = np.flatnonzero(np.abs(spoken) > 0.02 * 32_768)
    assert np.ptp(loud) / 16_000 == pytest.approx(np.ptp(hers) / 16_000, abs=0.1)


@pytest.mark.parametrize("script", ["", NO_WEBCODECS], ids=["Opus", "PCM16"])
def test_after_a_cut_the_reply_goes_on_from_what_was_heard(
    script: str, start: Start, browse: Browse, visit: Open
) -> None:
    """By the second of a rising tone; nothing twice, and nothing left out at the cut."""
    wire = Wire(RECORDER + SOCKETS + script)
    page = visit(browse(), only(start(*voice(6.0))), before=wire).talk()
    page.type("talk to me")
    page.heard()
    page.page.wait_for_timeout(2_000)
    cut_s = page.page.evaluate("() => { sockets.at(-1).close(); return heard.length; }") / 16_000
    page.page.wait_for_timeout(1_000)  # it is silent by then, or goes on
    page.heard()
    page.state("listening").silent()
    first, again = (said for said in wire.said if said["type"] == "hello")
    assert "heard" not in first
    ends = [HEADER.unpack_from(data)[3] * (1 if data[1] == CODEC_OPUS else 2) for data in wire.down]
    assert ends[0] + 48_000 < again["heard"] < ends[-1]
    instants, places = heard_places(np.array(page.page.evaluate("heard"), np.float32))
    assert places[0] < 0.2
    assert places[-1] > 5.8
    pauses = np.diff(instants)
    joint = np.flatnonzero((pauses > 0.15) & (instants[:-1] > cut_s - 0.1))[0]
    # Two windows and two fades lie between what is certain before and after it: 85 ms.
    assert 0.04 < places[joint + 1] - places[joint] < 0.13


def heard_places(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """When (s) which second of the rising tone was heard, each 10 ms, where it was at its full level.

    Opus itself swells the end of some tones that stop at once by up to a third for 5 ms (libopus 1.6 at 32 kbit/s,
    around 1 kHz), so the full level is the usual one, not the highest.
    """
    window, step = 1_024, 160
    parts = np.lib.stride_tricks.sliding_window_view(sound, window)[::step] / 32_768
    levels = np.sqrt(np.mean(np.square(parts.reshape(len(parts), 8, -1)), axis=2))
    usual = np.median(levels[levels > 0.1])
    full = np.flatnonzero(np.min(levels, axis=1) > 0.9 * usual)
    spectrum = np.abs(np.fft.rfft(parts[full] * np.hanning(window), 16 * window))
    hz = np.argmax(spectrum, axis=1) * 16_000 / (16 * window)
    return full * step / 16_000, (hz - TONE_HZ) / RISE_HZ_PER_S
