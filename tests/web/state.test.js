import assert from "node:assert/strict";
import { test } from "node:test";

import { INITIAL, MOST_ATTEMPTS, MOST_LOG, MOST_TURNS, stateWord, update } from "../../src/ultraandchat/web/state.js";
import { reading } from "../../src/ultraandchat/web/words.js";

/** @import {Config} from "../../src/ultraandchat/web/config.js" */
/** @import {PageChange, PageState} from "../../src/ultraandchat/web/state.js" */

/** @type {Config} */
const CONFIG = { version: "1", protocol: 1, profile: "demo", about: "", engines: [], voices: [], ready: true, webrtc: null };

/** @type {PageChange} */
const WELCOME = {
  type: "welcome",
  session: "7f3a",
  server: "1",
  transport: "websocket",
  voices: [],
  engines: [],
  about: "",
  protocol: 1,
  resume: "",
  resume_s: 0,
  resumed: false,
};

/** @param {PageChange[]} events */
const after = (...events) => events.reduce((state, event) => update(state, event), INITIAL);

test("the page loads until the server is ready", () => {
  assert.equal(stateWord(INITIAL), "loading");
  assert.equal(after({ type: "config", config: { ...CONFIG, ready: false } }).phase, "loading");
  assert.equal(after({ type: "config", config: CONFIG }).phase, "ready");
});

test("a server that stops answering takes the button away, and its return brings it back", () => {
  const gone = after({ type: "config", config: CONFIG }, { type: "unreachable" });
  assert.equal(gone.phase, "loading");
  assert.equal(gone.reachable, false);
  assert.equal(update(gone, { type: "config", config: CONFIG }).phase, "ready");
});

test("a server that asks for its token is locked until it answers", () => {
  const locked = after({ type: "locked", text: "It asks for its token." });
  assert.equal(stateWord(locked), "locked");
  assert.equal(locked.trouble, "It asks for its token.");
  assert.equal(update(locked, { type: "locked", text: "Wrong." }).trouble, "Wrong.");
  assert.equal(update(locked, { type: "unreachable" }).phase, "locked");
  const open = update(locked, { type: "config", config: CONFIG });
  assert.equal(open.phase, "ready");
  assert.equal(open.trouble, "");
});

test("a page that nobody gets in by says so, and no conversation ends of either", () => {
  assert.equal(after({ type: "barred", text: "Set access.token." }).phase, "barred");
  assert.equal(after(WELCOME, { type: "barred", text: "" }, { type: "locked", text: "" }).phase, "talking");
});

test("what the server says of itself never ends a conversation", () => {
  const talking = after(WELCOME);
  assert.equal(update(talking, { type: "config", config: { ...CONFIG, ready: false } }).phase, "talking");
  assert.equal(update(talking, { type: "unreachable" }).phase, "talking");
});

test("every state of the floor has its word", () => {
  const words = {
    listening: "listening",
    "user speaking": "hearing you",
    "user paused": "hearing you",
    "user holding": "hearing you",
    replying: "thinking",
    "agent speaking": "speaking",
    overlap: "hearing you",
  };
  for (const [state, word] of Object.entries(words)) {
    assert.equal(stateWord(after(WELCOME, { type: "state", state, turn: 1 })), word);
  }
});

test("muted is a word only while nobody speaks", () => {
  const muted = after(WELCOME, { type: "muted", muted: true });
  assert.equal(stateWord(muted), "muted");
  assert.equal(stateWord(update(muted, { type: "state", state: "agent speaking", turn: 1 })), "speaking");
});

test("a lost connection is said, counted down and forgotten when it is back", () => {
  const waiting = after(WELCOME, { type: "lost" }, { type: "waiting", seconds: 2 });
  assert.equal(stateWord(waiting), "waiting");
  assert.equal(waiting.retryS, 2);
  assert.match(waiting.trouble, /lost/);
  const back = update(update(waiting, { type: "connecting" }), WELCOME);
  assert.equal(back.trouble, "");
  assert.equal(back.conversation, 2);
});

test("a short cut is no more than a word", () => {
  const cut = after(WELCOME, { type: "lost" });
  assert.equal(stateWord(cut), "connecting");
  assert.equal(cut.misses, 1);
  assert.equal(update(cut, WELCOME).misses, 0);
});

