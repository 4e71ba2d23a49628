import assert from "node:assert/strict";
import { test } from "node:test";

import { agentCaption, MOST_CAPTIONS, replyDone, userCaption } from "../../src/ultraandchat/web/captions.js";

/** @import {Caption} from "../../src/ultraandchat/web/captions.js" */

/** @param {Caption[]} captions @param {number} turn @param {string} text */
const hears = (captions, turn, text, final = false, conversation = 1) =>
  userCaption(captions, { conversation }, { type: "user_caption", turn, text, final, source: "stream" });

/** @param {Caption[]} captions @param {number} turn @param {number} clause @param {string} text */
const says = (captions, turn, clause, text, conversation = 1) =>
  agentCaption(captions, { conversation }, { type: "agent_caption", turn, clause, text });

/** @param {Caption[]} captions @param {number} turn @param {string} heard @param {string} unheard */
const ends = (captions, turn, heard, unheard, conversation = 1) =>
  replyDone(captions, { conversation }, { type: "reply_done", turn, heard, unheard, cut: unheard !== "" });

/** @param {Caption[]} captions */
const told = (captions) => captions.map(({ who, turn, clauses }) => `${who} ${turn}: ${clauses.join(" ")}`);

test("the user's later words replace the earlier ones of the same turn", () => {
  const captions = hears(hears(hears([], 1, "go"), 1, "go for"), 1, "go forward", true);
  assert.deepEqual(told(captions), ["user 1: go forward"]);
  assert.equal(captions[0].partial, false);
});

test("a turn in which no words were found leaves the page", () => {
  assert.deepEqual(hears(hears([], 1, "go"), 1, "", true), []);
});

test("an empty partial leaves what is there", () => {
  assert.deepEqual(told(hears(hears([], 1, "go"), 1, "")), ["user 1: go"]);
});

test("clauses of a reply follow each other, and one told twice is there once", () => {
  const captions = says(says(says([], 1, 0, "One."), 1, 1, "Two."), 1, 1, "Two.");
  assert.deepEqual(told(captions), ["agent 1: One. Two."]);
});

test("words that come late stand before the reply to them", () => {
  const captions = hears(says(hears([], 1, "a"), 2, 0, "Reply."), 2, "late", true);
  assert.deepEqual(told(captions), ["user 1: a", "user 2: late", "agent 2: Reply."]);
});

test("what stayed unheard of a cut reply is kept apart from what was heard", () => {
  const [caption] = ends(says([], 1, 0, "One. Two."), 1, "One.", "Two.");
  assert.deepEqual(caption.clauses, ["One."]);
  assert.equal(caption.unheard, "Two.");
});

test("a reply of which nothing was heard is all unheard", () => {
  const [caption] = ends([], 1, "", "One.");
  assert.deepEqual(caption.clauses, []);
  assert.equal(caption.unheard, "One.");
});

test("a reply without words leaves no caption", () => {
  assert.deepEqual(ends([], 1, "", ""), []);
});

test("a new conversation's first turn stands after the last of the one before", () => {
  const captions = hears(hears([], 7, "old"), 1, "new", false, 2);
  assert.deepEqual(told(captions), ["user 7: old", "user 1: new"]);
  assert.notEqual(captions[0].id, captions[1].id);
});

test("the oldest captions go first", () => {
  /** @type {Caption[]} */
  let captions = [];
  for (let turn = 0; turn < MOST_CAPTIONS + 5; turn++) captions = hears(captions, turn, "x", true);
  assert.equal(captions.length, MOST_CAPTIONS);
  assert.equal(captions[0].turn, 5);
});
