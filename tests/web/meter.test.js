import assert from "node:assert/strict";
import { test } from "node:test";

import { LevelMeter } from "../../src/ultraandchat/web/worklet/level.js";

/** @param {number} amplitude @param {number} seconds */
const levels = (amplitude, seconds, meter = new LevelMeter(48_000)) => {
  const told = [];
  for (let quantum = 0; quantum < (seconds * 48_000) / 128; quantum++) {
    const level = meter.hear(new Float32Array(128).fill(amplitude));
    if (level !== null) told.push(level);
  }
  return told;
};

test("a level is told twenty times a second while it changes", () => {
  const meter = new LevelMeter(48_000);
  let amplitude = 0.1;
  const told = [];
  for (let quantum = 0; quantum < 375; quantum++) {
    const level = meter.hear(new Float32Array(128).fill((amplitude *= 1.001)));
    if (level !== null) told.push(level);
  }
  assert.equal(told.length, 19); // 50 ms are no whole number of quanta
});

test("it is the RMS in dBFS", () => {
  assert.ok(Math.abs(levels(0.1, 0.2)[0] + 20) < 0.01);
});

test("lasting silence is told once, at its beginning", () => {
  const meter = new LevelMeter(48_000);
  levels(0.1, 0.5, meter);
  assert.deepEqual(levels(0, 0.5, meter).filter((level) => level === -96), [-96]);
});