test("a conversation that goes on has its captions told anew", () => {
  const caption = /** @type {const} */ ({ type: "user_caption", turn: 1, text: "go", final: true, source: "grammar" });
  const cut = after(WELCOME, caption, { type: "lost" });
  const on = update(cut, { ...WELCOME, resumed: true });
  assert.equal(on.conversation, 1);
  assert.equal(on.captions.length, 0);
  assert.equal(update(on, caption).captions.length, 1);
  assert.equal(on.notice, "");
});

test("a conversation that goes on after a reload is the first of the page", () => {
  assert.equal(after({ ...WELCOME, resumed: true }).conversation, 1);
});

test("one that could not go on leaves its captions, and the new one says so until the next turn", () => {
  const caption = /** @type {const} */ ({ type: "user_caption", turn: 1, text: "go", final: true, source: "grammar" });
  const anew = after(WELCOME, caption, { type: "lost" }, { type: "not_resumed" }, WELCOME);
  assert.equal(anew.conversation, 2);
  assert.equal(anew.captions.length, 1);
  assert.match(anew.notice, /earlier conversation is over/);
  assert.equal(update(anew, caption).notice, "");
  assert.doesNotMatch(update(anew, WELCOME).notice, /earlier/);
});

test("a conversation that went to another tab says where it is, and can be had back", () => {
  const closing = /** @type {const} */ ({ type: "closing", reason: "replaced", text: "the conversation continues on another connection" });
  const state = [closing, /** @type {const} */ ({ type: "stopped" })].reduce((state, event) => update(state, event), after(WELCOME));
  assert.equal(state.kept, "elsewhere");
  assert.match(state.trouble, /another tab or window/);
  assert.equal(update(state, { type: "connecting" }).kept, "");
});

test("attempts are kept, a few", () => {
  const report = /** @type {const} */ ({ type: "path_report", outcome: "failed", text: "no sound came", after_ms: 1, pairs: [] });
  let state = after(WELCOME);
  for (let i = 0; i < 20; i++) state = update(state, { type: "attempt", report });
  assert.equal(state.attempts.length, MOST_ATTEMPTS);
  assert.match(state.log.at(-1)?.text ?? "", /no sound came/);
});

test("the reason a server gives for closing is shown as a sentence and stays", () => {
  const closing = /** @type {const} */ ({ type: "closing", reason: "timed_out", text: "nothing was heard" });
  const state = [closing, /** @type {const} */ ({ type: "stopped" })].reduce(
    (state, event) => update(state, event),
    after(WELCOME),
  );
  assert.equal(state.phase, "ready");
  assert.equal(state.trouble, "Nothing was heard.");
});

test("a microphone that was refused leaves the page where it was, with the reason", () => {
  const state = after(
    { type: "config", config: CONFIG },
    { type: "connecting" },
    { type: "microphone", microphone: "denied" },
    { type: "stopped" },
  );
  assert.equal(state.phase, "ready");
  assert.equal(state.microphone, "denied");
});

test("a notice stays until the user's next turn", () => {
  const noticed = after(WELCOME, { type: "notice", code: "timer", text: "Your timer rings." });
  assert.equal(noticed.notice, "Your timer rings.");
  const caption = /** @type {const} */ ({ type: "user_caption", turn: 2, text: "thanks", source: "grammar" });
  assert.equal(update(noticed, { ...caption, final: false }).notice, "Your timer rings.");
  assert.equal(update(noticed, { ...caption, final: true }).notice, "");
});

test("timings of the last conversation are not those of a new one", () => {
  const timing = /** @type {const} */ ({ type: "turn_timing", turn: 1, total_ms: 300, endpoint_ms: 192, speculative: true, parts: [] });
  const state = after(WELCOME, timing);
  assert.equal(state.turns.at(-1)?.total_ms, 300);
  assert.equal(update(state, WELCOME).turns.length, 0);
});

test("what the model read for a reply is kept until the next conversation", () => {
  const read = /** @type {const} */ ({ type: "reply_read", turn: 3, prompt_tokens: 540, reused_tokens: 512, new_tokens: 31, read_ms: 23.4 });
  const state = after(WELCOME, read);
  assert.equal(state.read?.turn, 3);
  assert.match(reading(read), /512 of 540 tokens .* the rest in 23 ms; it wrote 31/);
  assert.equal(update(state, WELCOME).read, null);
});

