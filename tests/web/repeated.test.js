import assert from "node:assert/strict";
import { test } from "node:test";

import { Repeated } from "../../src/ultraandchat/web/repeated.js";
import { pass, virtualTime } from "./support/clock.js";

test("it is asked at once, then from each answer on, and not when nobody looks", async () => {
  virtualTime();
  let asked = 0;
  const looking = new Repeated(async () => void (asked += 1), 1000);
  await pass(5000);
  assert.equal(asked, 0);
  looking.run(true);
  looking.run(true);
  await pass(2500);
  assert.equal(asked, 3);
  looking.run(false);
  await pass(5000);
  assert.equal(asked, 3);
});

test("a slow answer is waited for, also by whoever comes back meanwhile", async () => {
  virtualTime();
  let asked = 0;
  const looking = new Repeated(async () => {
    asked += 1;
    await new Promise((go) => setTimeout(go, 3000));
  }, 1000);
  looking.run(true);
  await pass(500);
  looking.run(false);
  looking.run(true);
  await pass(2000);
  assert.equal(asked, 1);
  await pass(1500);
  assert.equal(asked, 2);
});

test("what is asked for may change while an answer is on its way: then it is asked for at once behind it", async () => {
  virtualTime();
  /** @type {string[]} */
  const asked = [];
  let wanted = "turn";
  const looking = new Repeated(async () => {
    asked.push(wanted);
    await new Promise((go) => setTimeout(go, 500));
  }, 2000);
  looking.run(true);
  await pass(100);
  wanted = "all";
  looking.next();
  await pass(500);
  assert.deepEqual(asked, ["turn", "all"]);
  await pass(2000);
  assert.deepEqual(asked, ["turn", "all"]);
  await pass(600);
  assert.deepEqual(asked, ["turn", "all", "all"]);
});
