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
