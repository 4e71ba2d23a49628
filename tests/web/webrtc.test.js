import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Peer } from "../../src/ultraandchat/web/connection/webrtc.js";
import { FakePeer, install, SETTINGS, settled } from "./support/peer.js";

/** @type {any[]} */
let told;

const open = () => {
  const tell = (/** @type {string} */ what) => (/** @type {any} */ value) => told.push([what, value]);
  const listener = { send: tell("send"), stream: tell("stream"), carries: tell("carries"), measured: tell("measured"), lost: tell("lost") };
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

test("a server that does not answer in time makes it lost", async () => {
  const { peer, pc } = open();
  await peer.offer();
  await wait(2490);
  assert.ok(!kinds().includes("lost"));
  await wait(10);
  assert.match(told.at(-1)[1], /did not answer .* 2.5 s/);
  assert.ok(pc.closed);
});

test("sound has its time from the answer on", async () => {
  const { peer } = open();
  await peer.offer();
  await wait(2000);
  await peer.answer("the answer");
  await wait(2490);
  assert.ok(!kinds().includes("lost"));
  await wait(10);
  assert.match(told.at(-1)[1], /no sound came .* 2.5 s/);
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
  assert.equal(told.at(-1)[0], "lost");
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
  assert.match(told.at(-1)[1], /interrupted/);
});

test("a connection that failed is lost at once", async () => {
  const { pc } = await connected();
  pc.become("failed");
  assert.match(told.at(-1)[1], /failed/);
});

test("three seconds without a packet make it lost, whatever the connection believes", async () => {
  const { pc } = await connected();
  pc.arrived += 50;
  await wait(1000);
  await wait(3100);
  assert.match(told.at(-1)[1], /no sound .* 3 s/);
});

test("it tells nothing more after it was lost or closed", async () => {
  const { peer, pc } = await connected();
  peer.lose("enough");
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
