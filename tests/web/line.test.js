import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { BACK_OFF_MS, Line, LOBBY_MS, OPENING_MS } from "../../src/ultraandchat/web/connection/line.js";
import { LOBBY_PING_MS, PATIENCE_MS, PING_MS } from "../../src/ultraandchat/web/connection/liveness.js";
import { pass, virtualTime } from "./support/clock.js";
import { settled } from "./support/peer.js";
import { FakeSocket, installSocket } from "./support/socket.js";

/** @type {any[]} */
let told;
/** @type {Line} */
let line;

const sockets = FakeSocket.made;
const last = () => sockets[sockets.length - 1];
const kinds = () => told.map(([what]) => what).filter((what) => what !== "message");

beforeEach(() => {
  virtualTime();
  installSocket();
  told = [];
  const tell = (/** @type {string} */ what) => (/** @type {any} */ value) => void told.push([what, value]);
  line = new Line({
    address: async () => new URL("ws://localhost/ws"),
    opened: tell("opened"),
    message: tell("message"),
    sound: tell("sound"),
    lost: tell("lost"),
    waiting: tell("waiting"),
    remark: tell("remark"),
    refused: tell("refused"),
  });
});

const talking = async () => {
  line.need();
  await settled();
  return last().open();
};

/** The server answers every ping for so long. @param {FakeSocket} socket @param {number} ms */
const answering = async (socket, ms) => {
  for (let left = ms; left > 0; left -= 100) {
    if (socket.all("ping").length) socket.pong();
    await pass(100, 50);
  }
};

test("a line is there before anybody talks, and says nothing but pings", async () => {
  line.keep();
  await settled();
  const socket = last().open();
  await answering(socket, LOBBY_MS - 1_000);
  assert.deepEqual(kinds(), []);
  assert.equal(sockets.length, 1);
  const pings = socket.all("ping").length;
  assert.ok(pings >= LOBBY_MS / LOBBY_PING_MS - 1 && pings <= LOBBY_MS / LOBBY_PING_MS + 1, `${pings} pings`);
});

test("a page on which nobody starts lets its line go", async () => {
  line.keep();
  await settled();
  const socket = last().open();
  await answering(socket, LOBBY_MS + 100);
  assert.ok(socket.closed);
  assert.deepEqual(kinds(), []);
});

test("a server that closes the lobby is no trouble; the start opens another line", async () => {
  line.keep();
  await settled();
  last().open().break();
  await pass(60_000, 1_000);
  assert.equal(sockets.length, 1);
  await talking();
  assert.equal(sockets.length, 2);
  assert.deepEqual(kinds(), ["opened"]);
});

test("a conversation takes the line that is there", async () => {
  line.keep();
  await settled();
  last().open();
  line.need();
  assert.deepEqual(kinds(), ["opened"]);
  assert.equal(sockets.length, 1);
});

test("a cut is answered with attempts that come quickly at first", async () => {
  (await talking()).break();
  assert.deepEqual(kinds(), ["opened", "lost"]);
  for (const [index, pause] of BACK_OFF_MS.slice(0, 3).entries()) {
    await pass(pause - 10);
    assert.equal(sockets.length, 1 + index, `not before ${pause} ms`);
    await pass(20);
    assert.equal(sockets.length, 2 + index);
    last().break();
  }
  await pass(BACK_OFF_MS[3] + 20);
  last().open();
  assert.equal(kinds().at(-1), "opened");
});

test("waits of a second and more are counted down", async () => {
  (await talking()).break();
  for (const pause of BACK_OFF_MS.slice(0, 3)) {
    await pass(pause + 10);
    last().break();
  }
  await pass(2_000);
  const waits = told.filter(([what]) => what === "waiting").map(([, seconds]) => seconds);
  assert.deepEqual(waits, [1, 2, 1]);
});

test("an attempt that hangs is given up for a new one", async () => {
  line.need();
  await settled();
  await pass(OPENING_MS[0] + BACK_OFF_MS[0] + 20);
  assert.equal(sockets.length, 2);
  assert.ok(sockets[0].closed);
  sockets[0].open(); // too late
  assert.ok(!kinds().includes("opened"));
  last().open();
  assert.ok(kinds().includes("opened"));
});

test("a doubted line stays until another is open", async () => {
  const first = await talking();
  await pass(PATIENCE_MS + 50);
  assert.equal(sockets.length, 2);
  assert.ok(!first.closed);
  last().open();
  assert.ok(first.closed);
  assert.deepEqual(kinds().filter((what) => what !== "remark"), ["opened", "opened"]);
});

test("a doubted line that answers after all stays, and the other one goes", async () => {
  const first = await talking();
  await pass(PATIENCE_MS + 50);
  first.pong();
  assert.ok(last().closed);
  last().open();
  await answering(first, 5_000);
  assert.equal(sockets.length, 2);
  assert.deepEqual(kinds().filter((what) => what !== "remark"), ["opened"]);
});

test("what a replaced line still says is not heard", async () => {
  const first = await talking();
  await pass(PATIENCE_MS + 50);
  last().open();
  first.say({ type: "closing", reason: "replaced", text: "" });
  assert.ok(!told.some(([what]) => what === "message"));
});

test("an attempt beside a doubted line is made again and again", async () => {
  await talking();
  await pass(PATIENCE_MS + 50);
  await pass(OPENING_MS[0] + BACK_OFF_MS[0] + 50);
  assert.equal(sockets.length, 3);
  assert.ok(!kinds().includes("lost"));
});

test("news of the network cuts the wait short", async () => {
  (await talking()).break();
  for (const pause of BACK_OFF_MS) {
    await pass(pause + 50);
    last().break();
  }
  const before = sockets.length;
  line.suspect(true);
  await settled();
  assert.equal(sockets.length, before + 1);
});

test("pings are numbered and tell the round trip before", async () => {
  const socket = await talking();
  await pass(30);
  socket.pong();
  await pass(PING_MS);
  const [one, two] = socket.all("ping");
  assert.equal(one.rtt_ms, null);
  assert.equal(two.rtt_ms, 30);
  assert.notEqual(one.id, two.id);
});

test("who may not come in is told why, and nothing is tried again", async () => {
  const refused = new Line({
    .../** @type {any} */ (line).ends,
    address: async () => {
      throw new Error("a token is needed");
    },
  });
  refused.need();
  await pass(60_000, 1_000);
  assert.equal(sockets.length, 0);
  assert.match(String(told[0]), /refused.*token/);
});

test("after the rest nothing happens", async () => {
  const socket = await talking();
  line.rest();
  assert.ok(socket.closed);
  const before = told.length;
  await pass(60_000, 1_000);
  assert.equal(told.length, before);
  assert.equal(sockets.length, 1);
});
