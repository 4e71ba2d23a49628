import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, encode, encodeOpus } from "../../src/ultraandchat/web/frames.js";

/** @param {number[]} bytes */
const buffer = (...bytes) => Uint8Array.from(bytes).buffer;

test("a frame to the server has its header and its samples little-endian", () => {
  const bytes = [...new Uint8Array(encode(Int16Array.of(1, -2), 0x01020304))];
  assert.deepEqual(bytes, [1, 1, 0, 0, 4, 3, 2, 1, 1, 0, 0xfe, 0xff]);
});

test("a position beyond 2³² wraps", () => {
  const view = new DataView(encode(Int16Array.of(0), 2 ** 32 + 7));
  assert.equal(view.getUint32(4, true), 7);
});

test("a frame from the server is read", () => {
  const frame = decode(buffer(1, 2, 0, 0, 0xff, 0, 0, 0x80, 0xff, 0x7f, 0, 0x80));
  assert.equal(frame?.position, 0x800000ff);
  assert.ok(frame?.codec === "pcm16");
  assert.deepEqual([...frame.samples], [32767, -32768]);
});

test("a packet to the server has its header in front", () => {
  const chunk = /** @type {any} */ ({ byteLength: 2, copyTo: (/** @type {Uint8Array} */ to) => to.set([7, 9]) });
  assert.deepEqual([...new Uint8Array(encodeOpus(chunk, 0x01020304))], [1, 3, 0, 0, 4, 3, 2, 1, 7, 9]);
});

test("a packet from the server is handed on whole", () => {
  const frame = decode(buffer(1, 3, 0, 0, 1, 0, 0, 0x80, 5, 6, 7));
  assert.ok(frame?.codec === "opus");
  assert.deepEqual([...frame.packet], [5, 6, 7]);
  assert.equal(frame.position, 0x80000001);
});

test("what is no sound from a server is refused", () => {
  assert.equal(decode(buffer()), null);
  assert.equal(decode(buffer(1, 2, 0, 0, 0, 0, 0, 0)), null, "no samples");
  assert.equal(decode(buffer(1, 2, 0, 0, 0, 0, 0, 0, 1)), null, "half a sample");
  assert.equal(decode(buffer(1, 1, 0, 0, 0, 0, 0, 0, 1, 1)), null, "the caller's own codec");
  assert.equal(decode(buffer(1, 3, 0, 0, 0, 0, 0, 0)), null, "no packet");
  assert.equal(decode(buffer(9, 2, 0, 0, 0, 0, 0, 0, 1, 1)), null, "unknown kind");
});
