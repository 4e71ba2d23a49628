import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { SoundPath } from "../../src/ultraandchat/web/connection/sound.js";
import { pass, virtualTime } from "./support/clock.js";
import { FakePeer, install, SETTINGS, settled } from "./support/peer.js";

/** @import {Wishes} from "../../src/ultraandchat/web/connection/sound.js" */

/** @type {any[]} */
let told;

/** What the browser keeps for this host. @type {Map<string, string>} */
const host = new Map();

/** @param {Partial<Wishes>} wishes */
const begin = async (wishes = {}) => {
  const tell = (/** @type {string} */ what) => (/** @type {any} */ value) => told.push(value === undefined ? [what] : [what, value]);
  const ends = { send: tell("send"), tell: tell("tell"), voice: tell("voice"), decided: tell("decided"), impossible: tell("impossible") };
  const path = new SoundPath({ transport: "auto", settings: SETTINGS, microphone: /** @type {any} */ ({ kind: "audio" }), resuming: false, ...wishes }, ends);
  path.begin();
  await settled();
  return { path, pc: FakePeer.made.at(-1) };
};

/** @param {Partial<Wishes>} [wishes] */
const carrying = async (wishes) => {
  const { path, pc } = await begin(wishes);
  path.take({ type: "answer", sdp: "the answer" });
  await settled();
  if (pc) pc.arrived = 1;
  await pass(20);
  return { path, pc };
};

const decided = () => told.filter(([what]) => what === "decided").length;
const sent = () => told.filter(([what]) => what === "send").map(([, message]) => message);
const way = () => told.filter(([what, event]) => what === "tell" && event.type === "path").at(-1)?.[1];

beforeEach(() => {
  virtualTime();
  told = [];
  install();
  host.clear();
  Object.assign(globalThis, {
    localStorage: { getItem: (/** @type {string} */ key) => host.get(key) ?? null, setItem: (/** @type {string} */ key, /** @type {string} */ value) => host.set(key, value) },
  });
});

test("nothing begins before WebRTC has brought sound", async () => {
  const { path } = await begin();
  assert.equal(decided(), 0);
  assert.equal(path.overWebSocket, false);
});

test("WebRTC that carries is told to the server before the conversation begins", async () => {
  const { path } = await carrying();
  assert.deepEqual(sent().filter(({ type }) => type === "use_path"), [{ type: "use_path", path: "webrtc" }]);
  const order = told.map(([what, message]) => message?.type ?? what);
  assert.ok(order.indexOf("use_path") < order.indexOf("decided"));
  assert.deepEqual(way(), { type: "path", path: "webrtc", why: "", failed: false });
  assert.equal(path.overWebSocket, false);
});

test("without a try the conversation begins at once, over the WebSocket, with the reason", async () => {
  const { path } = await begin({ microphone: null });
  assert.equal(decided(), 1);
  assert.equal(path.overWebSocket, true);
  assert.deepEqual(way(), { type: "path", path: "websocket", why: "there is no microphone", failed: false });
  assert.equal(FakePeer.made.length, 0);
});

test("a refused offer goes over the WebSocket, with the server's words", async () => {
  const { path, pc } = await begin();
  path.take({ type: "error", code: "bad_offer", text: "the offer has no sound" });
  await settled();
  assert.equal(decided(), 1);
  assert.deepEqual(way(), { type: "path", path: "websocket", why: "the offer has no sound", failed: true });
  assert.ok(pc?.closed);
});

test("an error about something else changes nothing", async () => {
  const { path, pc } = await begin();
  path.take({ type: "error", code: "bad_message", text: "what?" });
  assert.equal(decided(), 0);
  assert.ok(!pc?.closed);
});

test("no sound in time goes over the WebSocket, and the attempt lives on", async () => {
  const { path, pc } = await begin();
  await pass(2500);
  assert.equal(decided(), 1);
  assert.equal(way()?.failed, true);
  assert.equal(path.overWebSocket, true);
  assert.ok(!pc?.closed);
  assert.ok(!sent().some(({ type }) => type === "use_path"), "that would end the attempt at the server");
});