test("what is kept is bounded", () => {
  let state = after(WELCOME);
  for (let turn = 0; turn < 500; turn++) {
    state = update(state, { type: "turn_timing", turn, total_ms: 1, endpoint_ms: 0, speculative: false, parts: [] });
  }
  assert.equal(state.turns.length, MOST_TURNS);
  assert.equal(state.log.length, MOST_LOG);
});

test("nothing a person said enters the log", () => {
  const state = after(
    WELCOME,
    { type: "user_caption", turn: 1, text: "a secret", final: true, source: "grammar" },
    { type: "agent_caption", turn: 1, clause: 0, text: "a secret" },
    { type: "reply_done", turn: 1, heard: "a secret", unheard: "a secret", cut: true },
  );
  assert.ok(!state.log.some(({ text }) => text.includes("secret")));
  assert.ok(state.log.some(({ text }) => text.includes("cut")));
});

test("an underrun enters the log once", () => {
  const report = /** @param {number} underruns @returns {PageChange} */ (underruns) => ({
    type: "buffer",
    report: { bufferedMs: 60, underruns, targetMs: 60 },
  });
  const lines = after(WELCOME, report(0), report(1), report(1)).log.filter(({ text }) => text.includes("dry"));
  assert.equal(lines.length, 1);
});

test("a message of a later server changes nothing", () => {
  const state = after(WELCOME);
  assert.equal(update(state, /** @type {any} */ ({ type: "from the future" })), state);
});

test("the state that went in is never changed", () => {
  const state = Object.freeze(after(WELCOME));
  Object.freeze(state.captions);
  Object.freeze(state.log);
  update(state, { type: "user_caption", turn: 1, text: "go", final: false, source: "stream" });
  assert.equal(state.captions.length, 0);
});

test("a fall back to the WebSocket is said until the user's next turn", () => {
  const way = /** @type {const} */ ({ type: "path", path: "websocket", why: "no sound came", failed: true });
  const talking = after(way, WELCOME);
  assert.match(talking.notice, /WebSocket now: no sound came\./);
  const heard = update(talking, { type: "user_caption", turn: 1, text: "go", final: true, source: "grammar" });
  assert.equal(heard.notice, "");
  assert.equal(update(heard, { ...way, failed: false }).notice, "");
});

test("what was measured on one path is not shown of another", () => {
  const link = /** @type {any} */ ({ received: 1 });
  const measured = after({ type: "path", path: "webrtc", why: "", failed: false }, WELCOME, { type: "link", link });
  assert.equal(measured.link, link);
  assert.equal(update(measured, { type: "path", path: "websocket", why: "it failed", failed: true }).link, null);
  assert.equal(update(measured, { type: "connecting" }).way, null);
});

test("a page that was asked for WebRTC alone says why there is no conversation", () => {
  const state = after({ type: "connecting" }, { type: "impossible", why: "there is no microphone" }, { type: "stopped" });
  assert.equal(state.phase, "ready");
  assert.match(state.trouble, /WebRTC alone, but there is no microphone\./);
});

test("voices that were added can be chosen before and in a conversation, and one that is gone is chosen no more", () => {
  const voices = ["default", "anna"];
  const talking = after({ type: "config", config: CONFIG }, WELCOME, { type: "voices", voices });
  assert.deepEqual(talking.config?.voices, voices);
  assert.deepEqual(talking.welcome?.voices, voices);
  const chosen = update(talking, { type: "chosen_voice", voice: "anna" });
  assert.equal(update(chosen, { type: "voices", voices }).voice, "anna");
  assert.equal(update(chosen, { type: "voices", voices: ["default"] }).voice, "");
});

test("a conversation that could not go on because the server was started anew is told so", () => {
  const again = after({ type: "config", config: { ...CONFIG, start: "a" } }, WELCOME, { type: "lost" }, { type: "not_resumed" }, WELCOME);
  assert.equal(again.notice, "The earlier conversation is over; this is a new one.");
  assert.equal(update(again, { type: "config", config: { ...CONFIG, start: "a" } }).notice, again.notice);
  assert.match(update(again, { type: "config", config: { ...CONFIG, start: "b" } }).notice, /started anew/);
});
