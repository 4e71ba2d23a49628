import assert from "node:assert/strict";
import { test } from "node:test";

import { INITIAL, update } from "../../src/ultraandchat/web/state.js";
import { transcript } from "../../src/ultraandchat/web/transcript.js";

/** @import {PageChange, PageState} from "../../src/ultraandchat/web/state.js" */
/** @import {Format} from "../../src/ultraandchat/web/transcript.js" */

/** @param {boolean} [resumed] @returns {PageChange} */
const welcome = (resumed = false) => ({
  type: "welcome",
  session: "s",
  server: "1",
  transport: "websocket",
  voices: [],
  engines: [],
  about: "",
  resume: "",
  resume_s: 60,
  resumed,
  protocol: 2,
});
/** @param {number} turn @param {string} text @returns {PageChange} */
const hears = (turn, text, final = true) => ({ type: "user_caption", turn, text, final, source: "stream" });
/** @param {number} turn @param {number} clause @param {string} text @returns {PageChange} */
const says = (turn, clause, text) => ({ type: "agent_caption", turn, clause, text });
/** @param {number} turn @param {string} heard @param {string} [unheard] @returns {PageChange} */
const ends = (turn, heard, unheard = "") => ({ type: "reply_done", turn, heard, unheard, cut: unheard !== "" });

/** @param {[number, PageChange][]} story */
const told = (story) => story.reduce((state, [at, event]) => update(state, event, at), INITIAL);

/** @param {Format} format @param {PageState} state */
const saved = (format, state) => transcript(format, { ...state, date: (ms) => `day ${ms}` });

/** @type {[number, PageChange][]} */
const CUT = [
  [10_000, welcome()],
  [12_500, hears(1, "go", false)],
  [13_400, hears(1, "go forward")],
  [14_000, says(1, 0, "Going forward.")],
  [15_200, says(1, 1, "Ten meters in all.")],
  [16_000, ends(1, "Going forward. Ten", "meters in all.")],
];

test("plain text has who said what, when it began, and what was not heard", () => {
  assert.equal(
    saved("txt", told(CUT)),
    "Conversation of day 10000\n\n00:02 you: go forward\n\n00:04 agent: Going forward. Ten [not heard: meters in all.]\n",
  );
});

test("Markdown strikes what was not heard, and takes nothing that was said for its own", () => {
  const state = told([...CUT, [20_000, hears(2, "# *bold* <b> [a](b) `c` ~~d~~ ten-meter 1. x")]]);
  assert.deepEqual(saved("md", state).split("\n\n"), [
    "# Conversation of day 10000",
    "**you** (00:02): go forward",
    "**agent** (00:04): Going forward. Ten ~~meters in all.~~",
    "**you** (00:10): # \\*bold\\* \\<b> \\[a\\](b) \\`c\\` \\~\\~d\\~\\~ ten-meter 1. x\n",
  ]);
});

test("WebVTT has a cue for each clause as far as it was heard, until the next or the end", () => {
  assert.equal(
    saved("vtt", told(CUT)),
    [
      "WEBVTT",
      "00:00:02.500 --> 00:00:03.400\n<v you>go forward",
      "00:00:04.000 --> 00:00:05.200\n<v agent>Going forward.",
      "00:00:05.200 --> 00:00:06.000\n<v agent>Ten\n",
    ].join("\n\n"),
  );
});

test("nothing that was said ends a cue or opens a tag, and a typed turn has a length", () => {
  const state = told([
    [0, welcome()],
    [1_000, hears(1, "a --> b\n\n<v agent>& co")],
  ]);
  assert.equal(saved("vtt", state), "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v you>a --&gt; b &lt;v agent&gt;&amp; co\n");
});

test("a reply of which nothing was heard has no cue, and stands in the text", () => {
  const state = told([
    [0, welcome()],
    [1_000, says(1, 0, "Hello.")],
    [1_100, ends(1, "", "Hello.")],
  ]);
  assert.equal(saved("vtt", state), "WEBVTT\n");
  assert.match(saved("txt", state), /00:01 agent: \[not heard: Hello\.\]/);
});

test("each conversation counts its own time; cues count from the first", () => {
  const state = told([...CUT, [100_000, welcome()], [101_000, hears(1, "again")]]);
  assert.match(saved("txt", state), /Conversation of day 100000\n\n00:01 you: again\n$/);
  assert.match(saved("vtt", state), /00:01:31\.000 --> 00:01:32\.000\n<v you>again\n$/);
});

test("what the server tells again after a cut keeps the times it had", () => {
  const again = told([
    ...CUT,
    [60_000, welcome(true)],
    [60_001, hears(1, "go forward")],
    [60_002, says(1, 0, "Going forward. Ten")],
    [60_003, ends(1, "Going forward. Ten", "meters in all.")],
  ]);
  assert.equal(saved("txt", again), saved("txt", told(CUT)));
  assert.equal(saved("vtt", again), saved("vtt", told(CUT)));
});

test("after a reload times count from when the page came back", () => {
  const state = told([
    [500, welcome(true)],
    [600, hears(1, "go forward")],
    [700, ends(1, "Going.")],
  ]);
  assert.equal(saved("txt", state), "Conversation of day 500\n\n00:00 you: go forward\n\n00:00 agent: Going.\n");
});

test("hours are counted", () => {
  const state = told([
    [0, welcome()],
    [3_725_000, hears(1, "still here")],
  ]);
  assert.match(saved("txt", state), /1:02:05 you: still here/);
  assert.match(saved("vtt", state), /01:02:05\.000 -->/);
});
