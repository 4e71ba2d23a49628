import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { goes, probe, withCandidates } from "../../src/ultraandchat/web/connection/probe.js";
import { probedLine } from "../../src/ultraandchat/web/rungs.js";
import { pass, virtualTime } from "./support/clock.js";
import { SETTINGS, settled } from "./support/peer.js";
import { FakeSocket, installSocket } from "./support/socket.js";

const UDP = "a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host";
const TCP = "a=candidate:2 1 tcp 1520435199 192.0.2.7 6000 typ host tcptype passive";
const SDP = ["v=0", UDP, TCP, "a=mid:0", ""].join("\r\n");

/** @type {any[]} */
let told;

beforeEach(() => {
  virtualTime();
  installSocket();
  FakeSocket.prototype.addEventListener = function (/** @type {any} */ _type, /** @type {any} */ take) {
    this.onmessage = take;
  };
  told = [];
});

/** @param {any} [change] */
const begin = (change) =>
  probe({
    address: async () => new URL("ws://localhost/ws"),
    settings: null,
    rungs: undefined,
    tell: (probed) => told.push([probed.kind, probed.outcome, probed.why]),
    ...change,
  });

test("the addresses of one rung are left, and nothing else is touched", () => {
  assert.equal(withCandidates(SDP, (line) => goes(line, "tcp")), ["v=0", TCP, "a=mid:0", ""].join("\r\n"));
  assert.equal(withCandidates(SDP, (line) => goes(line, "udp")), ["v=0", UDP, "a=mid:0", ""].join("\r\n"));
  assert.equal(withCandidates(SDP, (line) => goes(line, "relay")), SDP);
});

test("a WebSocket that answers works, and without WebRTC the rest is not offered", async () => {
  const running = begin();
  await pass(40);
  FakeSocket.made[0].open();
  await settled();
  await pass(30);
  FakeSocket.made[0].say({ type: "pong", id: 1 });
  await running;
  assert.deepEqual(told.map(([kind, outcome]) => `${kind} ${outcome}`), [
    "websocket offered",
    "websocket works",
    "tcp missing",
    "udp missing",
    "relay missing",
  ]);
  assert.ok(FakeSocket.made[0].closed);
});

test("what does not answer in time is told, and the next one is tried", async () => {
  const running = begin();
  await pass(6_100, 100);
  await running;
  assert.deepEqual(told[1].slice(0, 2), ["websocket", "silent"]);
  assert.ok(FakeSocket.made[0].closed);
});

test("the server's own words say why a rung is not offered", async () => {
  const running = begin({
    settings: SETTINGS,
    rungs: { udp: false, ice_tcp: null, turn: false, why: { udp: "pods take none", ice_tcp: "no port leads here", turn: "none is named" } },
  });
  Object.assign(globalThis, { RTCPeerConnection: class {} });
  await pass(6_100, 100);
  await running;
  assert.deepEqual(told.slice(2), [
    ["tcp", "missing", "no port leads here"],
    ["udp", "missing", "pods take none"],
    ["relay", "missing", "none is named"],
  ]);
});

test("each outcome is a line that says what to change", () => {
  const line = (/** @type {any} */ change) => probedLine({ kind: "tcp", outcome: "works", ms: 34, why: "", ...change });
  assert.equal(line({}), "works, in 34\u00a0ms");
  assert.equal(line({ outcome: "offered" }), "trying …");
  assert.equal(line({ outcome: "missing", why: "no port leads here" }), "not offered: no port leads here.");
  assert.match(line({ outcome: "silent" }), /^no answer\. .*webrtc.tcp_announce/);
  assert.match(line({ kind: "relay", outcome: "silent", why: "error 401: Unauthorized" }), /error 401.*password/);
});
