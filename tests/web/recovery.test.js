import assert from "node:assert/strict";
import { test } from "node:test";

import { troubleOf } from "../../src/ultraandchat/web/microphone.js";
import { Recovery } from "../../src/ultraandchat/web/recovery.js";

/** A machine whose devices and permission are as they are set. */
function machine() {
  /** @type {{permission: PermissionState, there: boolean, works: boolean, told: string[], asked: number, meanwhile: () => void}} */
  const now = { permission: "granted", there: false, works: true, told: [], asked: 0, meanwhile: () => {} };
  const recovery = new Recovery({
    permitted: async () => now.permission,
    there: async () => now.there,
    listen: async () => {
      now.asked += 1;
      const { works } = now;
      now.meanwhile();
      return works;
    },
    tell: (microphone) => now.told.push(microphone),
  });
  return { now, recovery };
}

test("another microphone takes the place of the one that is gone", async () => {
  const { now, recovery } = machine();
  now.there = true;
  recovery.begin();
  await recovery.look();
  await new Promise(setImmediate);
  assert.equal(now.asked, 1);
});

test("where there is none it waits until one is plugged in, and asks once", async () => {
  const { now, recovery } = machine();
  recovery.begin();
  await new Promise(setImmediate);
  assert.deepEqual([now.asked, now.told], [0, ["unplugged"]]);
  now.there = true;
  await recovery.look();
  await recovery.look();
  assert.equal(now.asked, 1);
});

test("nothing happens by itself where none was lost, or the conversation is over", async () => {
  const { now, recovery } = machine();
  now.there = true;
  await recovery.look();
  now.there = false;
  recovery.begin();
  await new Promise(setImmediate);
  recovery.rest();
  now.there = true;
  await recovery.look();
  assert.equal(now.asked, 0);
});

test("the browser's question is never raised by itself", async () => {
  const { now, recovery } = machine();
  now.there = true;
  now.permission = "prompt";
  recovery.begin();
  await new Promise(setImmediate);
  assert.deepEqual([now.asked, now.told], [0, ["unplugged"]]);
});

test("a permission that was taken back is said, and one that is given again used", async () => {
  const { now, recovery } = machine();
  now.there = true;
  now.permission = "denied";
  recovery.begin();
  await new Promise(setImmediate);
  assert.deepEqual([now.asked, now.told], [0, ["denied"]]);
  now.permission = "granted";
  await recovery.look();
  assert.equal(now.asked, 1);
});

test("a device that is listed and gone already is tried again when the list has changed", async () => {
  const { now, recovery } = machine();
  now.there = true;
  now.works = false;
  now.meanwhile = () => {
    if (now.asked > 1) return;
    now.works = true; // plugged in while the browser still looked for the old one
    void recovery.look();
  };
  recovery.begin();
  await new Promise(setImmediate);
  assert.equal(now.asked, 2);
});

test("what browsers say of a refusal is told apart", () => {
  const told = [
    ["NotAllowedError", "Permission denied"],
    ["NotAllowedError", "Permission dismissed"],
    ["NotAllowedError", "Permission denied by system"],
    ["NotAllowedError", "The request is not allowed by the user agent or the platform in the current context."],
    ["NotFoundError", "Requested device not found"],
    ["NotReadableError", "Could not start audio source"],
    ["SomethingNew", ""],
  ].map(([name, message]) => troubleOf({ name, message }));
  assert.deepEqual(told, ["denied", "dismissed", "forbidden", "denied", "missing", "busy", "missing"]);
});
