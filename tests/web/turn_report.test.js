import assert from "node:assert/strict";
import { test } from "node:test";

import { parsed } from "../../src/ultraandchat/web/server_log.js";
import { INITIAL, update } from "../../src/ultraandchat/web/state.js";
import { MOST_LINES, turnReport } from "../../src/ultraandchat/web/turn_report.js";

const MESSAGES = /** @type {any[]} */ ([
  { type: "path", path: "websocket", why: "it was asked for", failed: false },
  { type: "welcome", session: "ab12", server: "0.1.0", resumed: false, voices: [], engines: [{ kind: "speech", name: "flite", state: "ready", detail: "small voices" }] },
  { type: "user_caption", turn: 1, text: "an earlier secret", final: true, source: "stream" },
  { type: "user_caption", turn: 2, text: "my secret is plum", final: true, source: "stream" },
  { type: "agent_caption", turn: 2, clause: 0, text: "Plum it is." },
  { type: "reply_done", turn: 2, heard: "Plum it is.", unheard: "And more.", cut: true },
  {
    type: "turn_timing", turn: 2, total_ms: 640, endpoint_ms: 600, speculative: false,
    parts: [{ name: "end silence", start_ms: 0, end_ms: 600 }, { name: "words", start_ms: 600, end_ms: 620 }, { name: "playout", start_ms: 620, end_ms: 640 }],
  },
]);
const state = MESSAGES.reduce((before, message, index) => update(before, message, 1000 * index), INITIAL);
const LINES = parsed(`2026-11-27T03:15:02.000Z info turn session=ab12 turn=2 turn ended kind=spoken
2026-11-27T03:15:02.100Z debug model session=ab12 turn=2 words heard text="my secret is plum"
`);
const reported = { state, health: null, lines: LINES, when: "2026-11-27T03:20:00.000Z", browser: "Chromium", words: false };

test("a report tells the turn, its times, the path, the engines and both logs", () => {
  const text = turnReport(reported);
  assert.match(text, /^UltraAndChat: turn 2 of conversation ab12\n2026-11-27T03:20:00\.000Z\nServer 0\.1\.0/);
  assert.match(text, /640 ms from the last sample/);
  assert.match(text, /end silence +600 ms/);
  assert.match(text, /WebSocket \(pcm16\): it was asked for/);
  assert.match(text, /flite \(speaks\): ready, small voices/);
  assert.match(text, /sound goes over the WebSocket/);
  assert.match(text, /info turn turn=2 turn ended kind=spoken/);
});

test("what was said is in it only where that is asked for", () => {
  const silent = turnReport(reported);
  assert.doesNotMatch(silent, /secret|[Pp]lum|And more/);
  assert.match(silent, /What was said is left out/);
  const told = turnReport({ ...reported, words: true });
  assert.match(told, /you: my secret is plum/);
  assert.match(told, /agent: Plum it is\. \[not heard: And more\.\]/);
  assert.match(told, /debug model turn=2 words heard text="my secret is plum"/);
  assert.doesNotMatch(told, /earlier/, "of that turn alone");
});

test("where the server's log may not be read the report says so", () => {
  assert.match(turnReport({ ...reported, lines: null }), /Log of the server\n {2}not to be read from here/);
});

test("it can be made before anything happened, and stays short after much", () => {
  const nothing = turnReport({ ...reported, state: INITIAL, lines: null });
  assert.match(nothing, /no turn yet of conversation none/);
  const many = parsed("2026-11-27T03:15:02.000Z info turn session=ab12 turn=2 again\n".repeat(500));
  assert.equal(turnReport({ ...reported, lines: many }).match(/ again$/gm)?.length, MOST_LINES);
});

test("an earlier turn can be reported: its times, its lines, its words", () => {
  const first = { type: "turn_timing", turn: 1, total_ms: 2500, endpoint_ms: 600, speculative: true, parts: [{ name: "playout", start_ms: 0, end_ms: 2500 }] };
  const both = { ...state, turns: /** @type {any[]} */ ([first, ...state.turns]) };
  const lines = [...parsed("2026-11-27T03:14:00.000Z info turn session=ab12 turn=1 turn ended kind=typed\n"), ...LINES];
  const text = turnReport({ ...reported, state: both, lines, words: true, picked: 1 });
  assert.match(text, /^UltraAndChat: turn 1 of/);
  assert.match(text, /2500 ms from the last sample/);
  assert.match(text, /you: an earlier secret/);
  assert.match(text, /turn=1 turn ended/);
  assert.doesNotMatch(text, /plum|turn=2/);
});
