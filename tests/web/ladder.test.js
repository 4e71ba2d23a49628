import assert from "node:assert/strict";
import { test } from "node:test";

import { GIVE_UP_MS, Ladder, QUIET_MS, RETRY_MS, SETTLED_MS, STEADY_MS } from "../../src/ultraandchat/web/connection/ladder.js";

/** @import {Step} from "../../src/ultraandchat/web/connection/ladder.js" */

const GIVEN = { whyNot: "", whyLater: "", only: false, fallbackMs: 2500 };
const FAILS = /** @type {const} */ ("ICE failed");

/** A ladder with a clock that only the story moves. */
class Story {
  /** @param {Partial<typeof GIVEN>} [given] */
  constructor(given = {}) {
    this.ladder = new Ladder({ ...GIVEN, ...given });
    this.now = 1_000;
    /** @type {string[]} */
    this.done = [];
    this.note(this.ladder.begin(this.now));
  }

  /** @param {Step[]} steps */
  note(steps) {
    for (const step of steps) {
      this.done.push(step.do === "use" ? step.path : step.do);
      this.last = step;
      if (step.do === "drop") this.note(this.ladder.lost(this.now, step.why));
    }
    return this;
  }

  /** Time goes by, and the ladder is asked exactly when it wants to be. @param {number} ms */
  pass(ms) {
    const end = this.now + ms;
    while (this.ladder.deadline() <= end) {
      this.now = Math.max(this.now, this.ladder.deadline());
      this.note(this.ladder.tick(this.now));
    }
    this.now = end;
    return this;
  }

  answered() {
    return this.note(this.ladder.answered(this.now));
  }

  carries() {
    return this.note(this.ladder.carries(this.now));
  }

  /** @param {string} why */
  lost(why) {
    return this.note(this.ladder.lost(this.now, why));
  }

  /** @param {boolean} nobody */
  floor(nobody) {
    return this.note(this.ladder.floor(this.now, nobody));
  }

  why() {
    return this.last && "why" in this.last ? this.last.why : "";
  }
}

test("media that comes in time carries the sound from the beginning", () => {
  const story = new Story().pass(100).answered().pass(300).carries().pass(60_000);
  assert.deepEqual(story.done, ["offer", "webrtc"]);
});

test("without media in time the WebSocket carries, and ICE goes on", () => {
  const story = new Story().answered().pass(2_499);
  assert.deepEqual(story.done, ["offer"]);
  story.pass(1);
  assert.deepEqual(story.done, ["offer", "websocket"]);
  assert.match(story.why(), /no sound came .* 2.5 s/);
});

test("a server that does not answer is said to be what is waited for", () => {
  const story = new Story().pass(2_500);
  assert.match(story.why(), /did not answer .* 2.5 s/);
});

test("the time for media runs from the answer", () => {
  const story = new Story().pass(2_000).answered().pass(2_499);
  assert.deepEqual(story.done, ["offer"]);
  assert.deepEqual(story.pass(1).done, ["offer", "websocket"]);
});

test("ICE is given up ten seconds after the offer, and not tried again by itself", () => {
  const story = new Story().answered().pass(GIVE_UP_MS - 1);
  assert.deepEqual(story.done, ["offer", "websocket"]);
  story.pass(1);
  assert.deepEqual(story.done, ["offer", "websocket", "drop"]);
  story.pass(3_600_000);
  assert.deepEqual(story.done, ["offer", "websocket", "drop"]);
});

test("media that comes late waits for the end of the turn", () => {
  const story = new Story().answered().pass(2_500).floor(true).floor(false).pass(1_000).carries();
  story.pass(5_000);
  assert.deepEqual(story.done, ["offer", "websocket"], "somebody has the floor");
  story.floor(true).pass(QUIET_MS - 1);
  assert.deepEqual(story.done, ["offer", "websocket"]);
  story.pass(1);
  assert.deepEqual(story.done, ["offer", "websocket", "webrtc"]);
});

test("what is still heard here puts the move off", () => {
  const story = new Story().answered().pass(2_500).floor(true).carries();
  for (let i = 0; i < 20; i++) {
    story.ladder.audible(story.now);
    story.pass(50);
  }
  assert.deepEqual(story.done, ["offer", "websocket"]);
  assert.deepEqual(story.pass(QUIET_MS).done, ["offer", "websocket", "webrtc"]);
});

