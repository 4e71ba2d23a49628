import assert from "node:assert/strict";
import { test } from "node:test";

import { INITIAL, update } from "../../src/ultraandchat/web/state.js";
import { foreign, outdated } from "../../src/ultraandchat/web/version.js";
import { PROTOCOL_VERSION } from "../../src/ultraandchat/web/wire.js";
import { sentence } from "../../src/ultraandchat/web/words.js";

/** @import {Config} from "../../src/ultraandchat/web/config.js" */

/** @type {Config} */
const CONFIG = { version: "1", protocol: PROTOCOL_VERSION, page: "new", profile: "demo", about: "", voices: [], ready: true, webrtc: null, engines: [] };
const BROWSER = { agent: "", origin: "https://example.org" };

test("a page is old where its server has other files than it was loaded of", () => {
  assert.equal(outdated({ page: "old", config: CONFIG }), true);
  assert.equal(outdated({ page: "new", config: CONFIG }), false);
});

test("what is not known is no difference", () => {
  assert.equal(outdated({ page: "", config: CONFIG }), false);
  assert.equal(outdated({ page: "old", config: null }), false);
  assert.equal(outdated({ page: "old", config: { ...CONFIG, page: undefined } }), false);
  assert.equal(foreign({ page: "old", config: null }), false);
});

test("another protocol is worse than other files", () => {
  assert.equal(foreign({ page: "old", config: CONFIG }), false);
  const config = { ...CONFIG, protocol: PROTOCOL_VERSION + 1 };
  assert.equal(foreign({ page: "old", config }), true);
  const state = update({ ...INITIAL, page: "old" }, { type: "config", config });
  assert.match(sentence(state, BROWSER), /do not understand each other/);
});

test("in a talk it is said for later, and everything else comes first", () => {
  const ready = update({ ...INITIAL, page: "old" }, { type: "config", config: CONFIG });
  assert.match(sentence(ready, BROWSER), /newer page.*when it suits you/);
  assert.match(sentence({ ...ready, phase: "talking" }, BROWSER), /after this conversation/);
  assert.equal(sentence({ ...ready, phase: "connecting" }, BROWSER), "");
  assert.equal(sentence({ ...ready, notice: "The timer is over." }, BROWSER), "The timer is over.");
});
