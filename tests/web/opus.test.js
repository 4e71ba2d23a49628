import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { FakeDecoder, FakeEncoder, installCodecs } from "./support/codecs.js";

let copies = 0;
let clock = 0;
/** @type {any[]} */
let told;

/** Each test has a page of its own, on which nothing has failed yet. */
const page = async () => await import(`../../src/ultraandchat/web/opus.js?${copies++}`);
const tell = (/** @type {string} */ what) => (/** @type {any[]} */ ...values) => told.push([what, ...values]);
const frame = (/** @type {number} */ value) => new Int16Array(320).fill(value);

beforeEach(() => {
  told = [];
  clock = 0;
  mock.restoreAll();
  mock.method(performance, "now", () => clock);
  installCodecs();
});

test("a browser with both is asked for Opus", async () => {
  assert.equal(await (await page()).bestCodec(), "opus");
});

for (const missing of ["AudioEncoder", "AudioDecoder", "AudioData"]) {
  test(`a browser without ${missing} is not`, async () => {
    delete (/** @type {any} */ (globalThis)[missing]);
    assert.equal(await (await page()).bestCodec(), "pcm16");
  });
}

test("a browser that has no such Opus is not", async () => {
  FakeEncoder.supported = false;
  assert.equal(await (await page()).bestCodec(), "pcm16");
});

test("a browser that does not know the question is not", async () => {
  mock.method(FakeEncoder, "isConfigSupported", async () => {
    throw new TypeError("codec");
  });
  assert.equal(await (await page()).bestCodec(), "pcm16");
});

test("what failed once is not tried again on this page", async () => {
  const { bestCodec, giveUpOpus } = await page();
  assert.equal(await bestCodec(), "opus");
  giveUpOpus();
  assert.equal(await bestCodec(), "pcm16");
});

test("each frame becomes a packet at its position, gaps and all", async () => {
  const { OpusEncoder } = await page();
  const encoder = new OpusEncoder({ packet: tell("packet"), failed: tell("failed") });
  const [codec] = FakeEncoder.made;
  for (const position of [0, 960, 9600]) encoder.encode(frame(1), position);
  assert.deepEqual(codec.given.map(({ timestamp }) => timestamp), [0, 20_000, 40_000], "its own time has no gaps");
  while (codec.given.length > 0) codec.give();
  assert.deepEqual(told.map(([what, , position]) => [what, position]), [["packet", 0], ["packet", 960], ["packet", 9600]]);
});

test("a page that was held up loses what is too much, and no more", async () => {
  const { MOST_WAITING, OpusEncoder } = await page();
  const encoder = new OpusEncoder({ packet: tell("packet"), failed: tell("failed") });
  const [codec] = FakeEncoder.made;
  for (let n = 0; n < 500; n++) encoder.encode(frame(1), 960 * n);
  assert.equal(codec.given.length, MOST_WAITING);
  while (codec.given.length > 0) codec.give();
  encoder.encode(frame(1), 960 * 500);
  codec.give();
  assert.equal(told.length, MOST_WAITING + 1);
  assert.deepEqual([told.at(-1)[0], told.at(-1)[2]], ["packet", 960 * 500]);
});

test("an encoder that gives nothing back has failed", async () => {
  const { OpusEncoder } = await page();
  const encoder = new OpusEncoder({ packet: tell("packet"), failed: tell("failed") });
  for (let n = 0; n < 200; n++, clock += 20) encoder.encode(frame(1), 960 * n);
  assert.deepEqual(told[0], ["failed", "it gives nothing back"]);
});

test("a packet becomes sound at its position", async () => {
  const { OpusDecoder } = await page();
  const decoder = new OpusDecoder({ sound: tell("sound"), failed: tell("failed") });
  const [codec] = FakeDecoder.made;
  for (const position of [960, 0xffffffff]) decoder.decode(Uint8Array.of(7), position);
  codec.give();
  codec.give();
  assert.deepEqual(told.map(([what, samples, position]) => [what, samples.length, samples[0], position]), [
    ["sound", 960, 7, 960],
    ["sound", 960, 7, 0xffffffff],
  ]);
});

test("what was in a decoder that began anew is not heard", async () => {
  const { OpusDecoder } = await page();
  const decoder = new OpusDecoder({ sound: tell("sound"), failed: tell("failed") });
  const [codec] = FakeDecoder.made;
  decoder.decode(Uint8Array.of(7), 0);
  const [late] = codec.given;
  decoder.reset();
  assert.equal(codec.state, "configured");
  codec.give(48_000, late); // it was on its way already
  decoder.decode(Uint8Array.of(8), 960);
  codec.give();
  assert.deepEqual(told.map(([what, samples, position]) => [what, samples[0], position]), [["sound", 8, 960]]);
});

test("a decoder that gives another rate has failed", async () => {
  const { OpusDecoder } = await page();
  const decoder = new OpusDecoder({ sound: tell("sound"), failed: tell("failed") });
  decoder.decode(Uint8Array.of(7), 0);
  FakeDecoder.made[0].give(24_000);
  assert.deepEqual(told, [["failed", "it decodes to 24000 Hz"]]);
});

test("closing twice, or what has failed, harms nothing", async () => {
  const { OpusDecoder, OpusEncoder } = await page();
  const ends = { packet: tell("packet"), sound: tell("sound"), failed: tell("failed") };
  for (const codec of [new OpusDecoder(ends), new OpusEncoder(ends)]) {
    codec.close();
    codec.close();
  }
  assert.deepEqual(told, []);
});
