import assert from "node:assert/strict";
import { test } from "node:test";

import { lines } from "../../src/ultraandchat/web/loading.js";
import { about, paced, remainingS } from "../../src/ultraandchat/web/remaining.js";
import { INITIAL, update } from "../../src/ultraandchat/web/state.js";

/** @import {Config, Engine} from "../../src/ultraandchat/web/config.js" */
/** @import {Pace} from "../../src/ultraandchat/web/remaining.js" */

const TOTAL = 16_000_000_000;

/** @param {number} done @param {string} [stage] @returns {Engine} */
const engine = (done, stage = "download") => ({
  kind: "language",
  name: "ultravox",
  state: "loading",
  detail: "",
  remedy: "",
  progress: { stage, done, total: TOTAL },
});

/** What is said at the end of this story. @param {[at: number, done: number, stage?: string][]} story */
const told = (story) => {
  /** @type {Pace[]} */
  let paces = [];
  let now = engine(0);
  for (const [at, done, stage] of story) {
    now = engine(done, stage);
    paces = paced(paces, [now], at);
  }
  return remainingS(paces, now);
};

/** 100 MB a second from a second on to another. @param {number} from @param {number} to @returns {[number, number][]} */
const steady = (from, to) =>
  Array.from({ length: to - from + 1 }, (_, index) => [1000 * (from + index), 100e6 * (from + index)]);

test("a steady download is told to its end", () => {
  assert.equal(told(steady(0, 10)), 150);
  assert.equal(told(steady(0, 100)), 60);
});

test("nothing is said before it is known, or where nothing moves", () => {
  assert.equal(told([[0, 0]]), null);
  assert.equal(told(steady(0, 3)), null);
  assert.equal(told([[0, 5], [5_000, 5], [9_000, 5]]), null);
});

test("what stands still for long has no end that is known", () => {
  const story = steady(0, 10);
  const stalled = [15_000, 19_000].map((at) => /** @type {[number, number]} */ ([at, 100e6 * 10]));
  assert.notEqual(told([...story, ...stalled]), null);
  assert.equal(told([...story, ...stalled, [20_001, 100e6 * 10]]), null);
});

test("a network that became slower counts as it is now", () => {
  const slow = Array.from({ length: 60 }, (_, i) => /** @type {[number, number]} */ ([1000 * (101 + i), 10e9 + 10e6 * (i + 1)]));
  const left = told([...steady(0, 100), ...slow]);
  assert.ok(left !== null && Math.abs(left - 540) < 1, String(left));
});

test("another stage, and one that begins anew, are watched anew", () => {
  assert.equal(told([...steady(0, 10), [11_000, 1e9, "load"]]), null);
  assert.equal(told([...steady(0, 10), [11_000, 5e6], [12_000, 6e6]]), null);
});

test("however often it is asked, few marks are kept", () => {
  /** @type {Pace[]} */
  let paces = [];
  for (let at = 0; at < 600_000; at += 100) paces = paced(paces, [engine(at)], at);
  assert.ok((paces[0]?.marks.length ?? 0) <= 32);
  assert.deepEqual(paced(paces, [{ ...engine(0), progress: null }], 600_000), []);
});

test("as a person would say it", () => {
  const said = [0, 9, 11, 61, 100, 250, 5_000, 9_000].map(about);
  assert.deepEqual(said, [
    "a few seconds left",
    "a few seconds left",
    "about 20 s left",
    "about 70 s left",
    "about 2 min left",
    "about 4 min left",
    "about 83 min left",
    "about 3 h left",
  ]);
});

test("the page tells it with the line of the engine", () => {
  /** @param {number} done @returns {Config} */
  const config = (done) => ({
    version: "1", protocol: 2, profile: "gpu", about: "", voices: [], ready: false, webrtc: null, engines: [engine(done)],
  });
  let state = INITIAL;
  for (const [at, done] of steady(0, 10)) state = update(state, { type: "config", config: config(done) }, at);
  const [line] = lines(state.config?.engines ?? [], state.paces);
  assert.equal(line?.text, "downloading, 1.0 of 16.0 GB, about 3 min left");
  state = update(state, { type: "config", config: { ...config(0), engines: [] } }, 20_000);
  assert.deepEqual(state.paces, []);
});
