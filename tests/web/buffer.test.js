import assert from "node:assert/strict";
import { test } from "node:test";

import {
  FADE_MS,
  FULL_MS,
  GROWTH_MS,
  JitterBuffer,
  MOST_MS,
  START_MS,
} from "../../src/ultraandchat/web/worklet/buffer.js";

const RATE = 24_000;
const FRAME = 480;
const QUANTUM = 120; // a browser pulls 128; this one divides a frame, so that a test can count in frames

/** A server that sends 20 ms frames on one timeline. */
class Sender {
  /** @param {JitterBuffer} buffer */
  constructor(buffer) {
    this.buffer = buffer;
    this.position = 0;
  }

  /** @param {number} frames @param {number} value */
  send(frames, value = 0.5) {
    for (let i = 0; i < frames; i++) {
      this.buffer.push(new Float32Array(FRAME).fill(value), this.position);
      this.position = (this.position + FRAME) % 2 ** 32;
    }
  }
}

/** @param {JitterBuffer} buffer @param {number} ms */
function pull(buffer, ms) {
  const out = [];
  while (out.length < (ms / 1000) * RATE) {
    const quantum = new Float32Array(QUANTUM);
    buffer.pull(quantum);
    out.push(...quantum);
  }
  return out;
}

/** @param {number[]} sound */
const silent = (sound) => sound.every((sample) => sample === 0);
/** @param {number[]} sound */
const steepest = (sound) =>
  sound.slice(1).reduce((most, sample, i) => Math.max(most, Math.abs(sample - sound[i])), 0);

test("nothing plays below the start level", () => {
  const buffer = new JitterBuffer(RATE);
  new Sender(buffer).send(2);
  assert.ok(silent(pull(buffer, 20)));
});

test("playing begins at the start level and fades in", () => {
  const buffer = new JitterBuffer(RATE);
  new Sender(buffer).send(3);
  const sound = pull(buffer, 40);
  assert.ok(sound[0] > 0 && sound[0] < 0.01);
  assert.equal(sound.at(-1), 0.5);
});

test("a reply shorter than the start level is heard", () => {
  const buffer = new JitterBuffer(RATE);
  new Sender(buffer).send(1);
  assert.ok(!silent(pull(buffer, START_MS + 20)));
});

test("all that is sent is played, once", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(3, 0.25);
  let heard = pull(buffer, 20);
  for (let i = 0; i < 50; i++) {
    sender.send(1, 0.25);
    heard = heard.concat(pull(buffer, 20));
  }
  heard = heard.concat(pull(buffer, 200));
  const full = heard.filter((sample) => sample === 0.25).length;
  assert.equal(full, 53 * FRAME - (RATE * FADE_MS) / 1000 + 1);
  assert.equal(buffer.underruns, 0);
});

test("running dry in the middle of sound is an underrun and raises the start level", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(3);
  pull(buffer, 100);
  sender.send(1);
  assert.equal(buffer.underruns, 1);
  assert.equal(buffer.targetMs, START_MS + GROWTH_MS);
});

test("the start level grows to its limit and no further", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  for (let i = 0; i < 10; i++) {
    sender.send(15);
    pull(buffer, 400);
  }
  assert.equal(buffer.targetMs, MOST_MS);
});

test("running dry at the end of a reply is no underrun", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(3);
  pull(buffer, 100);
  sender.position += 10 * FRAME;
  sender.send(3);
  assert.equal(buffer.underruns, 0);
  assert.equal(buffer.targetMs, START_MS);
});

test("positions that wrap are contiguous", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.position = 2 ** 32 - 3 * FRAME;
  sender.send(3);
  pull(buffer, 100);
  sender.send(1);
  assert.equal(buffer.underruns, 1);
});

test("an underrun fades out and in without a click", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(3);
  const out = pull(buffer, 150);
  sender.send(5);
  const sound = out.concat(pull(buffer, 60));
  assert.ok(silent(sound.slice((120 / 1000) * RATE, (140 / 1000) * RATE)));
  assert.ok(steepest(sound) < 0.02, `step of ${steepest(sound)}`);
});

test("a flush is silent within 20 ms, without a click, and is no underrun", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(10);
  const before = pull(buffer, 50);
  buffer.flush();
  const after = pull(buffer, 100);
  assert.ok(silent(after.slice((20 / 1000) * RATE)));
  assert.ok(steepest(before.concat(after)) < 0.02);
  sender.send(3);
  assert.equal(buffer.underruns, 0);
});

test("a flush before anything is audible leaves nothing", () => {
  const buffer = new JitterBuffer(RATE);
  new Sender(buffer).send(2);
  buffer.flush();
  assert.ok(silent(pull(buffer, 200)));
});

test("sound after a flush begins anew at the start level", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(10, 0.9);
  pull(buffer, 50);
  buffer.flush();
  pull(buffer, 50);
  sender.send(3, 0.2);
  const sound = pull(buffer, 60);
  assert.ok(Math.max(...sound) <= 0.2 + 1e-6, `${Math.max(...sound)}`);
  assert.ok(!silent(sound));
});

test("sound with a hole in it is joined without a click", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(5, 0.5);
  sender.position += 5 * FRAME;
  sender.send(5, -0.5);
  const sound = pull(buffer, 250);
  assert.ok(steepest(sound) < 0.02, `step of ${steepest(sound)}`);
  assert.ok(sound.includes(0.5) && sound.includes(-0.5));
});

test("a hole where the store had just run empty is joined without a click", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(5, 0.5);
  const before = pull(buffer, 100); // to the last sample, and not one further
  sender.position += 5 * FRAME;
  sender.send(5, -0.5);
  const sound = before.concat(pull(buffer, 250));
  assert.ok(sound.includes(0.5) && sound.includes(-0.5));
  assert.ok(steepest(sound) < 0.02, `step of ${steepest(sound)}`);
});

