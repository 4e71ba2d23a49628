import assert from "node:assert/strict";
import { test } from "node:test";

import { earcon } from "../../src/ultraandchat/web/earcons.js";
import { hint } from "../../src/ultraandchat/web/hints.js";
import { INITIAL } from "../../src/ultraandchat/web/state.js";

/** @import {PageState} from "../../src/ultraandchat/web/state.js" */

/** @param {Partial<PageState>} change @returns {PageState} */
const state = (change) => ({ ...INITIAL, ...change });
const welcome = { resumed: false };
const talking = (/** @type {object} */ change = {}) => state(/** @type {any} */ ({ phase: "talking", welcome, microphone: "on", ...change }));

test("a conversation that begins is heard once", () => {
  assert.equal(earcon(state({ phase: "connecting" }), talking()), "connected");
  assert.equal(earcon(talking(), talking()), null);
});

test("a cut that heals by itself makes no sound", () => {
  const cut = state({ phase: "connecting", misses: 1 });
  assert.equal(earcon(talking(), cut), null);
  assert.equal(earcon(cut, talking({ welcome: { resumed: true } })), null);
});

test("one that does not is a problem, once, and its end is heard", () => {
  const long = state({ phase: "connecting", misses: 3 });
  assert.equal(earcon(state({ phase: "connecting", misses: 2 }), long), "problem");
  assert.equal(earcon(long, state({ phase: "waiting", misses: 3 })), null);
  assert.equal(earcon(long, talking({ welcome: { resumed: true } })), "connected");
});

test("a full server and a microphone that is pulled out are problems", () => {
  assert.equal(earcon(state({ phase: "connecting" }), state({ phase: "waiting" })), "problem");
  assert.equal(earcon(talking(), talking({ microphone: "unplugged" })), "problem");
  assert.equal(earcon(talking({ microphone: "unplugged" }), talking({ microphone: "unplugged" })), null);
});

test("the page helps before the first word and while muted, and is silent otherwise", () => {
  assert.equal(hint(state({ phase: "ready" }), false), "");
  assert.equal(hint(talking(), false), "Say something.");
  assert.equal(hint(talking({ muted: true }), true), "Hold the disc to talk.");
  assert.equal(hint(talking({ muted: true, floor: "agent speaking" }), false), "Muted. Hold the space bar to talk.");
  assert.equal(hint(talking({ microphone: "insecure" }), false), "Type something.");
  const captions = [{ conversation: 1 }];
  assert.equal(hint(talking({ conversation: 1, captions }), false), "");
  assert.equal(hint(talking({ conversation: 2, captions }), false), "Say something.");
});
