import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Connection } from "../../src/ultraandchat/web/connection.js";
import { pass, virtualTime } from "./support/clock.js";
import { settled } from "./support/peer.js";
import { FakeSocket, installSocket } from "./support/socket.js";

/** @type {any[]} */
let told;
/** @type {number | null} */
let heard;
/** @type {Connection} */
let connection;

const sockets = FakeSocket.made;
const last = () => sockets[sockets.length - 1];
const kinds = () => told.map(({ type }) => type);
/** @param {any} [change] */
const welcome = (change) => ({ type: "welcome", session: "7f3a", resume: "first", resume_s: 60, resumed: false, ...change });

beforeEach(() => {
  virtualTime();
  installSocket();
  told = [];
  heard = null;
  const nothing = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
  Object.assign(globalThis, { sessionStorage: nothing, localStorage: nothing, BroadcastChannel: undefined });
  delete (/** @type {any} */ (globalThis).BroadcastChannel);
  const over = () => told.push({ type: "over" });
  connection = new Connection({
    address: async () => new URL("ws://localhost/ws"),
    hello: () => ({ type: "hello", protocol: 2 }),
    tell: (event) => told.push(event),
    sound: () => {},
    voice: () => {},
    ready: async () => {},
    wishes: () => ({ transport: "auto", settings: null, microphone: null }),
    standing: () => ({ microphone: false, muted: false }),
    heard: () => heard,
    hush: () => told.push({ type: "hush" }),
    over: /** @type {any} */ (over),
  });
});

const greeted = async () => {
  connection.open();
  await settled();
  last().open();
  await settled();
  return last();
};

const talking = async () => {
  const socket = await greeted();
  socket.say(welcome());
  return socket;
};

test("nothing is said before somebody wants to talk, whatever comes", async () => {
  connection.prepare();
  await settled();
  last().open();
  last().say({ type: "closing", reason: "timed_out", text: "nothing was heard" });
  assert.deepEqual(last().all("hello"), []);
  assert.deepEqual(kinds(), []);
});

test("who wants to talk says hello on the line that is there, once it is decided how sound goes", async () => {
  connection.prepare();
  await settled();
  const socket = last().open();
  connection.open();
  await settled();
  assert.deepEqual(socket.all("hello"), [{ type: "hello", protocol: 2 }]);
  assert.deepEqual(kinds(), ["connecting", "path"]);
  assert.equal(sockets.length, 1);
});

test("nothing goes out before the welcome", async () => {
  const socket = await greeted();
  assert.equal(connection.send({ type: "say", text: "too early" }), false);
  connection.sendSound(new Int16Array(320));
  assert.deepEqual(socket.all("say"), []);
  socket.say(welcome());
  assert.equal(connection.send({ type: "say", text: "now" }), true);
  assert.equal(socket.all("say").length, 1);
});

test("after a cut it goes on by itself from what was heard", async () => {
  const socket = await talking();
  heard = 96_000;
  socket.break();
  heard = null;
  assert.equal(kinds().at(-1), "lost");
  await pass(210);
  last().open();
  await settled();
  assert.deepEqual(last().all("hello"), [{ type: "hello", protocol: 2, resume: "first", heard: 96_000 }]);
  last().say(welcome({ resumed: true, resume: "second" }));
  assert.ok(!kinds().includes("not_resumed"));
});

test("what comes late of the reply is hushed where it comes again", async () => {
  const socket = await talking();
  await pass(2_100, 50); // no pong: a second line
  last().open();
  assert.ok(kinds().includes("hush"));
  assert.ok(!kinds().includes("lost"), "nothing was missing");
  assert.ok(socket.closed);
});

test("a conversation that could not go on is told so before the new one begins", async () => {
  (await talking()).break();
  await pass(210);
  last().open();
  await settled();
  last().say(welcome({ session: "other" }));
  assert.deepEqual(kinds().slice(-2), ["not_resumed", "welcome"]);
});

test("a server that is full is asked again when it said", async () => {
  const socket = await greeted();
  socket.say({ type: "closing", reason: "full", text: "as many as it bears", retry_after_s: 2 });
  socket.break();
  assert.equal(sockets.length, 1);
  await pass(2_050);
  assert.equal(sockets.length, 2);
  assert.ok(!kinds().includes("over"));
});

test("a server that is stopping is looked for", async () => {
  const socket = await talking();
  socket.say({ type: "closing", reason: "server_stopping", text: "the server is stopping", retry_after_s: null });
  await pass(250);
  assert.equal(sockets.length, 2);
});

test("what ended for good is over", async () => {
  for (const reason of ["timed_out", "protocol", "fault", "replaced"]) {
    told = [];
    const socket = await talking();
    socket.say({ type: "closing", reason, text: "it is over", retry_after_s: null });
    const before = sockets.length;
    await pass(20_000, 500);
    assert.equal(kinds().at(-1), "over", reason);
    assert.equal(sockets.length, before);
  }
});

test("hanging up says goodbye, and nothing after it", async () => {
  const socket = await talking();
  connection.end();
  assert.equal(socket.sent.at(-1).type, "bye");
  assert.ok(socket.closed);
  await pass(20_000, 500);
  assert.equal(sockets.length, 1);
});

test("a page that goes says nothing", async () => {
  const socket = await talking();
  connection.leave();
  assert.deepEqual(socket.all("bye"), []);
});

test("a server that does not welcome is asked on another line", async () => {
  const socket = await greeted();
  for (let second = 0; second < 10; second++) {
    socket.pong();
    await pass(1_000, 100);
  }
  await pass(500, 50);
  assert.ok(socket.closed);
  assert.equal(sockets.length, 2);
});
