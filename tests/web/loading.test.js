import assert from "node:assert/strict";
import { test } from "node:test";

import { lines, summary } from "../../src/ultraandchat/web/loading.js";
import { INITIAL, stateWord, update } from "../../src/ultraandchat/web/state.js";

/** @import {Config, Engine} from "../../src/ultraandchat/web/config.js" */

/** @type {Engine} */
const ULTRAVOX = { kind: "language", name: "ultravox", state: "loading", detail: "", remedy: "", progress: null };
/** @type {Engine} */
const SILERO = { ...ULTRAVOX, kind: "voice activity", name: "silero", state: "ready" };

/** @param {string} stage @param {number} done @param {number} total */
const at = (stage, done, total) => lines([{ ...ULTRAVOX, progress: { stage, done, total } }])[0];

test("a download is told in gigabytes, a small one in megabytes", () => {
  assert.deepEqual(at("download", 3_220_000_000, 16_100_000_000), {
    name: "Ultravox",
    text: "downloading, 3.2 of 16.1 GB",
    share: 0.2,
  });
  assert.equal(at("download", 4_900_000, 75_000_000)?.text, "downloading, 5 of 75 MB");
});

test("other stages are told in parts, or in a word where nobody knows how many", () => {
  assert.equal(at("load", 3, 10)?.text, "loading, 3 of 10");
  assert.deepEqual(at("warm-up", 0, 0), { name: "Ultravox", text: "warming up", share: null });
  assert.equal(at("capture (CUDA graphs, 1 tokens)", 2, 8)?.text, "recording its steps (CUDA graphs, 1 tokens), 2 of 8");
  assert.equal(at("a stage of its own", 0, 0)?.text, "a stage of its own");
});

test("no bar is longer than all of it", () => {
  assert.equal(at("download", 20, 10)?.share, 1);
});

test("who says nothing, is just starting or is there has no line", () => {
  assert.equal(at("start", 0, 0), undefined);
  assert.deepEqual(lines([ULTRAVOX, SILERO]), []);
});

test("what is downloaded is not downloaded again, and one may know it", () => {
  assert.equal(summary([ULTRAVOX, SILERO]), "The models are loading.");
  const fetched = { ...ULTRAVOX, progress: { stage: "download", done: 1, total: 2 } };
  assert.match(summary([fetched]), /loading\. What is downloaded now is there at the next start\.$/);
  assert.equal(summary([SILERO]), "");
});

test("an engine that failed is told with its reason and what the operator can do", () => {
  const failed = { ...ULTRAVOX, state: "failed", detail: "the GPU is gone", remedy: "Look at nvidia-smi." };
  assert.equal(summary([SILERO, failed]), "Ultravox does not run: the GPU is gone. Look at nvidia-smi.");
  const anew = { ...ULTRAVOX, state: "restarting", detail: "its model hangs" };
  assert.equal(summary([anew]), "Ultravox is being started again: its model hangs.");
});

test("the page's word says that one failed, and goes when it is back", () => {
  /** @type {Config} */
  const config = { version: "1", protocol: 2, profile: "gpu", about: "", voices: [], ready: false, webrtc: null, engines: [] };
  const broken = update(INITIAL, { type: "config", config: { ...config, engines: [{ ...ULTRAVOX, state: "failed" }] } });
  assert.equal(stateWord(broken), "failed");
  assert.equal(stateWord(update(broken, { type: "unreachable" })), "loading");
  assert.equal(stateWord(update(broken, { type: "config", config: { ...config, ready: true } })), "ready");
});
