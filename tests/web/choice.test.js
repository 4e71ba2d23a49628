import assert from "node:assert/strict";
import { test } from "node:test";

import { asked, REMEMBERED_MS, whyNot } from "../../src/ultraandchat/web/connection/choice.js";

/** @param {Partial<Parameters<typeof whyNot>[0]>} change */
const why = (change) =>
  whyNot({
    transport: "auto",
    settings: { iceServers: [], iceTransportPolicy: "all", iceCandidatePoolSize: 0, fallback_ms: 2500 },
    supported: true,
    microphone: true,
    failedAgoMs: Infinity,
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
    why({ failedAgoMs: REMEMBERED_MS - 1 }),
  ];
  assert.equal(new Set(reasons).size, reasons.length);
  assert.ok(!reasons.includes(""));
});

test("a failure is remembered for minutes, and not where WebRTC was asked for", () => {
  assert.equal(why({ failedAgoMs: REMEMBERED_MS }), "");
  assert.equal(why({ failedAgoMs: 0, transport: "webrtc" }), "");
});
