import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Liveness,
  LONG_PATIENCE_MS,
  PATIENCE_MS,
  PING_MS,
  SHORT_PATIENCE_MS,
} from "../../src/ultraandchat/web/connection/liveness.js";

/** A server that answers pings after `rttMs`, or not at all for Infinity. */
class Story {
  constructor(rttMs = 50) {
    this.liveness = new Liveness();
    this.rttMs = rttMs;
    this.now = 0;
    this.pings = 0;
    /** @type {number[]} */
    this.doubts = [];
    /** @type {{at: number, id: number}[]} */
    this.answers = [];
    this.soundEveryMs = Infinity;
    this.soundAt = Infinity;
    this.liveness.begin(0, PING_MS);
  }

  /** @param {number} ms */
  pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const next = Math.min(this.liveness.deadline(), this.answers[0]?.at ?? Infinity, this.soundAt);
      if (next > end) break;
      this.now = Math.max(this.now, next);
      if (this.soundAt <= this.now) {
        this.liveness.heard(this.now);
        this.soundAt += this.soundEveryMs;
      }
      const answer = this.answers[0]?.at <= this.now ? this.answers.shift() : undefined;
      if (answer) {
        this.liveness.heard(this.now);
        this.liveness.answered(this.now, answer.id);
      }
      for (const step of this.liveness.tick(this.now)) {
        if (step.do === "doubt") this.doubts.push(this.now);
        else {
          this.pings += 1;
          if (this.rttMs < Infinity) this.answers.push({ at: this.now + this.rttMs, id: step.id });
        }
      }
    }
    this.now = end;
    return this;
  }

  /** Sound comes, whatever the messages do. @param {number} everyMs */
  sound(everyMs) {
    this.soundEveryMs = everyMs;
    this.soundAt = this.now;
    return this;
  }

  cut() {
    this.rttMs = Infinity;
    this.answers = [];
    return this;
  }
}

test("a server that answers is asked once a second and never doubted", () => {
  const story = new Story().pass(60_000);
  assert.equal(story.pings, 61);
  assert.deepEqual(story.doubts, []);
  assert.equal(story.liveness.rttMs, 50);
});

test("silence of everything is doubted two seconds after the first ping without an answer", () => {
  const story = new Story().pass(10_100).cut().pass(5_000);
  assert.deepEqual(story.doubts, [11_000 + PATIENCE_MS]);
});

test("it is doubted once, and asked on, for it may come back", () => {
  const story = new Story().cut().pass(60_000);
  assert.equal(story.doubts.length, 1);
  story.rttMs = 50;
  story.pass(2_000);
  assert.equal(story.liveness.deadline() - story.now <= PING_MS, true);
  story.cut().pass(5_000);
  assert.equal(story.doubts.length, 2);
});

test("while sound comes the patience is longer, but it ends", () => {
  const story = new Story().pass(10_100).cut().sound(20).pass(20_000);
  assert.deepEqual(story.doubts, [11_000 + LONG_PATIENCE_MS]);
});

test("a slow network is not a dead one", () => {
  const story = new Story(1_500).pass(60_000);
  assert.deepEqual(story.doubts.slice(1), [], "not once the round trip is known");
});

test("another network makes the doubt quick", () => {
  const story = new Story().pass(10_100).cut();
  story.liveness.suspect(story.now, true);
  story.pass(2_000);
  assert.deepEqual(story.doubts, [10_100 + SHORT_PATIENCE_MS]);
});

test("a page that wakes asks at once, with the usual patience", () => {
  const story = new Story().pass(10_100).cut();
  story.liveness.suspect(story.now, false);
  story.pass(3_000);
  assert.deepEqual(story.doubts, [10_100 + PATIENCE_MS]);
});

test("without a connection nothing is doubted", () => {
  const story = new Story();
  story.liveness.rest();
  story.liveness.suspect(story.now, true);
  story.pass(60_000);
  assert.deepEqual([story.pings, story.doubts.length], [0, 0]);
});

test("an answer to nothing is no round trip, and answers are kept for pings of a moment only", () => {
  const story = new Story();
  assert.equal(story.liveness.answered(5, 99), null);
  story.cut().pass(3_600_000);
  assert.ok(/** @type {any} */ (story.liveness).unanswered.ids.size <= LONG_PATIENCE_MS / PING_MS);
});