test("sound that comes right behind a flush rises from its fade", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(5, 0.5);
  const before = pull(buffer, 50);
  buffer.flush();
  sender.position += 5 * FRAME;
  sender.send(5, 0.5);
  const sound = before.concat(pull(buffer, 120));
  assert.ok(steepest(sound) < 0.02, `step of ${steepest(sound)}`);
});

test("what piles up is cut back to the start level without a click", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(3);
  const before = pull(buffer, 30);
  sender.send(FULL_MS / 20);
  assert.ok(buffer.bufferedMs <= START_MS + 20, `${buffer.bufferedMs} ms are left`);
  assert.ok(steepest(before.concat(pull(buffer, 40))) < 0.02);
});

test("a frame longer than the whole store keeps its newest sound", () => {
  const buffer = new JitterBuffer(RATE);
  const long = Float32Array.from({ length: 5 * RATE }, (_, i) => (i < 4.9 * RATE ? 0.1 : 0.9));
  buffer.push(long, 0);
  assert.ok(buffer.bufferedMs <= FULL_MS);
  assert.ok(pull(buffer, 50).at(-1) === Math.fround(0.9));
});

test("however frames arrive, the store stays bounded and what leaves is in range", () => {
  const buffer = new JitterBuffer(RATE);
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let i = 0; i < 500; i++) {
    const length = Math.floor(random() * 2000);
    const samples = Float32Array.from({ length }, () => random() * 2 - 1);
    buffer.push(samples, Math.floor(random() * 2 ** 32));
    const sound = pull(buffer, random() * 60);
    if (random() < 0.05) buffer.flush();
    assert.ok(buffer.bufferedMs <= FULL_MS);
    assert.ok(sound.every((sample) => Math.abs(sample) <= 1));
  }
});

// --- what was heard ---------------------------------------------------------------------------------

test("nothing is heard before playing begins", () => {
  const buffer = new JitterBuffer(RATE);
  new Sender(buffer).send(2);
  pull(buffer, 20);
  assert.equal(buffer.heard, null);
});

test("what was heard ends where the sound that has left ends", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.position = 96_000;
  sender.send(10);
  pull(buffer, 40);
  assert.equal(buffer.heard, 96_000 + 2 * FRAME);
  pull(buffer, 500);
  assert.equal(buffer.heard, sender.position);
});

test("a silence in between is passed over", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(3);
  sender.position = 480_000;
  sender.send(3);
  pull(buffer, 60);
  assert.equal(buffer.heard, 3 * FRAME);
  pull(buffer, 5);
  assert.equal(buffer.heard, 480_000 + QUANTUM);
  pull(buffer, 500);
  assert.equal(buffer.heard, sender.position);
});

test("an underrun changes nothing about it", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(3);
  pull(buffer, 200);
  assert.equal(buffer.heard, sender.position);
  sender.send(5);
  assert.equal(buffer.underruns, 1);
  pull(buffer, 20);
  assert.equal(buffer.heard, 4 * FRAME);
});

test("what is cut back counts as over", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(3);
  pull(buffer, 30);
  sender.send(FULL_MS / 20);
  const left = Math.round((buffer.bufferedMs / 1000) * RATE);
  pull(buffer, 5);
  assert.equal(buffer.heard, sender.position - left + QUANTUM);
});

test("a flush takes back what was not heard, the fade with it", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(10);
  pull(buffer, 40);
  buffer.flush();
  assert.equal(buffer.heard, 2 * FRAME);
  pull(buffer, 100);
  assert.equal(buffer.heard, 2 * FRAME);
});

test("after a flush it goes on where the sound goes on, and nothing was played twice", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(10, 0.5);
  const before = pull(buffer, 40);
  buffer.flush();
  const faded = pull(buffer, 40);
  sender.position = 480_000; // the server says the rest again, at its own time
  sender.send(8, 0.25);
  const after = pull(buffer, 200);
  assert.equal(buffer.heard, sender.position);
  assert.equal(before.length, 2 * FRAME);
  assert.ok(faded.filter((sample) => sample > 0).length <= (RATE * FADE_MS) / 1000);
  assert.ok(after.filter((sample) => sample === 0.25).length >= 8 * FRAME - (RATE * FADE_MS) / 1000);
});

test("where positions wrap, so does what was heard", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.position = 2 ** 32 - 2 * FRAME;
  sender.send(4);
  pull(buffer, 60);
  assert.equal(buffer.heard, FRAME);
});

test("another conversation has heard nothing", () => {
  const buffer = new JitterBuffer(RATE);
  const sender = new Sender(buffer);
  sender.send(10);
  pull(buffer, 40);
  buffer.forget();
  pull(buffer, 100);
  assert.equal(buffer.heard, null);
  sender.position = 0;
  sender.send(3);
  pull(buffer, 20);
  assert.equal(buffer.heard, FRAME);
});

test("however frames arrive, what was heard is never ahead of what came", () => {
  const buffer = new JitterBuffer(RATE);
  let seed = 11;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  let position = 0;
  let last = 0;
  for (let i = 0; i < 2000; i++) {
    if (random() < 0.2) position += FRAME * Math.floor(random() * 20);
    buffer.push(new Float32Array(FRAME), position);
    position += FRAME;
    pull(buffer, random() * 45);
    if (random() < 0.02) buffer.flush();
    assert.ok(buffer.heard === null || (last <= buffer.heard && buffer.heard <= position), `${last}, ${buffer.heard}, ${position}`);
    last = buffer.heard ?? 0;
  }
  assert.ok(last > 0);
});
