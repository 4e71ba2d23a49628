import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { later, OwnConversation } from "../../src/ultraandchat/web/connection/own.js";
import { pass, virtualTime } from "./support/clock.js";

/** @import {Hello, Welcome} from "../../src/ultraandchat/web/wire.js" */

/** @type {Hello} */
const HELLO = { type: "hello", protocol: 2 };

/** @type {Map<string, string>} What this tab keeps. */
const tab = new Map();
/** @type {{asked: string[], answers: any}} The other tabs. */
const others = { asked: [], answers: null };

/** @type {number | null} */
let heard = null;

const own = () => new OwnConversation({ heard: () => heard, standing: () => ({ microphone: true, muted: false }) });
/** @param {Partial<Welcome>} [change] @returns {any} */
const welcome = (change) => ({ type: "welcome", session: "7f3a", resume: "first", resume_s: 60, resumed: false, ...change });
const keptHeard = () => JSON.parse(tab.get("conversation") ?? "{}").heard;

beforeEach(() => {
  virtualTime();
  tab.clear();
  heard = null;
  others.asked = [];
  others.answers = null;
  Object.assign(globalThis, {
    sessionStorage: {
      getItem: (/** @type {string} */ key) => tab.get(key) ?? null,
      setItem: (/** @type {string} */ key, /** @type {string} */ value) => void tab.set(key, value),
      removeItem: (/** @type {string} */ key) => void tab.delete(key),
    },
    BroadcastChannel: class {
      /** @param {any} message */
      postMessage(message) {
        if (!message.wanted) return;
        others.asked.push(message.wanted);
        if (others.answers) this.onmessage({ data: { handed: others.answers } });
      }

      /** @param {any} _event */
      onmessage(_event) {}

      close() {}
    },
  });
});

test("a first hello asks for nothing, and nothing is missed", () => {
  const mine = own();
  mine.find();
  assert.deepEqual(mine.greet(HELLO), HELLO);
  assert.equal(mine.begin(welcome()), false);
});

test("after a cut it goes on from what was heard, with the newest token", () => {
  const mine = own();
  mine.begin(welcome());
  mine.renew("second");
  heard = 96_000;
  mine.pause();
  heard = null;
  assert.deepEqual(mine.greet(HELLO), { ...HELLO, resume: "second", heard: 96_000 });
  assert.equal(mine.begin(welcome({ resumed: true, resume: "third" })), false);
  assert.equal(mine.greet(HELLO).resume, "third");
});

test("what was heard before stays true until something newer is heard", () => {
  const mine = own();
  mine.begin(welcome());
  heard = 96_000;
  mine.pause();
  heard = null;
  mine.begin(welcome({ resumed: true }));
  mine.pause();
  assert.equal(mine.greet(HELLO).heard, 96_000);
  mine.begin(welcome({ resumed: true }));
  heard = 97_000;
  mine.pause();
  assert.equal(mine.greet(HELLO).heard, 97_000);
});

test("what was still heard behind the cut is not asked for again", () => {
  const mine = own();
  mine.begin(welcome());
  heard = 96_000;
  mine.pause();
  heard = 98_400; // the page was busy: it was flushed 50 ms later
  assert.equal(mine.greet(HELLO).heard, 98_400);
});

test("of another conversation nothing was heard yet", () => {
  const mine = own();
  mine.begin(welcome());
  heard = 96_000;
  mine.pause();
  heard = null;
  mine.greet(HELLO);
  assert.equal(mine.begin(welcome({ session: "other" })), true, "it could not go on, and that is said");
  assert.equal(mine.greet(HELLO).heard, null);
});

test("a page that is loaded again finds it, and what was heard a moment before", async () => {
  const before = own();
  before.begin(welcome());
  for (let second = 1; second <= 3; second++) {
    heard = 48_000 * second;
    before.note(true);
    await pass(300);
  }
  heard = null; // the tab ended without a word
  const after = own();
  after.find();
  assert.deepEqual(after.greet(HELLO), { ...HELLO, resume: "first", heard: 144_000 });
});

test("it is kept four times a second while the agent is heard, and now and then else", async () => {
  const mine = own();
  mine.begin(welcome());
  heard = 1;
  mine.note(true);
  assert.equal(keptHeard(), null);
  await pass(251);
  mine.note(false);
  assert.equal(keptHeard(), null);
  mine.note(true);
  assert.equal(keptHeard(), 1);
  heard = 2;
  await pass(5_001);
  mine.note(false);
  assert.equal(keptHeard(), 2);
});

test("a server that lets nobody come back is kept nothing of", () => {
  const mine = own();
  mine.begin(welcome({ resume: "" }));
  assert.equal(tab.size, 0);
  assert.equal(mine.there, false);
});

test("what was ended is forgotten", () => {
  const mine = own();
  mine.begin(welcome());
  mine.end(false);
  assert.equal(tab.size, 0);
  mine.find();
  assert.deepEqual(mine.greet(HELLO), HELLO);
});

test("what went to another tab is asked for there", async () => {
  const mine = own();
  mine.begin(welcome());
  mine.pause();
  mine.end(true);
  assert.equal(tab.size, 0, "a reload begins anew");
  others.answers = { session: "7f3a", token: "theirs", heard: 5, resumeS: 60 };
  await mine.takeBack();
  assert.deepEqual(others.asked, ["7f3a"]);
  assert.deepEqual(mine.greet(HELLO), { ...HELLO, resume: "theirs", heard: 5 });
});

test("where no tab has it any more a new one begins, and that is said", async () => {
  const mine = own();
  mine.begin(welcome());
  mine.end(true);
  const asking = mine.takeBack();
  await pass(2_000);
  await asking;
  assert.deepEqual(mine.greet(HELLO), HELLO);
  assert.equal(mine.begin(welcome({ session: "other" })), true);
});

test("positions wrap around", () => {
  assert.equal(later(1, 2), 2);
  assert.equal(later(2, 1), 2);
  assert.equal(later(2 ** 32 - 5, 3), 3);
  assert.equal(later(null, 3), 3);
  assert.equal(later(3, null), 3);
  assert.equal(later(null, null), null);
});
