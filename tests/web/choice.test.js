import assert from "node:assert/strict";
import { test } from "node:test";

import { asked, parsed, REMEMBERED_MS, whyLater, whyNot } from "../../src/ultraandchat/web/connection/choice.js";

/** @param {Partial<Parameters<typeof whyNot>[0]>} change */
const why = (change) =>
  whyNot({
    transport: "auto",
    settings: { iceServers: [], iceTransportPolicy: "all", iceCandidatePoolSize: 0, fallback_ms: 2500 },
    supported: true,
    microphone: true,
    ...change,
  });

test("the address is obeyed before the choice, and both before the habit", () => {
  assert.equal(asked("?transport=websocket", "webrtc"), "websocket");
  assert.equal(asked("?transport=auto", "websocket"), "auto");
  assert.equal(asked("", "websocket"), "websocket");
  assert.equal(asked("", null), "auto");
});

test("what is no transport is no wish", () => {
  assert.equal(asked("?transport=pigeon", "drum"), "auto");
});

test("WebRTC is tried unless something speaks against it, and that is said", () => {
  assert.equal(why({}), "");
  const reasons = [
    why({ transport: "websocket" }),
    why({ settings: null }),
    why({ supported: false }),
    why({ microphone: false }),
  ];
  assert.equal(new Set(reasons).size, reasons.length);
  assert.ok(!reasons.includes(""));
});

const NOW = 10 * REMEMBERED_MS;
/** @param {Partial<import("../../src/ultraandchat/web/connection/choice.js").Remembered>} change */
const after = (change) => whyLater({ resuming: false, remembered: { rung: "udp", late: false, at: NOW - 1, ...change } }, NOW);

test("WebRTC is waited for, unless it was seen to fail or to be late here in the last hour", () => {
  assert.equal(whyLater({ resuming: false, remembered: null }, NOW), "");
  assert.equal(after({}), "");
  assert.match(after({ rung: "websocket" }), /did not connect/);
  assert.match(after({ late: true }), /slow/);
  assert.equal(after({ rung: "websocket", at: NOW - REMEMBERED_MS }), "");
  assert.equal(after({ rung: "websocket", at: NOW + 1 }), "", "the clock was moved");
});

test("who goes on with a conversation does not wait", () => {
  assert.notEqual(whyLater({ resuming: true, remembered: null }, NOW), "");
});

test("what was remembered is read back, and what is none of ours is not", () => {
  assert.deepEqual(parsed('{"rung": "tcp", "late": true, "at": 5}'), { rung: "tcp", late: true, at: 5 });
  for (const text of [null, "", "{", "7", '{"rung": 1, "late": true, "at": 5}', '{"rung": "tcp"}']) assert.equal(parsed(text), null);
});
