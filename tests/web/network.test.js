import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { watchNetwork } from "../../src/ultraandchat/web/network.js";

/** @type {boolean[]} */
let told;
const page = new EventTarget();
const room = /** @type {any} */ (new EventTarget());
const connection = /** @type {any} */ (new EventTarget());

beforeEach(() => {
  told = [];
});

Object.assign(globalThis, { window: page, document: room });
Object.defineProperty(globalThis, "navigator", { value: { connection }, configurable: true });
connection.type = "wifi";
watchNetwork((other) => told.push(other));

test("coming and going of the network is told", () => {
  page.dispatchEvent(new Event("offline"));
  page.dispatchEvent(new Event("online"));
  assert.deepEqual(told, [false, true]);
});

test("another kind of network is another network, another estimate of its speed is not", () => {
  connection.dispatchEvent(new Event("change"));
  connection.type = "cellular";
  connection.dispatchEvent(new Event("change"));
  connection.dispatchEvent(new Event("change"));
  assert.deepEqual(told, [true]);
});

test("a page that comes to the front asks how things are; one that goes does not", () => {
  room.visibilityState = "hidden";
  room.dispatchEvent(new Event("visibilitychange"));
  room.visibilityState = "visible";
  room.dispatchEvent(new Event("visibilitychange"));
  page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
  page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  assert.deepEqual(told, [false, false]);
});
