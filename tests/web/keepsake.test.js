import assert from "node:assert/strict";
import { test } from "node:test";

import { forget, fresh, keep, kept } from "../../src/ultraandchat/web/connection/keepsake.js";

const ONE = { session: "7f3a", token: "t", resumeS: 60, heard: 96_000, microphone: true, muted: false };

/** @returns {any} */
const storage = () => {
  const items = new Map();
  return {
    getItem: (/** @type {string} */ key) => items.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void items.set(key, value),
    removeItem: (/** @type {string} */ key) => void items.delete(key),
  };
};

test("what is kept is there again, until it is forgotten", () => {
  const tab = storage();
  assert.equal(kept(tab), null);
  keep(ONE, tab);
  assert.deepEqual({ ...kept(tab), at: 0 }, { ...ONE, at: 0 });
  forget(tab);
  assert.equal(kept(tab), null);
});

test("the server waits no longer than it said, so neither does the page", () => {
  const text = JSON.stringify({ ...ONE, at: 1_000 });
  assert.equal(fresh(text, 1_000 + 59_999)?.token, "t");
  assert.equal(fresh(text, 1_000 + 60_000), null);
  assert.equal(fresh(text, 999), null, "kept in the future: the clock was moved");
});

test("what is none of ours is nothing", () => {
  for (const text of [null, "", "null", "{", "7", "[]", '{"token": 1, "at": 0, "resumeS": 60}', '{"token": "", "at": 0, "resumeS": 60}', '{"token": "t"}']) {
    assert.equal(fresh(text, 1), null, String(text));
  }
  assert.equal(fresh('{"token": "t", "at": 0, "resumeS": 60, "heard": "much"}', 1)?.heard, null);
});
