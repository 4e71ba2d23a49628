import assert from "node:assert/strict";
import { test } from "node:test";

import { INITIAL } from "../../src/ultraandchat/web/state.js";
import { sentence } from "../../src/ultraandchat/web/words.js";

/** @import {Config} from "../../src/ultraandchat/web/config.js" */
/** @import {MicrophoneState, PageState} from "../../src/ultraandchat/web/state.js" */

const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";

/** @param {Partial<PageState>} change @param {string} [agent] @param {string} [origin] */
const said = (change, agent = CHROME, origin = "https://example.org") =>
  sentence({ ...INITIAL, phase: "ready", ...change }, { agent, origin });

test("there is nothing to say when all is well", () => {
  assert.equal(said({}), "");
  assert.equal(said({ phase: "talking", microphone: "on" }), "");
});

test("while the models load it says so, and asks before it knows", () => {
  /** @type {Config} */
  const config = { version: "1", protocol: 2, profile: "demo", about: "", voices: [], ready: false, webrtc: null, engines: [] };
  assert.equal(said({ phase: "loading", config }), "The models are loading.");
  assert.equal(said({ phase: "loading" }), "Asking the server what is there.");
});

test("a server that does not answer is said so", () => {
  assert.match(said({ phase: "loading", reachable: false }), /does not answer/);
});

test("every trouble with the microphone has its own sentence", () => {
  /** @type {MicrophoneState[]} */
  const troubles = ["asking", "denied", "dismissed", "forbidden", "missing", "busy", "insecure", "unplugged"];
  const sentences = new Set(troubles.map((microphone) => said({ microphone })));
  assert.equal(sentences.size, troubles.length);
  assert.ok(!sentences.has(""));
});

test("a refusal is told with this browser's way back", () => {
  assert.match(said({ microphone: "denied" }, FIREFOX), /blocked for this page\. Click the crossed-out/);
});

test("a page that is not secure says why, and what can be done here all the same", () => {
  const text = said({ microphone: "insecure" }, CHROME, "http://10.0.0.7:7860");
  assert.match(text, /https pages and to localhost only, and this is http:\/\/10\.0\.0\.7:7860\. Here you can type/);
});

test("a server that is full is counted down", () => {
  const text = said({ phase: "waiting", trouble: "The server is full.", retryS: 17 });
  assert.equal(text, "The server is full. Trying again in 17 s.");
});
