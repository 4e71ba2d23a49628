import assert from "node:assert/strict";
import { test } from "node:test";

import { Resampler } from "../../src/ultraandchat/web/worklet/resample.js";

/** @param {number} rate @param {number} hz @param {number} seconds */
const tone = (rate, hz, seconds = 0.5) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

/** @param {Float32Array} sound */
const rms = (sound) => Math.sqrt(sound.reduce((sum, x) => sum + x * x, 0) / sound.length);

for (const rate of [48_000, 44_100]) {
  test(`a tone keeps its level and length from ${rate} Hz`, () => {
    const out = new Resampler(rate, 16_000).feed(tone(rate, 1000));
    assert.ok(Math.abs(out.length - 8000) < 40, `${out.length} samples`);
    assert.ok(Math.abs(rms(out.slice(200)) - Math.SQRT1_2) < 0.005);
  });

  test(`what 16 kHz cannot hold is gone from ${rate} Hz`, () => {
    const out = new Resampler(rate, 16_000).feed(tone(rate, 10_000));
    assert.ok(rms(out.slice(200)) < 0.001);
  });

  test(`blocks never change what comes out from ${rate} Hz`, () => {
    const input = tone(rate, 700);
    const whole = new Resampler(rate, 16_000).feed(input);
    const parts = new Resampler(rate, 16_000);
    const joined = [];
    for (let i = 0; i < input.length; i += 128) joined.push(...parts.feed(input.subarray(i, i + 128)));
    assert.deepEqual(joined, [...whole]);
  });
}
