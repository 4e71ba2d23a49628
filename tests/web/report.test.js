import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { MOST_PAIRS, pairsTried, pathReport } from "../../src/ultraandchat/web/connection/report.js";

/** @param {any[]} entries @returns {[string, any][]} */
const stats = (...entries) => entries.map((entry) => [entry.id, entry]);

const here = (/** @type {string} */ id, /** @type {object} */ more) => ({ id, type: "local-candidate", candidateType: "host", protocol: "udp", address: "192.168.7.8", port: 5, ...more });
const there = (/** @type {string} */ id, /** @type {object} */ more) => ({ id, type: "remote-candidate", candidateType: "host", address: "203.0.113.7", port: 13007, ...more });
const pair = (/** @type {string} */ id, /** @type {object} */ more) => ({ id, type: "candidate-pair", localCandidateId: "L", remoteCandidateId: "R", state: "in-progress", ...more });

test("what a browser measured becomes a report", () => {
  /** @type {any[]} */
  const real = JSON.parse(readFileSync(new URL("data/chromium-getstats.json", import.meta.url), "utf8"));
  const report = pathReport("chosen", "", 211.6, stats(...real));
  assert.equal(report.after_ms, 212);
  const chosen = report.pairs.filter(({ state }) => state === "chosen");
  assert.equal(chosen.length, 1);
  assert.equal(chosen[0].protocol, "udp");
  assert.equal(chosen[0].local, "host");
});

test("each pair has its kinds, the server's address and how it went", () => {
  const pairs = pairsTried(
    stats(
      here("L", {}),
      here("T", { protocol: "tcp", candidateType: "prflx" }),
      here("V", { candidateType: "relay", relayProtocol: "tls" }),
      there("R", {}),
      there("R6", { address: "2001:db8::1" }),
      pair("1", { requestsSent: 9, responsesReceived: 0 }),
      pair("2", { state: "failed", remoteCandidateId: "R6" }),
      pair("3", { state: "succeeded", localCandidateId: "T", currentRoundTripTime: 0.0123, nominated: true }),
      pair("4", { localCandidateId: "V", responsesReceived: 2 }),
    ),
  );
  assert.deepEqual(pairs, [
    { protocol: "tcp", local: "prflx", remote: "host 203.0.113.7:13007", state: "chosen", rtt_ms: 12.3 },
    { protocol: "relay/tls", local: "relay", remote: "host 203.0.113.7:13007", state: "succeeded", rtt_ms: null },
    { protocol: "udp", local: "host", remote: "host [2001:db8::1]:13007", state: "failed", rtt_ms: null },
    { protocol: "udp", local: "host", remote: "host 203.0.113.7:13007", state: "unanswered", rtt_ms: null },
  ]);
});

test("the caller's own addresses stay in the browser", () => {
  const report = pathReport("failed", "no sound came", 10_000, stats(here("L", {}), there("R", {}), pair("1", {})));
  assert.ok(!JSON.stringify(report).includes("192.168.7.8"));
});

test("no more pairs than the server takes, those that worked first", () => {
  const many = Array.from({ length: 200 }, (_, index) => pair(String(index), { state: index === 199 ? "succeeded" : "failed" }));
  const pairs = pairsTried(stats(here("L", {}), there("R", {}), ...many));
  assert.equal(pairs.length, MOST_PAIRS);
  assert.equal(pairs[0].state, "succeeded");
});

test("a browser that tells nothing makes an empty report", () => {
  assert.deepEqual(pathReport("failed", "why", 1, []).pairs, []);
  assert.deepEqual(pairsTried(stats(pair("1", {}))).map(({ remote }) => remote), ["? ?:?"]);
});