test("media that comes late in a silence moves the sound at once", () => {
  const story = new Story().answered().pass(2_500).floor(true).pass(1_000).carries();
  assert.deepEqual(story.done, ["offer", "websocket", "webrtc"]);
});

test("a late attempt that dies before its turn changes nothing", () => {
  const story = new Story().answered().pass(2_500).floor(false).carries().lost(FAILS);
  assert.deepEqual(story.done, ["offer", "websocket"]);
  story.floor(true).pass(QUIET_MS);
  assert.notEqual(story.done.at(-1), "webrtc");
});

test("a path that dies moves the sound at once, and is tried again after 1, 2, 4 … s, a few times", () => {
  const story = new Story().answered().carries().pass(5_000).lost("it died");
  assert.deepEqual(story.done, ["offer", "webrtc", "websocket"]);
  assert.deepEqual(story.last, { do: "use", path: "websocket", why: "it died", failed: true });
  for (const pause of RETRY_MS) {
    const offers = story.done.filter((step) => step === "offer").length;
    story.pass(pause - 1);
    assert.equal(story.done.filter((step) => step === "offer").length, offers);
    story.pass(1);
    assert.equal(story.done.filter((step) => step === "offer").length, offers + 1);
    story.lost(FAILS);
  }
  story.pass(3_600_000);
  assert.equal(story.done.filter((step) => step === "offer").length, 1 + RETRY_MS.length);
  assert.equal(story.done.filter((step) => step === "websocket").length, 1);
});

test("a path that comes back carries again at a turn's end", () => {
  const story = new Story().answered().carries().floor(false).pass(5_000).lost("it died").pass(RETRY_MS[0]).answered().carries();
  assert.deepEqual(story.done, ["offer", "webrtc", "websocket", "offer"]);
  assert.deepEqual(story.floor(true).pass(QUIET_MS).done.at(-1), "webrtc");
});

test("one that keeps dying is tried less and less; one that was steady begins anew", () => {
  const story = new Story().answered().carries().floor(true).pass(1_000).lost("it died");
  story.pass(RETRY_MS[0]).carries().pass(1_000).lost("again").pass(RETRY_MS[1] - 1);
  assert.equal(story.done.at(-1), "websocket");
  story.pass(1).carries().pass(STEADY_MS).lost("after long").pass(RETRY_MS[0]);
  assert.equal(story.done.at(-1), "offer");
});

test("an attempt that fails at once is no reason to wait any longer", () => {
  const story = new Story().lost("the offer has no sound");
  assert.deepEqual(story.done, ["offer", "websocket"]);
  assert.equal(story.why(), "the offer has no sound");
});

test("where it failed before the WebSocket begins, and WebRTC is tried beside it", () => {
  const story = new Story({ whyLater: "it failed here" });
  assert.deepEqual(story.done, ["websocket", "offer"]);
  assert.deepEqual(story.floor(true).pass(QUIET_MS).answered().carries().done, ["websocket", "offer", "webrtc"]);
});

test("what cannot be is not tried, whatever the network does", () => {
  const story = new Story({ whyNot: "there is no microphone" });
  story.note(story.ladder.networkChanged(story.now)).pass(60_000);
  assert.deepEqual(story.done, ["websocket"]);
});

test("another network is another chance", () => {
  const story = new Story().answered().pass(GIVE_UP_MS);
  story.note(story.ladder.networkChanged(story.now)).pass(SETTLED_MS);
  assert.equal(story.done.at(-1), "offer");
});

test("WebRTC alone waits as long as ICE may take, and says why there is none", () => {
  const story = new Story({ only: true }).answered().pass(GIVE_UP_MS);
  assert.deepEqual(story.done, ["offer", "drop", "impossible"]);
  assert.deepEqual(new Story({ only: true, whyNot: "switched off" }).done, ["impossible"]);
  assert.deepEqual(new Story({ only: true }).answered().carries().lost("gone").done, ["offer", "webrtc", "impossible"]);
});

test("media of an attempt that is over is nothing", () => {
  const story = new Story().lost(FAILS).carries();
  assert.deepEqual(story.done, ["offer", "websocket"]);
});
