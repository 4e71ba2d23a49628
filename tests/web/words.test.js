import assert from "node:assert/strict";
import { test } from "node:test";

import { INITIAL } from "../../src/ultraandchat/web/state.js";
import { sentence } from "../../src/ultraandchat/web/words.js";

/** @import {Config, MicrophoneState, PageState} from "../../src/ultraandchat/web/state.js" */

const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const SAFARI = "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15";
const IPHONE = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile Safari/604.1";

/** @param {Partial<PageState>} change @param {string} [agent] @param {string} [origin] */
const said = (change, agent = CHROME, origin = "https://example.org") =>
  sentence({ ...INITIAL, phase: "ready", ...change }, { agent, origin });

test("there is nothing to say when all is well", () => {
  assert.equal(said({}), "");
  assert.equal(said({ phase: "talking", microphone: "on" }), "");
});

test("what is still loading is named", () => {
  /** @type {Config} */
  const config = {
    version: "1",
    protocol: 1,
    profile: "demo",
    about: "",
    voices: [],
    ready: false,
    webrtc: null,
    engines: [
      { kind: "activity", name: "silero", state: "ready", detail: "" },
      { kind: "transcriber", name: "pocketsphinx", state: "loading", detail: "the grammar" },
    ],
  };
  assert.equal(said({ phase: "loading", config }), "pocketsphinx: loading, the grammar");
  assert.equal(said({ phase: "loading", config: { ...config, engines: [] } }), "The models are loading.");
});

test("a server that does not answer is said so", () => {
  assert.match(said({ phase: "loading", reachable: false }), /does not answer/);
});

test("every trouble with the microphone has its own sentence", () => {
  /** @type {MicrophoneState[]} */
  const troubles = ["asking", "denied", "missing", "busy", "insecure", "unplugged"];
  const sentences = new Set(troubles.map((microphone) => said({ microphone })));
  assert.equal(sentences.size, troubles.length);
  assert.ok(!sentences.has(""));
});

test("each browser has its own way back from a refusal", () => {
  const ways = [CHROME, FIREFOX, SAFARI, IPHONE].map((agent) => said({ microphone: "denied" }, agent));
  assert.equal(new Set(ways).size, 4);
});

test("an insecure page names the command that makes it local", () => {
  const text = said({ microphone: "insecure" }, CHROME, "http://10.0.0.7:7860");
  assert.match(text, /ssh -L 7860:localhost:7860 10\.0\.0\.7/);
});

test("a server that is full is counted down", () => {
  const text = said({ phase: "waiting", trouble: "The server is full.", retryS: 17 });
  assert.equal(text, "The server is full. Trying again in 17 s.");
});
