import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Peer } from "../../src/ultraandchat/web/connection/webrtc.js";
import { FakePeer, install, SETTINGS, settled } from "./support/peer.js";

/** @type {any[]} */
let told;

const open = () => {
  const tell = (/** @type {string} */ what) => (/** @type {any} */ value) => told.push([what, value]);
  const listener = { send: tell("send"), stream: tell("stream"), carries: tell("carries"), measured: tell("measured"), lost: tell("lost"), answered: tell("answered"), reported: tell("reported") };
  const peer = new Peer(SETTINGS, /** @type {any} */ ({ kind: "audio" }), listener);
  return { peer, pc: FakePeer.made[0] };
};

/** Wait in steps, as measurements are asked for one after the other. @param {number} ms */
const wait = async (ms) => {
  for (let left = ms; left > 0; left -= 10) {
    mock.timers.tick(Math.min(10, left));
    await settled();
  }
};

const connected = async () => {
  const { peer, pc } = open();
  await peer.offer();
  await peer.answer("the answer");
  pc.arrived = 1;
  await wait(20);
  return { peer, pc };
};

const why = () => told.filter(([what]) => what === "lost").at(-1)?.[1];
const kinds = () => told.map(([what]) => what);

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  told = [];
  install();
});

test("it offers one voice in Opus, as the server set it up", async () => {
  const { peer, pc } = open();
  await peer.offer();
  assert.deepEqual(told, [["send", { type: "offer", sdp: "the offer" }]]);
  assert.deepEqual(pc.codecs, [{ mimeType: "audio/opus" }]);
  assert.equal(pc.configuration.iceCandidatePoolSize, 3);
  assert.equal(/** @type {any} */ (pc.configuration).fallback_ms, undefined);
});

test("addresses are told as they are found, and never that there are no more", () => {
  const { pc } = open();
  pc.onicecandidate({ candidate: { candidate: "candidate:1", sdpMid: "0", sdpMLineIndex: 0, usernameFragment: "u", port: 5 } });
  pc.onicecandidate({ candidate: { candidate: "" } });
  pc.onicecandidate({ candidate: null });
  const candidate = { candidate: "candidate:1", sdpMid: "0", sdpMLineIndex: 0, usernameFragment: "u" };
  assert.deepEqual(told, [["send", { type: "ice-candidate", candidate }]]);
});

test("it carries once sound has come, not once it is connected", async () => {
  const { peer, pc } = open();
  await peer.offer();
  await peer.answer("the answer");
  pc.become("connected");
  await wait(1000);
  assert.ok(!kinds().includes("carries"));
  pc.arrived = 1;
  await wait(20);
  await wait(500);
  assert.equal(kinds().filter((kind) => kind === "carries").length, 1);
});

test("that it was answered is told once the browser has taken the answer", async () => {
  const { peer } = open();
  await peer.offer();
  assert.ok(!kinds().includes("answered"));
  await peer.answer("the answer");
  assert.ok(kinds().includes("answered"));
});

test("how it went is told once it carries, and again once it is lost", async () => {
  const { pc } = await connected();
  const [chosen] = told.filter(([what]) => what === "reported").map(([, report]) => report);
  assert.equal(chosen.outcome, "chosen");
  pc.become("failed");
  await wait(10);
  assert.deepEqual(told.filter(([what]) => what === "reported").map(([, { outcome }]) => outcome), ["chosen", "lost"]);
  assert.ok(pc.closed, "closed once it has told");
});

test("an attempt that fails tells why, and is closed even if the browser says nothing of it", async () => {
  const { peer, pc } = open();
  await peer.offer();
  pc.getStats = () => new Promise(() => {});
  peer.lose("no sound came");
  assert.deepEqual(told.at(-1), ["lost", "no sound came"]);
  assert.ok(!pc.closed);
  await wait(500);
  assert.ok(pc.closed);
});

test("what was heard is the time of the packet that was played last", async () => {
  const { peer, pc } = open();
  assert.equal(peer.heard(), null);
  pc.arrived = 3;
  assert.equal(peer.heard(), 3 * 960);
  peer.close();
  assert.equal(peer.heard(), null);
});

test("what was proved in time is not lost later", async () => {
  const { pc } = await connected();
  for (let second = 0; second < 10; second++) {
    pc.arrived += 50;
    await wait(1000);
  }
  assert.ok(!kinds().includes("lost"));
  assert.equal(kinds().filter((kind) => kind === "measured").length, 10);
});

test("an answer that the browser does not take makes it lost", async () => {
  const { peer, pc } = open();
  pc.refusesAnswers = true;
  await peer.offer();
  await peer.answer("rubbish");
  assert.ok(kinds().includes("lost"));
});

test("an interruption of three seconds makes it lost, a shorter one does not", async () => {
  const { pc } = await connected();
  pc.become("disconnected");
  pc.arrived += 50;
  await wait(2900);
  pc.become("connected");
  pc.arrived += 50;
  await wait(2900);
  assert.ok(!kinds().includes("lost"));
  pc.become("disconnected");
  pc.arrived += 50;
  await wait(3000);
  assert.match(why(), /interrupted/);
});

test("a connection that failed is lost at once", async () => {
  const { pc } = await connected();
  pc.become("failed");
  assert.match(why(), /failed/);
});

test("three seconds without a packet make it lost, whatever the connection believes", async () => {
  const { pc } = await connected();
  pc.arrived += 50;
  await wait(1000);
  await wait(3100);
  assert.match(why(), /no sound .* 3 s/);
});

test("it tells nothing more after it was lost or closed", async () => {
  const { peer, pc } = await connected();
  peer.lose("enough");
  await wait(500); // the report of it
  const before = told.length;
  peer.lose("again");
  pc.become("failed");
  await peer.answer("late");
  await wait(10_000);
  assert.equal(told.length, before);
});

test("another microphone takes the place of the first", async () => {
  const { peer, pc } = await connected();
  peer.replace(null);
  peer.replace(/** @type {any} */ ("another"));
  assert.deepEqual(pc.replaced, [null, "another"]);
});
