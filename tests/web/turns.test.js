import assert from "node:assert/strict";
import { test } from "node:test";

import { INITIAL } from "../../src/ultraandchat/web/state.js";
import { chartWords, compared, lookedAt, outside, PART_NAMES, percentile, slowest, steps } from "../../src/ultraandchat/web/turns.js";

/** @param {number} total_ms @param {[string, number, number][]} parts @returns {import("../../src/ultraandchat/web/wire.js").TurnTiming} */
const timing = (total_ms, parts, turn = 1) => ({
  type: "turn_timing",
  turn,
  total_ms,
  endpoint_ms: 600,
  speculative: true,
  parts: parts.map(([name, start_ms, end_ms]) => ({ name, start_ms, end_ms })),
});

const begunBefore = timing(652.4, [
  ["end silence", 0, 601.2],
  ["words", 200.1, 340.9],
  ["first clause", 340.9, 630.4],
  ["first sound", 630.4, 651.6],
  ["playout", 651.6, 652.4],
]);

/** @param {import("../../src/ultraandchat/web/wire.js").TurnTiming} turn */
const sum = (turn) => steps(turn).reduce((all, { addedMs }) => all + addedMs, 0);

test("what the parts added sums to the total, to the millisecond that is shown", () => {
  assert.equal(sum(begunBefore), 652);
  assert.equal(sum(timing(99.5, [["first clause", 0.4, 33.3], ["first sound", 33.3, 66.6], ["playout", 66.6, 99.5]])), 100);
  const waited = timing(700, [["end silence", 0, 600], ["words", 620, 640], ["first clause", 640, 660], ["first sound", 660, 690], ["playout", 690, 700]]);
  assert.equal(sum(waited), 700, "what lies between two parts belongs to the later one");
});

test("what ran beside the silence added nothing, and is told all the same", () => {
  const [silence, words, clause] = steps(begunBefore);
  assert.deepEqual([silence.addedMs, silence.tookMs], [601, 601]);
  assert.deepEqual([words.addedMs, words.tookMs], [0, 141]);
  assert.deepEqual([clause.addedMs, clause.tookMs], [29, 290]);
});

test("a part that a turn does not have keeps its row, and one that nobody knows gets one", () => {
  const typed = steps(timing(30, [["first clause", 0, 10], ["a new one", 10, 20], ["playout", 20, 30]]));
  assert.deepEqual(typed.map(({ name }) => name), [...PART_NAMES, "a new one"]);
  assert.deepEqual(typed.map(({ there }) => there), [false, false, true, false, true, true]);
  assert.deepEqual(steps(undefined).map(({ name }) => name), PART_NAMES);
});

test("percentiles are times that were measured", () => {
  assert.equal(percentile([], 0.5), null);
  assert.equal(percentile([7], 0.95), 7);
  const twenty = Array.from({ length: 20 }, (_, index) => 20 - index);
  assert.equal(percentile(twenty, 0.5), 10);
  assert.equal(percentile(twenty, 0.95), 19);
  assert.deepEqual(twenty[0], 20, "what is given stays in its order");
  const turns = [400, 200, 300].map((ms, index) => timing(ms, [["playout", 0, ms]], index));
  assert.deepEqual(compared(turns), { count: 3, p50: 300, p95: 400 });
});

test("the chart is told in words", () => {
  assert.match(chartWords([]), /none yet/);
  const turns = [412.6, 298.2, 350].map((ms, index) => timing(ms, [["playout", 0, ms]], index));
  assert.equal(chartWords(turns), "Time to the answer of 3 turns: from 298 to 413 ms, 350 ms in the last one.");
  assert.match(chartWords(turns.slice(0, 1)), /1 turn: from 413 to 413/);
});

test("the part that took longest is named", () => {
  assert.equal(slowest(begunBefore), "end silence");
  assert.equal(slowest(timing(30, [["first clause", 0, 20], ["playout", 20, 30]])), "first clause");
});

test("network and buffer are what was measured on the path in use", () => {
  assert.deepEqual(outside(INITIAL), { networkMs: null, bufferMs: null });
  const buffer = { bufferedMs: 31, underruns: 0, targetMs: 60 };
  assert.deepEqual(outside({ ...INITIAL, rttMs: 12, buffer }), { networkMs: 12, bufferMs: 60 });
  const link = /** @type {any} */ ({ rttMs: 3, bufferedMs: 40 });
  assert.deepEqual(outside({ ...INITIAL, rttMs: 12, link }), { networkMs: 3, bufferMs: 40 });
});

test("the newest turn is looked at, unless an earlier one was picked that is still known", () => {
  const turns = [1, 2, 3].map((turn) => timing(300, [["playout", 0, 300]], turn));
  assert.equal(lookedAt(turns, null), turns[2]);
  assert.equal(lookedAt(turns, 2), turns[1]);
  assert.equal(lookedAt(turns, 9), turns[2]);
  assert.equal(lookedAt([], 1), undefined);
});