test("sound that comes late moves up once nobody speaks", async () => {
  const { path, pc } = await begin();
  path.take({ type: "answer", sdp: "the answer" });
  await pass(3000);
  path.take(/** @type {any} */ ({ type: "welcome" }));
  path.take({ type: "state", state: "agent speaking", turn: 1 });
  if (pc) pc.arrived = 1;
  await pass(1000);
  assert.equal(way()?.path, "websocket");
  path.take({ type: "state", state: "listening", turn: 1 });
  await pass(400);
  assert.equal(way()?.path, "webrtc");
  assert.deepEqual(sent().filter(({ type }) => type === "use_path"), [{ type: "use_path", path: "webrtc" }]);
});

test("an attempt that is given up is ended here and at the server, told, and remembered", async () => {
  const { pc } = await begin();
  await pass(10_100);
  assert.ok(pc?.closed);
  assert.deepEqual(sent().filter(({ type }) => type === "use_path"), [{ type: "use_path", path: "websocket" }]);
  assert.equal(sent().find(({ type }) => type === "path_report")?.outcome, "failed");
  assert.equal(told.find(([, event]) => event?.type === "attempt")?.[1].report.outcome, "failed");
  assert.equal(decided(), 1);
  told = [];
  await begin();
  assert.equal(decided(), 1, "the next one begins at once");
  assert.match(way()?.why, /last hour/);
  assert.equal(sent().filter(({ type }) => type === "offer").length, 1, "and tries WebRTC beside it");
});

test("a rung that carried is remembered", async () => {
  await carrying();
  assert.equal(JSON.parse(host.get("rung") ?? "{}").late, false);
  assert.notEqual(JSON.parse(host.get("rung") ?? "{}").rung, "websocket");
});

test("who goes on with a conversation speaks over the WebSocket until WebRTC is there", async () => {
  const { path } = await begin({ resuming: true });
  assert.equal(decided(), 1);
  assert.equal(path.overWebSocket, true);
  assert.equal(sent()[0].type, "offer");
});

test("another network is another chance", async () => {
  const { path } = await begin();
  await pass(10_100);
  path.networkChanged();
  await pass(600);
  assert.equal(FakePeer.made.length, 2);
});

test("a path lost in the middle moves the sound, and the conversation goes on", async () => {
  const { path } = await carrying();
  path.take({ type: "path_lost", text: "nothing came" });
  assert.deepEqual(sent().at(-1), { type: "use_path", path: "websocket" });
  assert.equal(decided(), 1);
  assert.equal(path.overWebSocket, true);
  assert.deepEqual(way(), { type: "path", path: "websocket", why: "nothing came", failed: true });
  assert.ok(told.some(([what, voice]) => what === "voice" && voice === null));
});

test("a path that carried before it was lost is tried again, on the same connection", async () => {
  const { path } = await carrying();
  path.take({ type: "path_lost", text: "nothing came" });
  await pass(1100);
  assert.equal(FakePeer.made.length, 2);
  assert.equal(sent().filter(({ type }) => type === "offer").length, 2);
});

test("what was heard is known while WebRTC carries", async () => {
  const { path } = await carrying();
  assert.equal(path.heard(), 960);
  path.take({ type: "path_lost", text: "nothing came" });
  assert.equal(path.heard(), null);
});

test("where WebRTC alone was asked for, there is no conversation without it", async () => {
  await begin({ transport: "webrtc" });
  await pass(10_000);
  assert.equal(decided(), 0);
  assert.match(told.find(([what]) => what === "impossible")?.[1], /no sound came|did not answer/);
  await begin({ transport: "webrtc", settings: null });
  assert.deepEqual(told.at(-1), ["impossible", "this server offers no WebRTC"]);
});

test("a browser that refuses the settings is a browser without WebRTC", async () => {
  Object.assign(globalThis, {
    RTCPeerConnection: class {
      constructor() {
        throw new Error("bad configuration");
      }
    },
  });
  await begin();
  assert.equal(decided(), 1);
  assert.match(way()?.why, /refuses .* bad configuration/);
});

test("measurements go to the server and to the page", async () => {
  const { pc } = await carrying();
  if (pc) pc.arrived = 50;
  await pass(1000);
  assert.equal(sent().at(-1).type, "stats");
  assert.equal(told.at(-1)[1].type, "link");
});

test("after the end nothing is told", async () => {
  const { path } = await carrying();
  path.close();
  const before = told.length;
  await pass(60_000, 1000);
  assert.equal(told.length, before);
});
