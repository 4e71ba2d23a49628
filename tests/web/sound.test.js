import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { FakePeer, install, SETTINGS, settled } from "./support/peer.js";

/** @import {Wishes} from "../../src/ultraandchat/web/connection/sound.js" */

/** @type {any[]} */
let told;
let copies = 0;

/** Each test has a page of its own, which has not failed yet. */
const page = async () => (await import(`../../src/ultraandchat/web/connection/sound.js?${copies++}`)).SoundPath;

/** @param {Partial<Wishes>} wishes @param {any} [SoundPath] */
const begin = async (wishes = {}, SoundPath) => {
  SoundPath ??= await page();
  const tell = (/** @type {string} */ what) => (/** @type {any} */ value) => told.push(value === undefined ? [what] : [what, value]);
  const ends = { send: tell("send"), tell: tell("tell"), voice: tell("voice"), decided: tell("decided"), impossible: tell("impossible") };
  const all = { transport: "auto", settings: SETTINGS, microphone: { kind: "audio" }, ...wishes };
  const path = new SoundPath(all, ends);
  path.open();
  await settled();
  return { path, pc: FakePeer.made.at(-1), SoundPath };
};

/** @param {Partial<Wishes>} [wishes] */
const carrying = async (wishes) => {
  const { path, pc } = await begin(wishes);
  path.take({ type: "answer", sdp: "the answer" });
  await settled();
  if (pc) pc.arrived = 1;
  mock.timers.tick(20);
  return { path, pc };
};

const decided = () => told.filter(([what]) => what === "decided").length;
const sent = () => told.filter(([what]) => what === "send").map(([, message]) => message);
const way = () => told.filter(([what, event]) => what === "tell" && event.type === "path").at(-1)?.[1];

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  told = [];
  install();
});

test("nothing begins before WebRTC has brought sound", async () => {
  const { path } = await begin();
  assert.equal(decided(), 0);
  assert.equal(path.overWebSocket, false);
});

test("WebRTC that carries is told to the server before the conversation begins", async () => {
  const { path } = await carrying();
  assert.deepEqual(sent().at(-1), { type: "use_path", path: "webrtc" });
  assert.deepEqual(told.at(-1), ["decided"]);
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

test("no sound in time goes over the WebSocket", async () => {
  const { path } = await begin();
  mock.timers.tick(2500);
  assert.equal(decided(), 1);
  assert.equal(way()?.failed, true);
  assert.equal(path.overWebSocket, true);
  assert.deepEqual(sent().at(-1), { type: "use_path", path: "websocket" });
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

test("after a failure the next attempts begin with the WebSocket", async () => {
  const { SoundPath } = await begin();
  mock.timers.tick(2500);
  await begin({}, SoundPath);
  assert.equal(decided(), 2);
  assert.match(way()?.why, /minutes ago/);
});

test("a path that carried before it was lost is tried again", async () => {
  const SoundPath = await page();
  const { path, pc } = await begin({}, SoundPath);
  path.take({ type: "answer", sdp: "the answer" });
  await settled();
  if (pc) pc.arrived = 1;
  mock.timers.tick(20);
  path.take({ type: "path_lost", text: "nothing came" });
  await begin({}, SoundPath);
  assert.equal(FakePeer.made.length, 2);
});

test("where WebRTC alone was asked for, there is no conversation without it", async () => {
  await begin({ transport: "webrtc" });
  mock.timers.tick(2500);
  assert.equal(decided(), 0);
  assert.match(told.at(-1)[1], /no sound came|did not answer/);
  await begin({ transport: "webrtc", settings: null });
  assert.deepEqual(told.at(-1), ["impossible", "WebRTC is switched off at this server"]);
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
  mock.timers.tick(1000);
  await settled();
  assert.equal(sent().at(-1).type, "stats");
  assert.equal(told.at(-1)[1].type, "link");
});

test("after the end nothing is told", async () => {
  const { path } = await carrying();
  path.close();
  const before = told.length;
  mock.timers.tick(60_000);
  await settled();
  assert.equal(told.length, before);
});
