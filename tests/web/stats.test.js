import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { measure, told } from "../../src/ultraandchat/web/stats.js";

/** What Chromium 156 said after four seconds on a loopback interface. @returns {[string, any][]} */
const chromium = () => {
  const path = new URL("data/chromium-getstats.json", import.meta.url);
  return JSON.parse(readFileSync(path, "utf8")).map((/** @type {any} */ entry) => [entry.id, entry]);
};

/** @param {Record<string, Record<string, unknown>>} changes by type */
const changed = (changes) =>
  chromium().map(([id, entry]) => /** @type {[string, any]} */ ([id, { ...entry, ...changes[entry.type] }]));

test("Chromium's report becomes numbers", () => {
  const { delaySum, emitted, bufferedMs, ...link } = measure(chromium(), null);
  assert.deepEqual(link, {
    protocol: "UDP",
    relayed: false,
    rttMs: 1,
    jitterMs: 9,
    received: 210,
    lost: 0,
    concealedMs: 27.5,
    concealedNowMs: 27.5,
    sent: 212,
    lostThere: 0,
  });
  assert.equal(bufferedMs, delaySum / emitted);
  assert.ok(32 < bufferedMs && bufferedMs < 33);
});

test("what waits and what is filled in are told of the time since the last measurement", () => {
  const before = measure(chromium(), null);
  const inbound = { concealedSamples: 1320 + 480, jitterBufferDelay: 6585.6 + 48_000 * 0.1, jitterBufferEmittedCount: 200_640 + 48_000 };
  const link = measure(changed({ "inbound-rtp": inbound }), before);
  assert.equal(link.concealedNowMs, 10);
  assert.ok(Math.abs(link.bufferedMs - 100) < 0.01);
});

test("nothing is known before anything came", () => {
  const link = measure([], null);
  assert.equal(link.received, 0);
  assert.equal(link.rttMs, null);
  assert.equal(link.lostThere, null);
  assert.equal(link.bufferedMs, 0);
  assert.equal(link.protocol, "");
});

test("packets that came twice are no negative loss", () => {
  const twice = { packetsLost: -2 };
  const link = measure(changed({ "inbound-rtp": twice, "remote-inbound-rtp": twice }), null);
  assert.equal(link.lost, 0);
  assert.equal(link.lostThere, 0);
});

test("the round trip is the way's own until the server has reported one", () => {
  const link = measure(changed({ "remote-inbound-rtp": { roundTripTime: undefined }, "candidate-pair": { currentRoundTripTime: 0.04 } }), null);
  assert.equal(link.rttMs, 40);
});

test("a relay is told, and so is the protocol", () => {
  const link = measure(changed({ "local-candidate": { candidateType: "relay", protocol: "tcp" } }), null);
  assert.equal(link.relayed, true);
  assert.equal(link.protocol, "TCP");
});

test("a browser that names no transport marks the pair itself", () => {
  const marked = changed({ "candidate-pair": { selected: true } }).filter(([, { type }]) => type !== "transport");
  assert.equal(measure(marked, null).protocol, "UDP");
  const nominated = chromium().filter(([, { type }]) => type !== "transport");
  assert.equal(measure(nominated, null).protocol, "UDP");
});

test("the server is told what its message has", () => {
  assert.deepEqual(told(measure(chromium(), null)), {
    type: "stats",
    rtt_ms: 1,
    jitter_ms: 9,
    received: 210,
    lost: 0,
    concealed_ms: 27.5,
    buffered_ms: measure(chromium(), null).bufferedMs,
  });
});
