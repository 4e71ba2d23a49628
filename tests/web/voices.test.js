import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { addVoice, library, nameOf, removeVoice } from "../../src/ultraandchat/web/voices.js";

/** @type {any} */
const browser = globalThis;

/** @type {{url: string, options: any}[]} */
let asked;

/** What the server answers next. @param {number} status @param {any} body @param {string} [type] */
function answering(status, body, type = "application/json; charset=utf-8") {
  browser.fetch = async (/** @type {URL} */ url, /** @type {any} */ options) => {
    asked.push({ url: String(url), options });
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers: { "Content-Type": type } });
  };
}

beforeEach(() => {
  asked = [];
  browser.document = { baseURI: "https://host.example/room/" };
});

test("a voice is named after its file, as the server wants names", () => {
  assert.equal(nameOf("anna.wav"), "anna");
  assert.equal(nameOf("My Voice (2).m4a"), "my-voice-2");
  assert.equal(nameOf("Zoë Ü.take.3.flac"), "zoe-u-take-3");
  assert.equal(nameOf(`${"a".repeat(60)}.wav`), "a".repeat(40));
  assert.equal(nameOf("日本.wav"), "");
  for (const odd of ["-x-.wav", "..wav", " .wav", "a  b", `${"a".repeat(39)} b.wav`]) assert.match(nameOf(odd), /^([a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?)?$/);
});

test("the recording is the body, under the name of its voice", async () => {
  answering(201, { name: "anna", voices: ["default", "anna"] });
  const file = new Blob(["RIFF"]);
  assert.deepEqual((await addVoice("anna", file)).voices, ["default", "anna"]);
  assert.equal(asked[0]?.url, "https://host.example/room/voices/anna");
  assert.equal(asked[0]?.options.method, "PUT");
  assert.equal(asked[0]?.options.body, file);
});

test("a name leads nowhere else", async () => {
  answering(400, { error: "No." });
  await assert.rejects(removeVoice("../access"));
  assert.equal(asked[0]?.url, "https://host.example/room/voices/..%2Faccess");
});

test("the server's own sentence is what is shown", async () => {
  answering(422, { error: "This clip cannot be a voice: it is silent." });
  await assert.rejects(addVoice("anna", new Blob()), /^Error: This clip cannot be a voice: it is silent\.$/);
});

test("an answer without a sentence and no answer at all are told too", async () => {
  answering(401, "this server asks for its token\n", "text/plain");
  await assert.rejects(library(), /asks for its token/);
  answering(413, "too large", "text/plain");
  await assert.rejects(addVoice("anna", new Blob()), /too large/);
  browser.fetch = async () => {
    throw new TypeError("network");
  };
  await assert.rejects(library(), /did not answer/);
});
