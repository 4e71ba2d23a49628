import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { constraints, forServer, isOtherMicrophone, KEY, read, USUAL, written } from "../../src/ultraandchat/web/preferences.js";
import { Preferring } from "../../src/ultraandchat/web/preferring.js";

const CHOSEN = { ...USUAL, microphone: "a1", echo: false, sensitivity: -61, voice: "slt", speed: 1.2, captions: /** @type {const} */ ("large") };

test("what was chosen is read as it was written", () => {
  assert.deepEqual(read(written(CHOSEN)), CHOSEN);
  assert.deepEqual(read(written(USUAL)), { ...USUAL });
});

test("only what is not as usual is kept", () => {
  assert.deepEqual(JSON.parse(written({ ...USUAL, theme: "dark" })), { version: 1, theme: "dark" });
});

for (const text of [null, "", "{", "null", "7", "[]", '"x"', "{}", '{"version":0,"theme":"dark"}', '{"version":2,"theme":"dark"}', '{"theme":"dark"}']) {
  test(`what is no preferences of this page's leaves all as usual: ${text}`, () => {
    assert.deepEqual(read(text), { ...USUAL });
  });
}

test("each value that cannot be obeyed is as usual, and the others count", () => {
  const hostile = {
    version: 1,
    microphone: { toString: "x" },
    speaker: "x".repeat(301),
    echo: "no",
    noise: 0,
    gain: null,
    sensitivity: -5,
    voice: ["slt"],
    speed: "2",
    captions: "huge",
    theme: "dark",
    earcons: false,
    __proto__: { voice: "inherited" },
    more: "<script>",
  };
  assert.deepEqual(read(JSON.stringify(hostile)), { ...USUAL, theme: "dark", earcons: false });
  assert.deepEqual(read('{"version":1,"__proto__":{"voice":"x"},"constructor":1}'), { ...USUAL });
});

test("numbers have bounds, and zero is the server's own level", () => {
  const sensitivity = (/** @type {unknown} */ value) => read(JSON.stringify({ version: 1, sensitivity: value })).sensitivity;
  assert.deepEqual([-70, -20, 0, -71, -19, 1, null].map(sensitivity), [-70, -20, 0, 0, 0, 0, 0]);
  const speed = (/** @type {unknown} */ value) => read(JSON.stringify({ version: 1, speed: value })).speed;
  assert.deepEqual([0.5, 2, 0.4, 2.1, true].map(speed), [0.5, 2, 1, 1, 1]);
});

test("the server is told what it does not know, and nothing else", () => {
  assert.equal(forServer(USUAL, USUAL), null);
  assert.equal(forServer({ ...USUAL, theme: "dark", microphone: "a1" }, USUAL), null);
  assert.deepEqual(forServer(CHOSEN, USUAL), { voice: "slt", speed: 1.2, sensitivity: -61 });
  assert.deepEqual(forServer({ ...CHOSEN, speed: 1, sensitivity: 0 }, CHOSEN), { speed: 1, sensitivity: 0 });
  assert.equal(forServer({ ...CHOSEN, voice: "" }, CHOSEN), null); // "the first" is no voice that could be asked for
});

test("a device is demanded: Chromium passes over one that is wished for", () => {
  assert.deepEqual(constraints(CHOSEN), {
    echoCancellation: false,
    noiseSuppression: true,
    autoGainControl: true,
    channelCount: 1,
    deviceId: { exact: "a1" },
  });
  assert.ok(!("deviceId" in constraints(USUAL)));
});

test("the microphone is opened anew for what concerns it", () => {
  assert.ok(isOtherMicrophone({ ...USUAL, noise: false }, USUAL));
  assert.ok(isOtherMicrophone(CHOSEN, USUAL));
  assert.ok(!isOtherMicrophone({ ...USUAL, speaker: "b", sensitivity: -60, voice: "x" }, USUAL));
});

/** @type {any} */
const browser = globalThis;

/** @type {((event: {key: string | null}) => void)[]} */
let listeners = [];

beforeEach(() => {
  listeners = [];
  browser.addEventListener = (/** @type {string} */ type, /** @type {any} */ listener) => type === "storage" && listeners.push(listener);
});

/** @param {{full?: boolean}} [how] @returns {any} */
function storage({ full = false } = {}) {
  /** @type {Map<string, string>} */
  const items = new Map();
  return {
    items,
    getItem: (/** @type {string} */ key) => items.get(key) ?? null,
    setItem(/** @type {string} */ key, /** @type {string} */ value) {
      if (full) throw new DOMException("full", "QuotaExceededError");
      items.set(key, value);
      // The browser tells the other tabs, never the one that wrote.
    },
  };
}

test("two tabs do not undo each other's choices", () => {
  const shared = storage();
  const [one, other] = [new Preferring(shared), new Preferring(shared)];
  one.choose({ theme: "dark" });
  other.choose({ speed: 1.5 }); // it has not heard of the other's yet
  assert.deepEqual(read(shared.items.get(KEY)), { ...USUAL, theme: "dark", speed: 1.5 });
  /** @type {any[]} */
  const heard = [];
  one.follow((now, before) => heard.push([now.speed, before.speed]));
  listeners[0]({ key: KEY });
  assert.deepEqual(heard, [[1.5, 1]]);
  assert.equal(shared.items.size, 1); // it follows, and writes nothing
});

test("other keys are none of its business, and all of them cleared is as usual", () => {
  const shared = storage();
  const tab = new Preferring(shared);
  tab.choose({ theme: "dark" });
  shared.items.clear();
  listeners[0]({ key: "rung" });
  assert.equal(tab.now.theme, "dark");
  listeners[0]({ key: null });
  assert.equal(tab.now.theme, "auto");
});

test("where nothing can be kept, choices last as long as the page", () => {
  const tab = new Preferring(storage({ full: true }));
  tab.choose({ theme: "dark" });
  tab.choose({ speed: 2 });
  assert.deepEqual(tab.now, { ...USUAL, theme: "dark", speed: 2 });
});
