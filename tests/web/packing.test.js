import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { MOST_UNSENT_BYTES, Packing } from "../../src/ultraandchat/web/connection/packing.js";
import { FakeDecoder, FakeEncoder, installCodecs } from "./support/codecs.js";

/** @type {ArrayBuffer[]} */
let sent;
/** @type {[Float32Array, number][]} */
let heard;
/** @type {[string, string][]} */
let changes;

const packing = () =>
  new Packing({
    send: (bytes) => sent.push(bytes),
    sound: (samples, position) => heard.push([structuredClone(samples, { transfer: [samples.buffer] }), position]),
    changed: (codec, why) => changes.push([codec, why]),
  });
const frame = () => new Int16Array(320).fill(7);

/** Codec and position of what was sent. */
const heads = () => sent.map((bytes) => [new DataView(bytes).getUint8(1), new DataView(bytes).getUint32(4, true)]);

/** @param {number} codec @param {number} position @param {Uint8Array} sound */
function framed(codec, position, sound) {
  const bytes = new Uint8Array(8 + sound.length);
  bytes.set([1, codec]);
  bytes.set(sound, 8);
  new DataView(bytes.buffer).setUint32(4, position, true);
  return bytes.buffer;
}

/** 20 ms of 440 Hz as the server sends it. @param {number} number */
function pcm(number) {
  const samples = Int16Array.from({ length: 480 }, (_, i) => 16_000 * Math.sin((2 * Math.PI * 440 * (480 * number + i)) / 24_000));
  return framed(2, 480 * number, new Uint8Array(samples.buffer));
}

beforeEach(() => {
  sent = [];
  heard = [];
  changes = [];
  installCodecs();
});

test("it begins with PCM16", () => {
  packing().pack(frame(), 0);
  assert.deepEqual(heads(), [[1, 0]]);
});

test("both codecs count on one timeline, each at its own rate", () => {
  const sound = packing();
  sound.pack(frame(), 0);
  sound.useOpus();
  sound.pack(frame(), 0);
  FakeEncoder.made[0].give();
  sound.fail("no more");
  sound.pack(frame(), 0);
  assert.deepEqual(heads(), [[1, 0], [3, 960], [1, 640]]);
  assert.deepEqual(changes, [["opus", ""], ["pcm16", "no more"]]);
});

test("what a stalled network cannot take is left out and leaves a gap", () => {
  const sound = packing();
  sound.useOpus();
  const [encoder] = FakeEncoder.made;
  sound.pack(frame(), MOST_UNSENT_BYTES.opus + 1);
  assert.equal(encoder.given.length, 0, "it is not even encoded: the decoder must not miss a packet");
  sound.pack(frame(), 0);
  encoder.give();
  assert.deepEqual(heads(), [[3, 960]]);
});

test("packets are heard where they stand", () => {
  const sound = packing();
  sound.useOpus();
  sound.unpack(framed(3, 0x80000000, Uint8Array.of(5)));
  FakeDecoder.made[0].give();
  assert.deepEqual(heard.map(([samples, position]) => [samples.length, position]), [[960, 0x80000000]]);
});

test("PCM16 is played at 48 kHz, at twice its position, and sounds the same", () => {
  const sound = packing();
  for (let n = 0; n < 20; n++) sound.unpack(pcm(n));
  assert.equal(heard[0][1], 0);
  for (let i = 1; i < heard.length; i++) assert.equal(heard[i][1], heard[i - 1][1] + heard[i - 1][0].length);
  const all = heard.flatMap(([samples]) => [...samples]);
  assert.ok(all.length > 20 * 960 - 100);
  const worst = Math.max(...all.slice(960).map((sample, i) => Math.abs(sample - (16_000 / 32_768) * Math.sin((2 * Math.PI * 440 * (i + 960)) / 48_000))));
  assert.ok(worst < 0.002, `${worst}`);
});

test("PCM16 behind a gap begins anew at its own place", () => {
  const sound = packing();
  sound.unpack(pcm(0));
  sound.unpack(pcm(10));
  assert.equal(heard[1][1], 10 * 960);
});

test("a position that wraps at 24 kHz wraps at 48 kHz too", () => {
  const sound = packing();
  sound.unpack(framed(2, 2 ** 31 + 3, new Uint8Array(960)));
  assert.equal(heard[0][1], 6);
});

test("a flush empties the decoder", () => {
  const sound = packing();
  sound.useOpus();
  sound.unpack(framed(3, 0, Uint8Array.of(5)));
  sound.flush();
  assert.equal(FakeDecoder.made[0].resets, 1);
  assert.equal(FakeDecoder.made[0].given.length, 0);
});

test("a codec that throws, or says that it failed, gives way to PCM16 both ways, once", () => {
  const sound = packing();
  sound.useOpus();
  const [encoder] = FakeEncoder.made;
  const [decoder] = FakeDecoder.made;
  encoder.ends.error(new Error("worn out"));
  decoder.ends.error(new Error("so am I"));
  assert.deepEqual(changes, [["opus", ""], ["pcm16", "worn out"]]);
  assert.deepEqual([encoder.state, decoder.state], ["closed", "closed"]);
  sound.pack(frame(), 0);
  assert.deepEqual(heads(), [[1, 0]]);
  sound.unpack(framed(3, 0, Uint8Array.of(5))); // still on its way
  assert.equal(heard.length, 0);
});

test("a browser that closed a codec behind our back is noticed at the next frame", () => {
  const sound = packing();
  sound.useOpus();
  FakeEncoder.made[0].close();
  sound.pack(frame(), 0);
  sound.pack(frame(), 0);
  assert.equal(changes.at(-1)?.[0], "pcm16");
  assert.deepEqual(heads(), [[1, 320]]);
});

test("a browser whose Opus cannot even be made stays with PCM16", () => {
  Object.assign(globalThis, {
    AudioDecoder: class {
      constructor() {
        throw new Error("none left");
      }
    },
  });
  const sound = packing();
  sound.useOpus();
  assert.deepEqual(changes, [["pcm16", "Error: none left"]]);
  sound.pack(frame(), 0);
  assert.deepEqual(heads(), [[1, 0]]);
});

test("after the end nothing is sent, decoded or told", () => {
  const sound = packing();
  sound.useOpus();
  sound.close();
  sound.flush();
  sound.unpack(framed(3, 0, Uint8Array.of(5)));
  assert.equal(heard.length, 0);
  assert.equal(changes.length, 1);
});
